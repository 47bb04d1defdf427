"""What can be wrong with what a document is to be made of, as a reason code and a sentence."""

from __future__ import annotations


class CdfError(ValueError):
    """A document that cannot be made.

    `code` is one of: `recordMalformed`, `recordVersion`, `recordForeign` (of another election or definition), `recordNotCast` (of
    a sheet that counts nowhere), `recordContradicts` (its marks and its votes differ), `sheetIdMalformed`, `electionDate`,
    `electionUnfit`, `timeMalformed`, `entryMalformed`, `statusUnknown`, `tallyForeign`. `detail` says what and where.
    """

    def __init__(self, code: str, detail: str) -> None:
        """Build the error from its reason code and its sentence."""
        # Both arguments go to the base class so that the error survives pickling between processes.
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"
