"""The short form of the matrix: several hundred cuts over every call of every session, recoveries cut again, a few kills."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hil.crash import __main__ as command
from hil.crash.campaign import Result, go_through, go_through_all, recoveries
from hil.crash.kill import kill_day
from hil.crash.killed_first import killed_first
from hil.crash.session import Session
from hil.crash.station_session import station_day
from hil.crash.store_sessions import LOSSES, added_medium, lost_medium, short_day, whole_day

KILLS = 4


def passed(result: Result) -> Result:
    assert not result.failures, f"{len(result.failures)} of {result.checks}: {result.failures[0]}\n{result.failures[0].traceback}"
    return result


def calls(session: Session) -> set[str]:
    """The calls that are made in it."""
    return {
        promise.running
        for passed_marks in range(len(session.recording.marks) + 1)
        for promise in session.ledger.at(passed_marks).values()
        if promise.running is not None
    }


@pytest.mark.parametrize(
    ("make", "limit", "again"),
    [(station_day, 180, 3), (added_medium, 180, 3), (whole_day, 160, 2)],
    ids=["station", "added medium", "whole day"],
)
def test_cuts_of_a_session_and_of_recoveries_from_it(make: Callable[[], Session], limit: int, again: int) -> None:
    session = make()
    result = passed(go_through(session, limit, seed=1))
    assert result.checked > 0.9 * limit
    assert result.distinct > 2000
    twice = passed(go_through_all("recoveries", recoveries(session, again, seed=1), seed=1))
    assert twice.checked > 15 * again


@pytest.mark.parametrize("loss", LOSSES, ids=[f"{call} {step}" for call, step in LOSSES])
def test_a_medium_is_lost_and_brought_up_to_date(loss: tuple[str, int]) -> None:
    passed(go_through(lost_medium((loss,)), 30, seed=1))


@pytest.mark.parametrize("media", [1, 2])
def test_a_process_is_killed_another_goes_on_and_the_power_fails(media: int) -> None:
    passed(go_through_all("kills", killed_first(short_day(media=media), 6, seed=1), seed=1))


def test_every_call_of_a_store_is_in_a_session() -> None:
    made = calls(station_day()) | calls(whole_day())
    assert made == {
        "read",
        "write_pending",
        "mark_pending",
        "commit",
        "erase",
        "keep_returned",
        "open_polls",
        "pause_polls",
        "note",
        "tend",
        "close",
        "checkpoint",
        "close_polls",
        "discard",
    }


def test_the_process_is_killed_and_goes_on() -> None:
    killed = kill_day(KILLS, seed=1)
    assert killed.kills >= KILLS
    assert not killed.failures, str(killed)


def test_the_command_says_what_it_saw(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "_SHARES", ((added_medium, 0.5, 0.5, 0.5),))
    arguments = ["--limit", "40", "--kills", "0", "--keep", str(tmp_path)]
    assert command.main(arguments) == 0
    said = capsys.readouterr().out
    assert "a second medium is added" in said
    assert "distinct cut points" in said
    assert "0 failures" in said
    assert command.main([*arguments, "--media", "1"]) == 0
    monkeypatch.setattr("hil.crash.check._REFUSALS", frozenset())
    assert command.main(arguments) == 1
    assert "failed" in capsys.readouterr().out
    assert list(tmp_path.iterdir())
