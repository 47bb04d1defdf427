"""Going through the cuts of a session: as many as were asked for, some at every operation, each on disk and checked.

Of two media one is away in some of the checks. The opening of what a cut has left is itself recorded and cut.
"""

from __future__ import annotations

import random
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from hil.crash.session import Session, in_memory
from hil.crash.witness import MarkingStore
from hil.cuts.images import Cut, images
from hil.cuts.materialise import Materialiser, delete_folder
from hil.cuts.record import record
from hil.cuts.survey import Failure, keep_image

_AWAY_EVERY = 4
CUTS_OF_EACH = 24
"""Of each of many short sessions so many cuts are checked."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for a session.

    Attributes:
        name: Of the session.
        operations: How many the recording has.
        distinct: Cut points that differ in what is found or in what was promised before.
        images: How many of them differ in what is found.
        checked: How many were checked.
        checks: How often something was checked: a second time where a medium is away.
        failures: Those that failed.
        seconds: How long it took.
    """

    name: str
    operations: int
    distinct: int
    images: int
    checked: int
    checks: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(slots=True)
class _Tally:
    distinct: int = 0
    checked: int = 0
    checks: int = 0


def go_through(
    session: Session, limit: int | None = None, *, seed: int = 0, keep: Path | None = None, most_failures: int | None = None
) -> Result:
    """Check the cuts of a session.

    Args:
        session: A recorded one.
        limit: So many, spread evenly over the operations; None: all.
        seed: Decides which, and those that are drawn by chance.
        keep: Where each failed cut is put, as it was before it was opened.
        most_failures: Stop after so many.
    """
    begun = time.monotonic()
    failures: list[Failure] = []
    tally, seen = _Tally(), set[bytes]()
    moments = len(session.recording.operations) + 1 - session.since
    chance = random.Random(seed)
    with _scratch_folders(session) as targets:
        materialiser = Materialiser(targets)
        for index, group in groupby(images(session.recording, seed), key=lambda cut: cut.index):
            if index < session.since:
                continue
            cuts = list(group)
            tally.distinct += len(cuts)
            seen.update(cut.image.fingerprint for cut in cuts)
            due = len(cuts) if limit is None else max(0, round(limit * (index + 1 - session.since) / moments) - tally.checked)
            if most_failures is not None and len(failures) >= most_failures:
                break
            for cut in cuts if due >= len(cuts) else chance.sample(cuts, due):
                tally.checked += 1
                for check in _checks(session, tally.checked):
                    tally.checks += 1
                    materialiser.put(cut.image)
                    failure = _failure(check, targets, cut)
                    if failure is not None:
                        failures.append(failure)
                        if keep is not None:
                            keep_image(cut, keep / session.name.replace(" ", "-") / cut.name)
    seconds = time.monotonic() - begun
    return Result(session.name, moments - 1, tally.distinct, len(seen), tally.checked, tally.checks, tuple(failures), seconds)


def recoveries(session: Session, count: int, *, seed: int = 0) -> Iterator[Session]:
    """Record how cuts of a session are recovered from: openings that can be cut again.

    Args:
        session: A recorded one.
        count: How many, of every call that can be under way.
        seed: Decides which.
    """
    by_call: dict[str, list[Cut]] = {}
    chance = random.Random(seed)
    seen = 0
    for cut in images(session.recording, seed):
        running = [promise.running for promise in session.promises(cut).values() if promise.running is not None]
        if running:
            # Some of each call, drawn evenly as they come by.
            seen += 1
            kept = by_call.setdefault(running[0], [])
            if len(kept) < count:
                kept.append(cut)
            elif (place := chance.randrange(seen)) < count:
                kept[place] = cut
    calls = sorted(by_call)
    for number in range(count):
        call = calls[number % len(calls)]
        if by_call[call]:
            yield _recovery(session, by_call[call].pop(chance.randrange(len(by_call[call]))), call)


def go_through_all(name: str, sessions: Iterator[Session], *, seed: int = 0, keep: Path | None = None) -> Result:
    """Check a few cuts of each of many short sessions, and add up what came out."""
    results = [go_through(session, CUTS_OF_EACH, seed=seed, keep=keep) for session in sessions]
    return Result(
        f"{len(results)} {name}",
        sum(result.operations for result in results),
        sum(result.distinct for result in results),
        sum(result.images for result in results),
        sum(result.checked for result in results),
        sum(result.checks for result in results),
        tuple(failure for result in results for failure in result.failures),
        sum(result.seconds for result in results),
    )


def _recovery(session: Session, cut: Cut, call: str) -> Session:
    """The opening of what a cut has left, as the station does it."""
    labels = list(session.promises(cut))
    label = labels[-1]
    with tempfile.TemporaryDirectory(dir=in_memory()) as scratch:
        folder = Path(scratch) / "world"
        cut.write_to({session.root: folder})
        with record(folder) as recording:
            store = session.world.store(folder, label)
            settings = session.world.settings(folder, label)
            with closing(MarkingStore(store, session.world.logs[label], settings, recording.mark)) as marking:
                marking.read()
    before = (*session.before, *cut.marks)
    return Session(f"recovery after {cut.name} in {call}", session.world, recording, before, session.loses_media)


def _checks(session: Session, number: int) -> Iterator[Callable[[Mapping[Path, Path], Cut], None]]:
    yield session.check
    if session.world.media > 1 and number % _AWAY_EVERY == 0:
        away = "first" if number % (2 * _AWAY_EVERY) else "second"
        yield lambda targets, cut: session.check(targets, cut, away)


def _failure(check: Callable[[Mapping[Path, Path], Cut], None], targets: Mapping[Path, Path], cut: Cut) -> Failure | None:
    try:
        check(targets, cut)
    except Exception as error:  # noqa: BLE001  whatever a check raises is its verdict
        return Failure(cut, f"{type(error).__name__}: {error}", traceback.format_exc())
    return None


@contextmanager
def _scratch_folders(session: Session) -> Iterator[dict[Path, Path]]:
    folder = Path(tempfile.mkdtemp(prefix="crash-", dir=in_memory()))
    try:
        yield {session.root: folder / "world"}
    finally:
        delete_folder(folder)
