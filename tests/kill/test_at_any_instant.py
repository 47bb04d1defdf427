"""Killed at instants that nobody chose, sheet after sheet, in one evidence."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from hil.scanner.knobs import Timings
from tests.kill.bench import bench

KILLS = 10
TIMINGS = Timings(grab=0.02, scan=0.08, eject=0.15, eject_limit=0.5, command=0.002, boot=0.05)
CYCLE = 0.6
"""Seconds from a sheet in the mouth to one in the box, and a little more."""


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_instant_every_sheet_in_the_box_is_counted_once(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    with bench(tmp_path, TIMINGS) as world:
        for _ in range(KILLS):
            name = world.put()
            time.sleep(rng.uniform(0, CYCLE))
            world.crash(dark=rng.random() < 0.5)
            world.see(lambda status: status.motion in {"still", "off"})
            world.restart()
            said = world.station.wait_for("waiting", "returned")
            if said.state == "returned":
                assert world.scanner.remove() == (name,)
                world.station.wait_for("waiting")
            assert (said.count, world.signalled <= said.count) == (world.boxed, True)
        world.goes_on(world.boxed)
