"""What can be wrong with a page, as a reason code with a place."""

from __future__ import annotations


class PageError(Exception):
    """A page that cannot be read, and why.

    `code` is one of the reason codes in docs/reasons.md; `detail` says which mark, border or measure failed and where; `scan`
    names the image at fault ("A" or "B") once it is known.
    """

    def __init__(self, code: str, detail: str, scan: str | None = None) -> None:
        """Keep the code and the detail apart; the text joins them."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.scan = scan
