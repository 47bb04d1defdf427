"""The station's evidence: event log and ballot box on one or two media, the keys beside them, and the checkpoints over it all.

Every change goes to every medium before it counts. A medium that fails is left out, durably noted as behind, and the other goes
on. A lock lets another process (an export, the closing of the polls) do its own changes in between; each looks first whether the
other has.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind
from edge.evidence.ballot_box import random_id
from edge.evidence.clock import Clock
from edge.evidence.entry import entry_bytes
from edge.evidence.event_log import Change, LogState
from edge.evidence.events import LogEvent, Value
from edge.evidence.keys.key_folder import KeyFileError
from edge.evidence.lock import locked
from edge.evidence.medium import Medium
from edge.evidence.opening import EvidenceSettings, Opened, open_evidence
from edge.evidence.reading import SheetReading
from edge.evidence.recovery import sheet_from
from edge.evidence.sheet_files import RECORD, pack_files, sheet_files, unpack_files
from edge.evidence.store import Books, PendingStage, Polls, StoreError
from edge.evidence.tally_sheets import accepted_event
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.merkle import Frontier, leaf_hash
from edge.evidence.tlog.note import sign_note

CHECKPOINT_EVENTS = 100
CHECKPOINT_MS = 300_000
"""A checkpoint is signed over so many new entries, or after so long over any."""
_SIGNED_AFTER = frozenset(
    {"logOpened", "stationStarted", "stationStopped", "zeroCheck", "exportBegun", "exportMade"}
    | {"pollsOpened", "pollsPaused", "pollsClosed", "tallySheetAccepted"}
)
_LARGE_LOG = 4 << 20
"""Bytes of a write-ahead log that is tidied in a quiet moment."""
_CLOCK_STEP_MS = 2_000


class _RefusedError(StoreError):
    """Something that may not be done, said before anything was changed."""


class EvidenceStore:
    """Keeps `edge.evidence.store.SheetStore`. All calls from one thread.

    Args:
        settings: Where and how.
        package: What the sheets are read with; fixed when the log begins.
        software: Name and hash of the software.
        clock: Boot, monotonic and wall time.
        progressed: Called now and then in what takes long, so that a watchdog sees it.
    """

    def __init__(
        self,
        settings: EvidenceSettings,
        package: ElectionPackage,
        *,
        software: tuple[str, bytes],
        clock: Clock,
        progressed: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._package = package
        self._software = software
        self._clock = clock
        self._progressed = progressed
        self._open: Opened | None = None
        self._owed: list[LogEvent] = []

    # What the station asks.

    def read(self) -> Books:
        """Open the evidence anew, mend what a cut has left half done, and say what it holds."""
        self.close()
        with locked(self._settings.keys, make=not self._settings.visiting):
            return self._read()

    def write_pending(self, reading: SheetReading) -> Books:
        """Keep a sheet as pending: sealed and durable in a random free slot of every medium before the log knows of it."""
        packed = pack_files(sheet_files(reading))
        with self._at_work() as work:
            if work.state.pending is not None:
                raise ValueError("a sheet is pending already")
            if work.state.polls is not Polls.OPEN:
                raise _RefusedError("pollsClosed", "the polls are not open")
            kind = SheetKind.TALLY if reading.tally else SheetKind.CAST
            if reading.tally:
                # What cannot be told at the commit must not get there.
                accepted_event(reading.record, self._package.loaded_forms(), work.state.tallied + 1)
            self._check_room(work, packed, kind)
            self._put(work, kind, packed)
            self._write(work, replace(work.state, pending=PendingStage.ACCEPTING))
            return self._books(work)

    def mark_pending(self, stage: PendingStage) -> Books:
        """Change the stage of the pending sheet, if there is one."""
        with self._at_work() as work:
            if work.state.pending not in {None, stage}:
                self._write(work, replace(work.state, pending=stage))
            return self._books(work)

    def commit(self) -> Books:
        """Count the pending sheet, with the ballots or with the tally sheets: the box says which it is."""
        with self._at_work() as work:
            if work.state.pending is None:
                raise ValueError("no sheet is pending")
            identity, kind = self._pending_sheet(work)
            if kind is SheetKind.TALLY:
                tallied = work.state.tallied + 1
                record = unpack_files(sheet_from(work.media, identity))[RECORD]
                event = accepted_event(record, self._package.loaded_forms(), tallied)
                self._write(work, replace(work.state, pending=None, tallied=tallied), event)
            else:
                count = work.state.cast + 1
                self._write(work, replace(work.state, pending=None, cast=count), LogEvent("sheetAccepted", {"count": count}))
            self._settle(work)
            return self._books(work)

    def erase(self) -> Books:
        """Forget the pending sheet, if there is one."""
        with self._at_work() as work:
            if work.state.pending is not None:
                self._write(work, replace(work.state, pending=None), LogEvent("pendingErased"))
                self._on_pending(work, lambda medium, slot: medium.open_box().wipe(slot))
            return self._books(work)

    def keep_returned(self, reading: SheetReading) -> Books:
        """Write down that a sheet is rejected, and keep its pictures while there is room for them."""
        packed = pack_files(sheet_files(reading))
        with self._at_work() as work:
            kept = work.state.returned < self._settings.shape.returned and work.state.pending is None
            kept = kept and work.state.polls is Polls.OPEN
            boxes = [medium.open_box() for medium in work.media] if kept else []
            kept = kept and all(len(packed) <= box.capacity and box.free > 0 for box in boxes)
            event = LogEvent("sheetReturned", {"why": "rejected"})
            if kept:
                self._put(work, SheetKind.RETURNED, packed)
                self._write(work, replace(work.state, returned=work.state.returned + 1), event)
                self._settle(work)
            else:
                self._write(work, work.state, event)
            return self._books(work)

    def open_polls(self) -> Books:
        """Let sheets be accepted."""
        with self._at_work() as work:
            if work.state.polls is Polls.CLOSED:
                raise _RefusedError("pollsClosed", "the polls of this election were closed for good on this device")
            events = [LogEvent("pollsOpened", {"count": work.state.cast})]
            if work.state.polls is Polls.NEW:
                self._zero_check(work)
                events.insert(0, LogEvent("zeroCheck"))
            if work.state.polls is not Polls.OPEN:
                self._write(work, replace(work.state, polls=Polls.OPEN), *events)
            return self._books(work)

    def pause_polls(self) -> Books:
        """Accept no sheets for now."""
        with self._at_work() as work:
            if work.state.polls is Polls.OPEN:
                event = LogEvent("pollsPaused", {"count": work.state.cast})
                self._write(work, replace(work.state, polls=Polls.PAUSED), event)
            return self._books(work)

    def note(self, events: Sequence[LogEvent]) -> Books:
        """Write events into the log."""
        with self._at_work() as work:
            self._write(work, work.state, *events)
            return self._books(work)

    def tend(self) -> Books:
        """Sign what has waited long enough, keep the write-ahead log short, look at the clock and at the room that is left."""
        with self._at_work() as work:
            now = self._clock.read()
            drift = now.wall_ms - now.monotonic_ms - work.offset_ms
            if abs(drift) > _CLOCK_STEP_MS:
                work.offset_ms += drift
                self._write(work, work.state, LogEvent("clockChanged", {"byMs": drift, "before": _wall(now.wall_ms - drift)}))
            if work.frontier.size > work.signed and now.monotonic_ms - work.signed_at >= CHECKPOINT_MS:
                self._sign(work)
            self._each(work, lambda medium: medium.log.tidy() if medium.log.ahead_bytes() > _LARGE_LOG else None)
            self._look_at_room(work)
            return self._books(work)

    def close(self) -> None:
        """Let go of the media."""
        if self._open is not None:
            self._open.close()
            self._open = None

    # What an export and the closing of the polls ask.

    def opened(self) -> Opened:
        """The open evidence, for reading; a StoreError when it is not open."""
        if self._open is None:
            raise StoreError("storeUnavailable", "the evidence is not open")
        return self._open

    def checkpoint(self) -> None:
        """Sign the log as it is, unless that was done."""
        with self._at_work() as work:
            if work.frontier.size > work.signed:
                self._sign(work)

    def close_polls(self, counted: LogState, roots: dict[SheetKind, bytes], notes: dict[str, bytes]) -> None:
        """Close the polls for good: the roots of all sets into the log, their signed notes beside it, in one transaction.

        Args:
            counted: The state for which the roots were computed.
            roots: Root over the sheets of each kind; of tally sheets only where forms are read.
            notes: Signed notes over them, by name.

        Raises:
            StoreError: pollsOpen while the polls are open or a sheet is pending, storeBehind when sheets came in between.
        """
        with self._at_work() as work:
            if work.state.polls is Polls.OPEN or work.state.pending is not None:
                raise _RefusedError("pollsOpen", "the polls are open; turn the key switch first")
            if work.state.polls is Polls.CLOSED:
                raise _RefusedError("pollsClosed", "the polls were closed before")
            if any(counted.kept(kind) != work.state.kept(kind) for kind in SheetKind):
                raise _RefusedError("storeBehind", "the station went on meanwhile; try again")
            told = {kind: base64.b64encode(root).decode() for kind, root in roots.items()}
            fields: dict[str, Value] = {
                "count": counted.cast,
                "returned": counted.returned,
                "castRoot": told[SheetKind.CAST],
                "returnedRoot": told[SheetKind.RETURNED],
            }
            events = [LogEvent("pollsClosed", fields)]
            if SheetKind.TALLY in told:
                about: dict[str, Value] = {"tallySheets": counted.tallied, "tallyRoot": told[SheetKind.TALLY]}
                events.insert(0, LogEvent("tallySetClosed", about))
            self._write(work, replace(work.state, polls=Polls.CLOSED), *events, notes=notes)

    def sign(self, text: str) -> bytes:
        """A note, signed by the log's key."""
        return sign_note(text, self.opened().signer)

    # How.

    def _read(self) -> Books:
        try:
            work = open_evidence(self._settings, self._package, self._software, self._clock, self._progressed)
        except KeyFileError as error:
            raise StoreError(error.code, error.detail) from error
        self._open = work
        try:
            self._begin(work)
            return self._books(work)
        except KeyFileError as error:
            self.close()
            raise StoreError(error.code, error.detail) from error
        except BaseException:
            self.close()
            raise

    def _begin(self, work: Opened) -> None:
        """What is to be said about evidence that was just opened; a visitor says nothing."""
        now = self._clock.read()
        work.offset_ms, work.signed_at = now.wall_ms - now.monotonic_ms, now.monotonic_ms
        events = [LogEvent("evidenceRecovered", {"medium": name}) for name in work.caught_up]
        events += [LogEvent("mediumLost", {"medium": name}) for name in work.lost]
        if work.state.pending is not None:
            events.append(LogEvent("sheetFoundPending", {"stage": str(work.state.pending)}))
        if events and not self._settings.visiting:
            self._write(work, work.state, *events)
        if work.signed == 0:
            self._sign(work)
        if not self._settings.visiting:
            work.anchors.make_latest()
            self._look_at_room(work)
        self._tell_losses(work)

    def _look_at_room(self, work: Opened) -> None:
        """Note the media that are nearly full."""
        low: set[str] = set()
        self._each(work, lambda medium: low.add(medium.name) if medium.free_bytes() < self._settings.reserve else None)
        for name in sorted(low - work.low):
            self._write(work, work.state, LogEvent("mediumLow", {"medium": name}))
        work.low = low

    @contextmanager
    def _at_work(self) -> Iterator[Opened]:
        """The open evidence, as other processes have left it; after a failure it is opened anew."""
        with locked(self._settings.keys, make=self._open is None and not self._settings.visiting):
            if self._open is None:
                self._read()
            work = self.opened()
            try:
                self._follow(work)
                yield work
                self._tell_losses(work)
            except _RefusedError:
                raise
            except KeyFileError as error:
                self.close()
                raise StoreError(error.code, error.detail) from error
            except BaseException:
                self.close()
                raise

    def _tell_losses(self, work: Opened) -> None:
        """Write down which media were lost, now that what they were lost in is done."""
        if self._owed:
            owed, self._owed = self._owed, []
            self._write(work, work.state, *owed)

    def _follow(self, work: Opened) -> None:
        """Take over what another process has written since."""
        states: dict[str, LogState] = {}
        self._each(work, lambda medium: states.__setitem__(medium.name, medium.log.state()))
        ahead = max((states[medium.name] for medium in work.media), key=lambda state: state.revision)
        if ahead == work.state:
            return
        for medium in [medium for medium in work.media if states[medium.name] != ahead]:
            self._lose(work, medium, StoreError("storeBehind", f"{medium.folder} is behind"))
        work.state = ahead
        work.frontier = Frontier.of(work.media[0].log.leaves())
        work.signed = max(work.media[0].log.checkpoints(), default=0)

    def _write(self, work: Opened, state: LogState, *events: LogEvent, notes: dict[str, bytes] | None = None) -> None:
        """One transaction on every medium, and a checkpoint when one is due after it."""
        now = self._clock.read()
        after = replace(state, revision=work.state.revision + 1)
        entries = [entry_bytes(event, number, now) for number, event in enumerate(events, work.frontier.size)]
        change = Change(after, [(entry, leaf_hash(entry)) for entry in entries], notes=notes or {})
        self._each(work, lambda medium: medium.log.write(change))
        work.state = after
        for _, leaf in change.entries:
            work.frontier.append(leaf)
        if any(event.id in _SIGNED_AFTER for event in events) or work.frontier.size - work.signed >= CHECKPOINT_EVENTS:
            self._sign(work)

    def _sign(self, work: Opened) -> None:
        """Sign the log, which is durable on every medium; the device remembers the checkpoint before anybody sees it."""
        size = work.frontier.size
        note = sign_note(Checkpoint(work.signer.verifier.name, size, work.frontier.root()).text, work.signer)
        work.anchors.remember(note)
        after = replace(work.state, revision=work.state.revision + 1)
        self._each(work, lambda medium: medium.log.write(Change(after, checkpoints={size: note})))
        work.state, work.signed, work.signed_at = after, size, self._clock.read().monotonic_ms

    def _each(self, work: Opened, do: Callable[[Medium], object]) -> None:
        """Do something on every medium; one that fails is left out, unless it was the last."""
        for medium in tuple(work.media):
            try:
                do(medium)
            except StoreError as error:
                self._lose(work, medium, error)

    def _lose(self, work: Opened, medium: Medium, error: StoreError) -> None:
        if len(work.media) == 1:
            raise error
        work.media.remove(medium)
        # Before anything else is told to the one that is left, so that the lost one can never lead.
        work.anchors.note_media([left.number for left in work.media])
        work.lost.append(medium.name)
        self._owed.append(LogEvent("mediumLost", {"medium": medium.name}))
        medium.close()

    def _pending_sheet(self, work: Opened) -> tuple[uuid.UUID, SheetKind]:
        """Id and kind of the pending sheet."""
        first = work.media[0]
        if first.pending is None:
            raise StoreError("storeCorrupt", f"{first.folder}: the pending sheet has no slot")
        entry = first.open_box().entries[first.pending]
        return entry.id, entry.kind

    def _put(self, work: Opened, kind: SheetKind, packed: bytes) -> None:
        identity = random_id()

        def put(medium: Medium) -> None:
            medium.pending = medium.open_box().put(identity, kind, packed)

        self._each(work, put)

    def _settle(self, work: Opened) -> None:
        self._on_pending(work, lambda medium, slot: medium.open_box().settle(slot))

    def _on_pending(self, work: Opened, do: Callable[[Medium, int], None]) -> None:
        def done(medium: Medium) -> None:
            if medium.pending is None:
                raise StoreError("storeCorrupt", f"{medium.folder}: the pending sheet has no slot")
            do(medium, medium.pending)
            medium.pending = None

        self._each(work, done)

    def _check_room(self, work: Opened, packed: bytes, kind: SheetKind) -> None:
        if self._room(work) < 1:
            raise _RefusedError("storeFull", f"there is no room for another {kind} sheet")
        capacity = min(medium.open_box().capacity for medium in work.media)
        if len(packed) > capacity:
            raise _RefusedError("sheetTooLarge", f"the sheet takes {len(packed)} bytes, a slot has {capacity}")

    def _zero_check(self, work: Opened) -> None:
        if work.state.cast or work.state.tallied or any(medium.open_box().entries for medium in work.media):
            raise StoreError("storeCorrupt", "the ballot box is not empty before the polls have opened")

    def _room(self, work: Opened) -> int:
        if work.state.polls is Polls.CLOSED or all(medium.name in work.low for medium in work.media):
            return 0
        room = self._settings.shape.cast - work.state.cast - work.state.tallied - (work.state.pending is not None)
        return max(0, min(room, *(medium.open_box().free for medium in work.media)))

    def _books(self, work: Opened) -> Books:
        alarms = (*(["mediumLost"] if work.lost else []), *(["mediumLow"] if work.low else []))
        state = work.state
        return Books(state.cast, state.pending, self._room(work), state.polls, alarms, state.tallied)


def _wall(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
