"""What can be wrong with a model, as a reason code with a place."""

from __future__ import annotations


class ModelError(ValueError):
    """A model that is refused, and why.

    Attributes:
        code: The reason in camelCase, stable, meant for programs: `modelDamaged` (not a well-formed file), `modelUnsupported`
            (well formed, but not what is executed here), `modelMissing`, `modelChanged` (not the released bytes), `modelCard`
            (the card beside it is not as agreed).
        detail: One sentence for the technician.
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
