"""What ends a command early."""

from __future__ import annotations


class CommandError(Exception):
    """A command that cannot do its work with what it was given: a reason code and one sentence, shown on stderr."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"
