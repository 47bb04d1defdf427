"""A short day: every fifth sheet meets a mishap, and the count is the box after each; and what the soak itself promises."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hil.rig.evidence import rig_store
from hil.soak.__main__ import main
from hil.soak.measures import Measure, Meter
from hil.soak.pool import Ballot, make_pool
from hil.soak.soak import Mismatch, soak

SHEETS = 120


@pytest.fixture(scope="module")
def pool() -> list[Ballot]:
    return make_pool({"accept": 3, "hold": 2, "return": 2})


def test_a_short_day(tmp_path: Path, pool: list[Ballot]) -> None:
    tally, meter = soak(tmp_path, sheets=SHEETS, seed=7, rate=0.2, pool=pool, warm_up=SHEETS // 2)
    assert tally.sheets == SHEETS
    assert tally.ends["accept", "box"] > SHEETS // 5
    assert tally.ends["return", "box"] == 0
    boxed = sum(times for (_, place), times in tally.ends.items() if place == "box")
    with closing(rig_store(tmp_path)) as store:
        books = store.read()
    # Sheets that were pushed in behind others are counted where they were accepted, and nobody notes their end.
    assert boxed <= books.count <= boxed + tally.mishaps["second sheet"]
    assert books.pending is None
    assert books.alarms == ()
    assert not meter.leaks()


def test_a_shorter_day_over_usbip(tmp_path: Path, pool: list[Ballot]) -> None:
    tally, _ = soak(tmp_path, sheets=15, seed=3, rate=0.2, usbip=True, pool=pool)
    assert tally.sheets == 15


def test_a_sheet_that_nobody_counted_is_a_mismatch(tmp_path: Path, pool: list[Ballot], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.soak.poll_worker.PollWorker.boxed", property(lambda _: 3))
    with pytest.raises(Mismatch, match="the count is 0, in the box are 3"):
        soak(tmp_path, sheets=1, seed=1, rate=0, pool=pool)


def test_growth_is_a_leak() -> None:
    meter = Meter(warm_up=100, most_growth_kb=1000, most_objects=100)
    meter.measures = [
        Measure(sheets=100, seconds=1, rss_kb=5000, objects=700, threads=8, descriptors=9),
        Measure(sheets=200, seconds=2, rss_kb=6500, objects=900, threads=9, descriptors=9),
        Measure(sheets=300, seconds=3, rss_kb=5000, objects=700, threads=8, descriptors=11),
    ]
    assert meter.leaks() == [
        "rss_kb has grown by 1500 after 100 sheets; 1000 are allowed",
        "objects has grown by 200 after 100 sheets; 100 are allowed",
        "descriptors have grown from 9 to 11",
    ]


def test_the_command_says_what_it_saw(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.soak.soak.make_pool", lambda: make_pool({"accept": 1, "hold": 0, "return": 0}))
    assert main(["--sheets", "3", "--rate", "0"]) == 0
    out = capsys.readouterr().out
    assert "3 sheets" in out
    assert "the count was the box after each of 3 sheets" in out
