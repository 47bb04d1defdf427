"""What must hold of evidence that is opened after a cut, against what was promised before it.

The evidence is opened as the station opens it, and then what that has made of it is read behind its back. It is opened once more:
a second opening has nothing left to mend. It goes on for one sheet and signs, and nothing that was signed before may contradict
that. One of two media may be away meanwhile, and come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from edge.evidence.events import LogEvent
from edge.evidence.opening import NAMES, day_key_label
from edge.evidence.sheet_files import sheet_files
from edge.evidence.store import Books, Polls, StoreError
from hil.crash.found import RawLog
from hil.crash.ledger import OF_RECOVERY, Held, Promise
from hil.crash.look import CrashError, Found, agreed, check_signed, event_ids, look, opened, tree_roots
from hil.crash.world import KEYS, World, content_of, sheet
from hil.cuts.materialise import delete_folder

NEXT_SHEET = "a sheet after the cut"
_AWAY = "away"
_REFUSALS = frozenset({"mediumBehind", "logBehind", "logMissing", "storeUnavailable"})
"""How a station says that the medium it needs is not there."""


@dataclass(frozen=True, slots=True)
class Station:
    """A station after a cut.

    Attributes:
        world: How its evidence is opened.
        folder: Where its evidence is.
        label: Which election it is for.
        promise: What must hold.
        visiting: Whether another election came after this one.
        loses_media: Whether a medium may just be being lost, so that the other one alone need not be enough.
    """

    world: World
    folder: Path
    label: str
    promise: Promise
    visiting: bool = False
    loses_media: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the media that are there: the first is made where it is missing, the second then is not plugged in."""
        return tuple(name for name in NAMES[: self.world.media] if name == NAMES[0] or (self.folder / name).exists())

    @property
    def origin(self) -> str:
        """The log's name."""
        return f"{self.world.device}/{self.label}"

    def found(self, *, logs_only: bool = False) -> Found:
        """Look at the evidence."""
        return look(self.folder, self.names, self.label, self.origin, logs_only=logs_only)


def check(
    world: World, folder: Path, promises: Mapping[str, Promise], *, away: str | None = None, loses_media: bool = False
) -> None:
    """Open the evidence in this folder and hold it against what was promised. It is changed by that.

    Args:
        world: How it is opened.
        folder: Where it is.
        promises: By the label of the log.
        away: A medium that is not there at the first opening.
        loses_media: See `Station`.

    Raises:
        CrashError: a promise is broken.
        StoreError: it cannot be opened.
    """
    labels = [label for label in world.logs if label in promises] or list(world.logs)[:1]
    stations = [
        Station(world, folder, label, promises.get(label, Promise()), label != labels[-1], loses_media)
        for label in reversed(labels)
    ]
    for station in stations:
        if away is None:
            _check(station)
        elif not station.visiting:
            _check_without(station, away)


def _check(station: Station) -> None:
    before = station.found(logs_only=True)
    released = _released(station, before)
    first, books, names = _open(station)
    log, held = _hold(station, first, books, names, released)
    for name in set(station.names) - set(names):
        if not station.loses_media or station.promise.certain or not _is_ahead(before, name, names[0]):
            raise CrashError(f"after recovery the {name} medium is not in use")
    if names != station.names:
        # By the second opening the other one may have gone far enough to take it in again.
        first, books, names = _open(station)
        log, held = _hold(station, first, books, names, released)
    _go_on(station, first, log, held, released)


def _is_ahead(before: Found, name: str, leader: str) -> bool:
    """Whether a medium had something that the one in use never got: it was left out in the very call that the cut ended.

    That was not acknowledged, and may contradict what comes: the medium stays out until a person empties it.
    """
    revisions = {medium: int(str(log.state[1])) for medium, log in before.logs.items()}
    return revisions[name] > revisions[leader]


def _check_without(station: Station, away: str) -> None:
    """A medium is away, the station goes on or refuses to; the medium comes back."""
    released = _released(station, station.found(logs_only=True))
    folder, hidden = station.folder / away, station.folder / _AWAY
    left = next(name for name in NAMES if name != away)
    if folder.exists():
        folder.rename(hidden)
    try:
        first, books, names = _open(station)
    except StoreError as error:
        if error.code not in _REFUSALS or _must_open(station, left):
            raise
        return
    log, held = _hold(station, first, books, names, released)
    after = _go_on(station, first, log, held, released)
    if not station.promise.is_begun:
        # Then it was begun anew.
        return
    if left not in names:
        raise CrashError(f"the {away} medium is away, and the {left} one is not in use")
    if not hidden.exists():
        return
    if folder.exists():
        # The first medium was made anew.
        delete_folder(folder)
    hidden.rename(folder)
    back = replace(station, promise=replace(after, certain=True))
    second, books, names = _open(back)
    if left not in names:
        raise CrashError(f"the {away} medium came back, and the {left} one, which went on, is not in use")
    if names != station.names and station.promise.certain:
        raise CrashError(f"the {away} medium came back, was not ahead, and is not in use")
    _hold(back, second, books, names, released)


def _must_open(station: Station, left: str) -> bool:
    return left in station.promise.media and (station.promise.certain or not station.loses_media)


def _released(station: Station, found: Found) -> tuple[bytes, ...]:
    """Every checkpoint that somebody may have seen before the cut. The device remembers the last of them."""
    seen = {note for log in found.logs.values() for note in log.checkpoints.values()} | set(station.promise.signed.values())
    if seen:
        key = next(iter(found.logs.values())).facts["key"].decode() if found.logs else station.promise.key or ""
        last = max(opened(note, key).size for note in seen)
        if found.anchor is None or opened(found.anchor, key).size < last:
            raise CrashError(f"a checkpoint over {last} entries was signed, and the device does not remember it")
        seen.add(found.anchor)
    return tuple(seen)


def _open(station: Station) -> tuple[Found, Books, tuple[str, ...]]:
    """What is there when the store has opened it, what the store says, and the media that are in use, in order."""
    with closing(station.world.store(station.folder, station.label, visiting=station.visiting)) as store:
        books = store.read()
        used = {medium.name for medium in store.opened().media}
    return station.found(), books, tuple(name for name in station.names if name in used)


def _hold(
    station: Station, found: Found, books: Books, names: tuple[str, ...], released: tuple[bytes, ...]
) -> tuple[RawLog, Held | None]:
    """Hold what is there against the promise."""
    promise = station.promise
    log, held = agreed(found, names)
    _, _, cast, returned, pending, polls, _ = log.state
    said = (books.count, books.pending, books.polls)
    if said != (cast, pending, polls):
        raise CrashError(f"the store says {said}, its log {(cast, pending, polls)}")
    if books.count < promise.shown:
        raise CrashError(f"people saw a count of {promise.shown}, now it is {books.count}")
    if held is not None and held not in promise.possible:
        raise CrashError(f"{_told(held)} is there, expected {' or '.join(_told(wanted) for wanted in promise.possible)}")
    if held is None:
        told = {"count": cast, "returned": returned, "pending": pending, "polls": polls}
        if not promise.key_may_be_gone or not any(wanted.is_as_told(told) for wanted in promise.possible):
            raise CrashError(f"the key of the box is gone, and there is {told}")
    _hold_log(promise, log)
    _hold_keys(station, log)
    check_signed(log, released)
    if found.anchor is None:
        raise CrashError("the device remembers no checkpoint")
    check_signed(log, [found.anchor])
    if opened(found.anchor, log.facts["key"].decode()).size < max(log.checkpoints):
        raise CrashError("the device does not remember the last checkpoint")
    lost = [size for size, note in promise.signed.items() if log.checkpoints.get(size) != note]
    if lost and names == station.names:
        raise CrashError(f"signed checkpoints are missing: {lost}")
    return log, held


def _hold_log(promise: Promise, log: RawLog) -> None:
    roots = tree_roots(log.leaves)
    if len(log.entries) < promise.size or (promise.size and roots[promise.size] != promise.root):
        raise CrashError(
            f"{promise.size} entries of the log were acknowledged, and they are not the first of these {len(log.entries)}"
        )
    if promise.events is not None:
        strange = set(event_ids(log.entries[promise.size :])) - promise.events - OF_RECOVERY
        if strange:
            raise CrashError(f"the log tells of {strange}, for which nobody has asked")


def _hold_keys(station: Station, log: RawLog) -> None:
    promise = station.promise
    if promise.key is not None and log.facts["key"].decode() != promise.key:
        raise CrashError("the log is signed with another key than was acknowledged")
    if promise.day_key is None:
        return
    keys = station.folder / KEYS
    there = (keys / f"day-{day_key_label(station.label)}.key").exists()
    if there and promise.key_must_be_gone:
        raise CrashError("the key of the box was discarded and is back")
    copies = [path.name for path in keys.iterdir() if promise.day_key in path.read_bytes()]
    if len(copies) != there:
        raise CrashError(f"the key of the box is in {copies}")


def _told(held: Held) -> str:
    pending = None if held.pending is None else f"{held.pending[0][:6]} {held.pending[1]}"
    cast, returned = ([sheet[:6] for sheet in sheets] for sheets in (held.cast, held.returned))
    return f"(box {cast}, returned {returned}, pending {pending}, polls {held.polls})"


def _compare(station: Station, first: Found, second: Found, log: RawLog, names: tuple[str, ...]) -> None:
    """A second opening changes nothing but that it says again that a sheet is pending or a medium lost."""
    again, _ = agreed(second, names)
    if second.boxes != first.boxes:
        raise CrashError("a second opening has changed a box")
    added = event_ids(again.entries[len(log.entries) :])
    said = {"sheetFoundPending"} if log.state[4] is not None else set()
    said |= {"mediumLost"} if len(names) < station.world.media else set()
    if not said and (second.logs != first.logs or second.anchor != first.anchor):
        raise CrashError(f"a second opening has changed the log: {added}")
    if again.entries[: len(log.entries)] != log.entries or set(added) - said or again.state[2:] != log.state[2:]:
        raise CrashError(f"a second opening has changed the log: {added}")


def _go_on(station: Station, first: Found, log: RawLog, held: Held | None, released: tuple[bytes, ...]) -> Promise:
    """Open the evidence again, accept another sheet, if the polls are not closed for good, and sign; gives the promise then."""
    reading = sheet(NEXT_SHEET)
    content = content_of(sheet_files(reading))
    visiting = station.visiting or held is None or held.polls is Polls.CLOSED
    with closing(station.world.store(station.folder, station.label, visiting=station.visiting)) as store:
        store.read()
        names = tuple(name for name in station.names if name in {medium.name for medium in store.opened().media})
        if not station.visiting:
            _compare(station, first, station.found(), log, names)
        if visiting or held is None:
            store.note([LogEvent("exportBegun", {"kind": "interim"})])
        else:
            if held.pending is not None:
                # Either may be the truth; where the sheet is says something about neither.
                call = "commit" if len(held.cast) % 2 else "erase"
                store.commit() if call == "commit" else store.erase()
                held = held.after(call, {})
            books = store.open_polls()
            held = held.after("open_polls", {})
            if books.room:
                store.write_pending(reading)
                held = held.after("write_pending", {"content": content})
                store.commit()
                held = held.after("commit", {})
        store.checkpoint()
    again, now = agreed(station.found(), names)
    if now != held:
        raise CrashError("the store went on, and the box holds something else")
    if again.entries[: len(log.entries)] != log.entries:
        raise CrashError("the store went on, and the log has another beginning")
    check_signed(again, (*released, *log.checkpoints.values()))
    if len(again.entries) not in again.checkpoints:
        raise CrashError("the store went on and did not sign")
    possible = (now,) if now is not None else station.promise.possible
    roots = tree_roots(again.leaves)
    return replace(
        station.promise,
        possible=possible,
        events=frozenset(),
        size=len(again.entries),
        root=roots[len(again.entries)],
        signed=dict(again.checkpoints),
    )
