"""What was promised: the marks that were passed when the power failed, read into what the evidence must hold now.

Between the beginning of a call and its end the evidence may hold what it held before or the whole change. After a call that
failed likewise, until the next one that succeeds tells which.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edge.evidence.store import PendingStage, Polls

EVENTS_OF: Mapping[str, frozenset[str]] = {
    "read": frozenset({"logOpened"}),
    "commit": frozenset({"sheetAccepted"}),
    "erase": frozenset({"pendingErased"}),
    "keep_returned": frozenset({"sheetReturned"}),
    "open_polls": frozenset({"zeroCheck", "pollsOpened"}),
    "pause_polls": frozenset({"pollsPaused"}),
    "close_polls": frozenset({"pollsClosed"}),
    "tend": frozenset({"clockChanged", "mediumLow"}),
}
"""What each call may write into the log; `note` says so itself."""
OF_RECOVERY = frozenset({"evidenceRecovered", "mediumLost", "sheetFoundPending"})
"""What any call may write that opens the evidence, or loses a medium."""


_POLLS = {"open_polls": Polls.OPEN, "close_polls": Polls.CLOSED}


@dataclass(frozen=True, slots=True)
class Held:
    """What the evidence holds, sheets by the number of their content.

    Attributes:
        cast: Sheets in the box, sorted.
        returned: Returned sheets that are kept, sorted.
        pending: The sheet on its way into the box, and its stage; or None.
        polls: How far the election has come.
    """

    cast: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    pending: tuple[str, PendingStage] | None = None
    polls: Polls = Polls.NEW

    def after(self, call: str, asked: Mapping[str, Any]) -> Held:
        """What it holds when a call has done its work."""
        match call:
            case "write_pending":
                return replace(self, pending=(asked["content"], PendingStage.ACCEPTING))
            case "mark_pending" if self.pending is not None:
                return replace(self, pending=(self.pending[0], PendingStage(asked["stage"])))
            case "commit" if self.pending is not None:
                return replace(self, cast=_with(self.cast, self.pending[0]), pending=None)
            case "erase":
                return replace(self, pending=None)
            case "keep_returned" if self._keeps(asked["most"]):
                return replace(self, returned=_with(self.returned, asked["content"]))
            case "open_polls" | "close_polls":
                return replace(self, polls=_POLLS[call])
            case "pause_polls" if self.polls is Polls.OPEN:
                return replace(self, polls=Polls.PAUSED)
            case _:
                return self

    def is_as_told(self, told: Mapping[str, Any]) -> bool:
        """Whether the evidence can have said this when it held that."""
        stage = None if self.pending is None else str(self.pending[1])
        mine = (len(self.cast), len(self.returned), stage, str(self.polls))
        return mine == (told["count"], told["returned"], told["pending"], told["polls"])

    def _keeps(self, most: int) -> bool:
        return self.polls is Polls.OPEN and self.pending is None and len(self.returned) < most


@dataclass(frozen=True, slots=True)
class Promise:
    """What must hold of one election's evidence at one moment.

    Attributes:
        possible: What it may hold: one thing, or while something is under way any of these.
        running: The call that is under way; None between two.
        events: What that call may write into the log; None = anything.
        size: Entries of the log that were acknowledged.
        root: Root of the tree over them.
        signed: Checkpoints that left the store, by size.
        key: The log's verifier key, once it was acknowledged.
        media: The media that were in use when the last call was acknowledged.
        certain: Whether these are still so: no call is under way or has failed since.
        shown: The highest count that people saw.
        day_key: The box's key, once it was acknowledged.
        key_may_be_gone: Whether the day key is being discarded, or was.
        key_must_be_gone: Whether that is done.
    """

    possible: tuple[Held, ...] = (Held(),)
    running: str | None = None
    events: frozenset[str] | None = EVENTS_OF["read"]
    size: int = 0
    root: bytes = b""
    signed: Mapping[int, bytes] = field(default_factory=dict)
    key: str | None = None
    media: tuple[str, ...] = ()
    certain: bool = True
    shown: int = 0
    day_key: bytes | None = None
    key_may_be_gone: bool = False
    key_must_be_gone: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether the evidence was ever acknowledged."""
        return self.key is not None

    def begun(self, call: str, asked: Mapping[str, Any]) -> Promise:
        """A call is made."""
        possible = tuple(dict.fromkeys((*self.possible, *(held.after(call, asked) for held in self.possible))))
        events = frozenset(asked.get("events", ())) | EVENTS_OF.get(call, frozenset())
        # What an earlier one has left undone may be found only now.
        events |= self.events or frozenset()
        return replace(
            self,
            possible=possible,
            running=call,
            events=events,
            certain=False,
            key_may_be_gone=self.key_may_be_gone or call == "discard",
        )

    def ended(self, call: str, told: Mapping[str, Any], before: Promise) -> Promise:
        """The call has returned; `before` is what held when it was made."""
        if "count" not in told:
            return before
        possible = tuple(
            held for held in dict.fromkeys(held.after(call, told) for held in before.possible) if held.is_as_told(told)
        )
        if not possible:
            raise ValueError(f"{call} says {dict(told)}, and that can be none of {before.possible}")
        signed = {int(size): note.encode() for size, note in told["signed"].items()}
        return replace(
            self,
            possible=possible,
            running=None,
            events=frozenset(),
            size=told["size"],
            root=bytes.fromhex(told["root"]),
            signed={**self.signed, **signed} if signed else self.signed,
            key=told.get("key", self.key),
            media=tuple(told["media"]),
            certain=True,
            day_key=bytes.fromhex(told["day_key"]) if "day_key" in told else self.day_key,
            key_must_be_gone=self.key_must_be_gone or call == "discard",
        )

    def failed(self, before: Promise, *, refused: bool) -> Promise:
        """The call has raised; `refused`: before it changed anything."""
        return before if refused else replace(self, running=None)


def _with(sheets: tuple[str, ...], content: str) -> tuple[str, ...]:
    return tuple(sorted((*sheets, content)))


class Ledger:
    """The promises of a recording, for every number of marks that were passed.

    Args:
        marks: All of its marks.
        before: Marks of an earlier recording, of which this one begins with an image.
    """

    def __init__(self, marks: Sequence[str], before: Sequence[str] = ()) -> None:
        self._promises = list(_read([*before, *marks]))[len(before) :]

    def at(self, passed: int) -> Mapping[str, Promise]:
        """What must hold, by the label of the log, when so many of the marks were passed."""
        return self._promises[passed]


def _read(marks: Iterable[str]) -> Iterator[Mapping[str, Promise]]:
    promises: dict[str, Promise] = {}
    before: dict[str, Promise] = {}
    yield promises
    for mark in marks:
        said = json.loads(mark)
        label = said["log"]
        promise = promises.get(label, Promise())
        if "begin" in said:
            # After a cut the call that was under way is never ended, and counts as one that failed.
            before[label] = promise.failed(promise, refused=False)
            promise = before[label].begun(said["begin"], said)
        elif "end" in said:
            promise = promise.ended(said["end"], said, before[label])
        elif "failed" in said:
            promise = promise.failed(before[label], refused=said["refused"])
        else:
            promise = replace(promise, shown=max(promise.shown, said["shown"]))
        promises = {**promises, label: promise}
        yield promises
