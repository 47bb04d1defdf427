"""Every kind of fault at every moment at which it can strike: the station says something plausible, and people bring it back.

All pairs take minutes; by default a sample is run that changes with the code under test. SCRUTINEER_FAULTS=all runs them all,
SCRUTINEER_FAULTS=7 sample number 7.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from edge.definition.election import Election
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.faults import Command, Fault, Now
from hil.scanner.paper import IllegalMove, Place
from hil.scanner.sheet import Sheet
from hil.soak.poll_worker import wipe_sensors
from hil.soak.pool import election
from tests.conftest import ROOT
from tests.faults.kinds import KINDS, Kind
from tests.faults.moments import MOMENTS, UNEVENTFUL, Moment
from tests.faults.stage import INCHES, Stage, stage

_FLAG = "SCRUTINEER_FAULTS"
_SAMPLE = 110
_PAIRS = [(kind, moment) for kind in KINDS for moment in MOMENTS if moment.name not in kind.not_at]


def _chosen() -> list[tuple[Kind, Moment]]:
    wanted = os.environ.get(_FLAG, "")
    if wanted == "all":
        return _PAIRS
    if wanted:
        number = int(wanted)
    else:
        code = sorted(path for folder in ("edge/station", "firmware_bridge") for path in (ROOT / folder).rglob("*.py"))
        number = zlib.crc32(b"".join(path.read_bytes() for path in code))
    return Random(number).sample(_PAIRS, _SAMPLE)


@pytest.fixture(scope="module")
def ballots() -> Election:
    return election()


@pytest.mark.parametrize(("kind", "moment"), [pytest.param(*pair, id=f"{pair[0].name}-{pair[1].name}") for pair in _chosen()])
def test_people_bring_the_station_back_and_the_count_is_the_box(
    kind: Kind, moment: Moment, tmp_path: Path, ballots: Election
) -> None:
    fault = kind.make(moment.trigger, Sheet.blank("second", inches=INCHES))
    at_start = moment.trigger == Command(b"V")

    def prepare(scanner: EmulatedScanner) -> None:
        if at_start:
            scanner.inject(fault)

    with stage(tmp_path, ballots, prepare) as world:
        if at_start:
            world.station.rig.wait_for("waiting", "disconnected", "cover_open", "returned", "jammed", "fault", "holding")
        else:
            world.rest()
            _strike(world, fault, moment)
        document = world.rest()
        world.assert_books(document)
        allowed = UNEVENTFUL | kind.allowed
        assert world.visited() <= allowed | moment.also
        _next_sheets(world, allowed)


def _strike(world: Stage, fault: Fault, moment: Moment) -> None:
    world.reader.kind = moment.kind
    if moment.name == "interpreting":
        world.reader.gate.clear()
    by_itself = not isinstance(moment.trigger, Now)
    if by_itself:
        world.scanner.inject(fault)
    if moment.sheet:
        world.insert()
    moment.reach(world)
    if not by_itself:
        # A machine that is busy elsewhere may have let the moment pass.
        with suppress(IllegalMove):
            world.scanner.inject(fault)
    moment.leave(world)


def _next_sheets(world: Stage, allowed: frozenset[tuple[str, str | None]]) -> None:
    """A fault can have waited for the next sheet; the one after that must be accepted as if nothing had been."""
    world.reader.kind = "accept"
    wipe_sensors(world.scanner)
    for last in (False, True):
        begun, count = len(world.station.rig.watch.documents), world.worker.boxed
        world.insert()
        document = world.rest()
        world.assert_books(document)
        visited = world.visited(begun)
        if document.count == count + 1 and visited <= UNEVENTFUL:
            return
        assert not last, f"the second sheet was not simply accepted: {visited - UNEVENTFUL}"
        assert visited <= allowed
        wipe_sensors(world.scanner)


def test_every_fault_that_the_scanner_knows_is_in_the_matrix() -> None:
    made = {type(kind.make(Now(), Sheet.blank("second", inches=INCHES))).__name__ for kind in KINDS}
    assert made == {fault.__name__ for fault in Fault.__subclasses__()}


def test_the_truth_is_what_the_matrix_is_held_against(tmp_path: Path, ballots: Election) -> None:
    with stage(tmp_path, ballots) as world:
        world.rest()
        world.insert()
        document = world.rest()
        world.assert_books(document)
        assert document.count == 1
        assert list(world.scanner.describe().places.values()) == [Place.BOX]
