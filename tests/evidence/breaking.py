"""A medium that fails from a chosen call on: what the store does on it is counted; that call and all later ones fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.evidence.ballot_box import BallotBox
from edge.evidence.event_log import EventLog
from edge.evidence.medium import Medium
from edge.evidence.store import StoreError

CALLS: tuple[tuple[type, str], ...] = (
    (EventLog, "_check"),
    (EventLog, "write"),
    (EventLog, "state"),
    (EventLog, "tidy"),
    (EventLog, "catch_up"),
    (BallotBox, "put"),
    (BallotBox, "settle"),
    (BallotBox, "wipe"),
    (BallotBox, "is_whole"),
    (BallotBox, "sheet"),
    (Medium, "free_bytes"),
)


class CutError(BaseException):
    """The power is cut in this moment."""


@dataclass(slots=True)
class Breaking:
    """See the module.

    Attributes:
        folder: The medium.
        at: Number of the call that fails first; None = none does.
        done: Whether that call has done its work before it fails, as when the answer of a medium is lost.
        calls: Calls so far.
        cut: Whether the power is cut instead, once.
    """

    folder: Path
    at: int | None = None
    done: bool = False
    calls: int = 0
    cut: bool = False

    def fail(self, after: int = 0, *, done: bool = False, cut: bool = False) -> None:
        """From the call on that comes after so many others."""
        self.at, self.done, self.cut = self.calls + after + 1, done, cut

    def heal(self) -> None:
        """From now on nothing fails."""
        self.at = None

    @property
    def is_failing(self) -> bool:
        """Whether the medium has failed already."""
        return self.at is not None and self.calls >= self.at

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From here on."""
        for owner, name in CALLS:
            monkeypatch.setattr(owner, name, self._instead(getattr(owner, name)))

    def _instead(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def instead(this: Any, *arguments: Any, **keys: Any) -> Any:  # noqa: ANN401  any of the calls
            path = this.folder if isinstance(this, Medium) else this._path
            if self.folder not in path.parents:
                return call(this, *arguments, **keys)
            self.calls += 1
            if self.at is None or self.calls < self.at:
                return call(this, *arguments, **keys)
            if self.done and self.calls == self.at:
                call(this, *arguments, **keys)
            if self.cut:
                self.at = None
                raise CutError
            raise StoreError("storeUnavailable", f"{path}: Input/output error")

        return instead
