"""A store that tells a recording what it was asked for and what it answered: from these marks it is known what was promised.

A mark is a line of JSON. `begin` says what is asked for, `end` that it was done and what the evidence then held, `failed` that it
was not; `shown` is a count that people saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from edge.audit.closing import Closed, close_polls
from edge.evidence.ballot_box import PAGE
from edge.evidence.events import LogEvent
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.keys.day_key import discard_day_key, load_day_key
from edge.evidence.opening import EvidenceSettings, day_key_label
from edge.evidence.reading import SheetReading
from edge.evidence.sheet_files import sheet_files
from edge.evidence.store import Books, PendingStage, Polls, StoreError
from hil.crash.world import Log, content_of, packed

Mark = Callable[[str], None]
Asked = dict[str, Any]
_Answer = TypeVar("_Answer")
_SEALING = 32
"""Bytes of a slot's sheet beside the sheet: nonce, tag, length."""


def line(**said: object) -> str:
    """A mark."""
    return json.dumps(said, sort_keys=True)


class MarkingStore:
    """Passes everything on to `store`; keeps `edge.evidence.store.SheetStore`.

    Args:
        store: The store under test.
        log: The election that it keeps.
        settings: Where it keeps it.
        mark: Takes the marks.
    """

    def __init__(self, store: EvidenceStore, log: Log, settings: EvidenceSettings, mark: Mark) -> None:
        self.store = store
        self._log = log
        self._settings = settings
        self._mark = mark
        self._signed: frozenset[int] = frozenset()

    def read(self) -> Books:
        """As the store."""
        return self._done("read", self.store.read)

    def write_pending(self, reading: SheetReading) -> Books:
        """As the store."""
        return self._done("write_pending", lambda: self.store.write_pending(reading), content=content_of(sheet_files(reading)))

    def mark_pending(self, stage: PendingStage) -> Books:
        """As the store."""
        return self._done("mark_pending", lambda: self.store.mark_pending(stage), stage=str(stage))

    def commit(self) -> Books:
        """As the store."""
        return self._done("commit", self.store.commit)

    def erase(self) -> Books:
        """As the store."""
        return self._done("erase", self.store.erase)

    def keep_returned(self, reading: SheetReading) -> Books:
        """As the store."""
        content = content_of(sheet_files(reading))
        return self._done("keep_returned", lambda: self.store.keep_returned(reading), content=content, most=self._most(reading))

    def open_polls(self) -> Books:
        """As the store."""
        return self._done("open_polls", self.store.open_polls)

    def pause_polls(self) -> Books:
        """As the store."""
        return self._done("pause_polls", self.store.pause_polls)

    def note(self, events: Sequence[LogEvent]) -> Books:
        """As the store."""
        return self._done("note", lambda: self.store.note(events), events=[event.id for event in events])

    def tend(self) -> Books:
        """As the store."""
        return self._done("tend", self.store.tend)

    def close(self) -> None:
        """As the store."""
        self._done("close", self.store.close)

    def checkpoint(self) -> None:
        """As the store."""
        self._done("checkpoint", self.store.checkpoint)

    def close_polls(self) -> Closed:
        """Close the polls for good, as the command does."""
        return self._done("close_polls", lambda: close_polls(self.store, self._log.package))

    def discard_day_key(self) -> None:
        """Discard the box's key, as the command does after its note in the log."""
        keys = self.store.opened().keys
        self._done("discard", lambda: discard_day_key(keys, day_key_label(self._log.label)))

    def _done(self, name: str, do: Callable[[], _Answer], **asked: object) -> _Answer:
        self._mark(line(begin=name, log=self._log.label, **asked))
        try:
            answer = do()
        except StoreError as error:
            # A refusal leaves the evidence open.
            self._mark(line(failed=name, log=self._log.label, code=error.code, refused=self._is_open(), **asked))
            raise
        self._mark(line(end=name, log=self._log.label, **asked, **self._held(name)))
        return answer

    def _held(self, name: str) -> Asked:
        """What the evidence holds now, as this process knows it."""
        if not self._is_open():
            return {}
        opened = self.store.opened()
        checkpoints = opened.media[0].log.checkpoints()
        new = {size: note.decode() for size, note in checkpoints.items() if size not in self._signed}
        self._signed |= frozenset(checkpoints)
        held: Asked = {
            "count": opened.state.cast,
            "returned": opened.state.returned,
            "pending": opened.state.pending,
            "polls": str(opened.state.polls),
            "size": opened.frontier.size,
            "root": opened.frontier.root().hex(),
            "media": [medium.name for medium in opened.media],
            "signed": new,
        }
        if name == "read":
            held["key"] = opened.signer.verifier.text
            if opened.state.polls is not Polls.CLOSED:
                held["day_key"] = load_day_key(opened.keys, day_key_label(self._log.label)).material().hex()
        return held

    def _is_open(self) -> bool:
        try:
            self.store.opened()
        except StoreError:
            return False
        return True

    def _most(self, reading: SheetReading) -> int:
        """How many returned sheets may be kept, this one among them; none if it does not fit into a slot."""
        shape = self._log.shape
        return shape.returned if len(packed(reading)) <= shape.slot_bytes - 2 * PAGE - _SEALING else 0
