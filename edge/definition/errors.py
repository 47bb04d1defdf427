"""The one error of this room: something about the election's definition, or read against it, is refused by name."""

from __future__ import annotations


class DefinitionError(ValueError):
    """A definition, a setting or a code on paper that is refused.

    Attributes:
        code: the reason in camelCase, stable, meant for programs and for the event log.
        detail: one sentence for the technician; may quote the refused input.
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
