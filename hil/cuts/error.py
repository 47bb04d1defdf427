"""Why a recording cannot be made or trusted."""

from __future__ import annotations


class RecordingError(Exception):
    """Something was, or would have been, written that the recording does not know.

    Attributes:
        code: sqliteUnreachable, alreadyRecording, rootUnusable, notRecorded, callFailed or replayDiffers.
        detail: One sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"
