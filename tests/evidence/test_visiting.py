"""A second process at the same evidence, as an export or the close is, while the station is at work."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from edge.evidence.archive import SheetKind
from edge.evidence.events import LogEvent
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.store import Books, PendingStage, Polls
from tests.conftest import ROOT
from tests.evidence.breaking import Breaking
from tests.evidence.keeping import (
    PACKAGE,
    SHAPE,
    SOFTWARE,
    SetClock,
    cast,
    code,
    ids,
    logged,
    opened,
    plug,
    reading,
    same_media,
    settings,
    store,
    texts,
    unplug,
)

ROOTS = {SheetKind.CAST: bytes(32), SheetKind.RETURNED: bytes(32)}


@pytest.mark.parametrize("media", [1, 2])
def test_a_visitor_sees_what_there_is_and_leaves_no_word(quick_path: Path, media: int) -> None:
    with opened(quick_path, media) as station:
        station.open_polls()
        cast(station, "one")
        station.write_pending(reading("two"))
        before = ids(station)
        with opened(quick_path, media, visiting=True) as visitor:
            assert visitor.read() == Books(1, PendingStage.ACCEPTING, SHAPE.cast - 2, Polls.OPEN, ())
            assert texts(visitor) == ["one"]
        assert ids(station) == before
        assert station.commit().count == 2
        same_media(station)


@pytest.mark.parametrize("media", [1, 2])
def test_both_write_in_turn_into_one_log(quick_path: Path, media: int) -> None:
    with opened(quick_path, media) as station, opened(quick_path, media, visiting=True) as visitor:
        station.open_polls()
        visitor.note([LogEvent("exportBegun", {"kind": "interim"})])
        cast(station, "one")
        station.write_pending(reading("two"))
        visitor.note([LogEvent("exportMade", {"kind": "interim"})])
        assert station.commit().count == 2
        visitor.note([LogEvent("exportBegun", {"kind": "interim"})])
        station.erase()
        assert ids(station) == [
            *("logOpened", "zeroCheck", "pollsOpened", "exportBegun", "sheetAccepted"),
            *("exportMade", "sheetAccepted", "exportBegun"),
        ]
        same_media(station)
        same_media(visitor)
        assert station.opened().state == visitor.opened().state
        assert station.opened().frontier.root() == visitor.opened().frontier.root()


def test_the_station_learns_that_the_polls_were_closed_for_good(quick_path: Path) -> None:
    with opened(quick_path, 2) as station, opened(quick_path, 2, visiting=True) as visitor:
        station.open_polls()
        cast(station, "one")
        assert code(lambda: visitor.close_polls(visitor.opened().state, ROOTS, {})) == "pollsOpen"
        station.pause_polls()
        # What was counted when the visitor looked first is not what there is now.
        before = visitor.opened().state
        station.open_polls()
        cast(station, "two")
        station.pause_polls()
        assert code(lambda: visitor.close_polls(before, ROOTS, {})) == "storeBehind"
        visitor.read()
        visitor.close_polls(visitor.opened().state, ROOTS, {"cast": b"note"})
        assert station.tend() == Books(2, None, 0, Polls.CLOSED, ())
        assert code(station.open_polls) == "pollsClosed"
        assert code(lambda: station.write_pending(reading("late"))) == "pollsClosed"
        same_media(station)


def test_where_there_is_nothing_a_visitor_makes_nothing(quick_path: Path) -> None:
    assert code(store(quick_path, 1, visiting=True).read) == "keyMissing"
    assert list(quick_path.iterdir()) == []
    with opened(quick_path / "elsewhere"):
        pass
    (quick_path / "elsewhere" / "keys").rename(quick_path / "keys")
    assert code(store(quick_path, 1, visiting=True).read) == "storeUnavailable"
    assert not (quick_path / "one").exists()
    (quick_path / "one").mkdir()
    # Its key has signed this election's log.
    assert code(store(quick_path, 1, visiting=True).read) == "logMissing"
    for path in (quick_path / "keys").glob("anchor-*"):
        path.unlink()
    assert code(store(quick_path, 1, visiting=True).read) == "storeUnavailable"
    assert list((quick_path / "one").iterdir()) == []


def test_a_visitor_does_not_bring_back_a_medium_that_the_station_has_lost(quick_path: Path) -> None:
    """The station does not write to it: it must not pass for up to date."""
    with opened(quick_path, 2) as station:
        station.open_polls()
        with pytest.MonkeyPatch.context() as patched:
            Breaking(quick_path / "two", 1).install(patched)
            cast(station, "one")
        with opened(quick_path, 2, visiting=True) as visitor:
            assert visitor.read().alarms == ("mediumLost",)
            visitor.note([LogEvent("exportBegun", {"kind": "interim"})])
        cast(station, "two")
    unplug(quick_path / "one")
    assert code(store(quick_path, 2).read) == "mediumBehind"
    assert code(store(quick_path, 2, visiting=True).read) == "mediumBehind"
    plug(quick_path / "one")
    with opened(quick_path, 2) as station:
        assert texts(station) == ["one", "two"]
        same_media(station)


def test_what_a_visitor_could_not_write_to_is_lost_to_the_station_too(quick_path: Path) -> None:
    with opened(quick_path, 2) as station:
        station.open_polls()
        with pytest.MonkeyPatch.context() as patched, opened(quick_path, 2, visiting=True) as visitor:
            Breaking(quick_path / "two", 1).install(patched)
            visitor.note([LogEvent("exportBegun", {"kind": "interim"})])
            assert visitor.opened().lost == ["second"]
        cast(station, "one")
        assert station.tend().alarms == ("mediumLost",)
        assert {fields["medium"] for name, fields in logged(station) if name == "mediumLost"} == {"second"}
    with opened(quick_path, 2) as station:
        assert (texts(station), station.read().alarms) == (["one"], ())
        same_media(station)


def test_a_visitor_after_a_cut_mends_what_the_station_would_have_mended(quick_path: Path) -> None:
    station = store(quick_path, 2)
    station.open_polls()
    station.write_pending(reading("one"))
    # As after a cut between the media.
    station.opened().media.pop().close()
    station.commit()
    station.close()
    with opened(quick_path, 2, visiting=True) as visitor:
        assert visitor.read().count == 1
        same_media(visitor)
        assert "evidenceRecovered" not in ids(visitor)
    with opened(quick_path, 2) as station:
        assert texts(station) == ["one"]


def test_a_visit_to_a_former_election_does_not_make_it_the_latest(quick_path: Path) -> None:
    with opened(quick_path) as station:
        station.note([LogEvent("coverOpened")])

    def of(label: str) -> EvidenceStore:
        return EvidenceStore(replace(settings(quick_path), label=label), PACKAGE, software=SOFTWARE, clock=SetClock())

    second = of("second")
    second.read()
    signed = second.opened().media[0].log.checkpoints()
    second.close()
    with opened(quick_path, visiting=True):
        pass
    third = of("third")
    third.read()
    assert logged(third)[0][1]["formerLog"].encode() == signed[max(signed)]
    third.close()


WRITES = 25
VISITOR = f"""
from pathlib import Path
import sys
from edge.evidence.events import LogEvent
from tests.evidence.keeping import store
visitor = store(Path(sys.argv[1]), 2, visiting=True)
visitor.read()
for _ in range({WRITES}):
    visitor.note([LogEvent("exportBegun", {{"kind": "interim"}})])
visitor.close()
"""


def test_another_process_at_the_same_time(tmp_path: Path) -> None:
    with opened(tmp_path, 2) as station:
        station.open_polls()
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(VISITOR), str(tmp_path)], cwd=ROOT)
        sheets = 0
        while process.poll() is None:
            station.note([LogEvent("coverOpened")])
            if sheets < SHAPE.cast:
                cast(station, str(sheets))
                sheets += 1
        assert process.wait(60) == 0
        assert ids(station).count("exportBegun") == WRITES
        assert station.read() == Books(sheets, None, SHAPE.cast - sheets, Polls.OPEN, ())
        assert texts(station) == sorted(str(number) for number in range(sheets))
        same_media(station)
