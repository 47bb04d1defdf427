"""`scrutineer status`: what is printed, and the exit status for whoever watches."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.commands.error import CommandError
from edge.commands.status import run, status_table
from edge.station.signals import Signal
from edge.station.status import StatusDocument, StatusServer

DOCUMENT = StatusDocument(
    state="waiting",
    reason=None,
    sentence="Feed a sheet.",
    since_ms=3000,
    signal="ready",
    lamps={"accept": False, "ready": True},
    count=412,
    polls="open",
    scanner={"serial": "A1", "cover_open": False, "sensors": ("front", "rear")},
    last_sheet={"kind": "return", "reasons": ("blankSheet",), "note": None},
    problems=(),
    software="scrutineer 0.1.0",
    uptime_ms=7_500_000,
    tally_sheets=0,
)
TABLE = """\
state       waiting, for 3 s
            Feed a sheet.
panel       ready; lit: ready
polls       open
accepted    412 sheets
scanner     serial A1, cover_open no, sensors front rear
last sheet  kind return, reasons blankSheet, note none
problems    none
software    scrutineer 0.1.0, running for 2 h 5 min"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.sock"


@pytest.fixture
def server(path: Path) -> Iterator[StatusServer]:
    server = StatusServer(path)
    yield server
    server.close()


def asked(path: Path, *, follow: bool = False, as_json: bool = False) -> argparse.Namespace:
    return argparse.Namespace(socket=path, follow=follow, json=as_json)


def test_the_table_says_everything() -> None:
    assert status_table(DOCUMENT) == TABLE


def test_the_table_of_a_station_in_trouble() -> None:
    document = replace(
        DOCUMENT,
        state="jammed",
        reason="paperInPath",
        scanner=None,
        last_sheet=None,
        lamps={},
        problems=("lowSpace", "oneMedium"),
        since_ms=250_000,
        uptime_ms=200_000_000,
    )
    lines = status_table(document).splitlines()
    assert lines[0] == "state       jammed (paperInPath), for 4 min 10 s"
    assert lines[2] == "panel       ready; lit: nothing"
    assert lines[5:] == [
        "scanner     none",
        "last sheet  none",
        "problems    lowSpace, oneMedium",
        "software    scrutineer 0.1.0, running for 2 d 7 h",
    ]


def test_a_stations_words_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in status_table(replace(DOCUMENT, sentence="\x1b[2J"))


def test_the_table_is_printed(server: StatusServer, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.publish(DOCUMENT)
    assert run(asked(path)) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [*TABLE.splitlines()[1:], ""]


def test_json_is_the_document(server: StatusServer, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.publish(DOCUMENT)
    assert run(asked(path, as_json=True)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed | {"since_ms": 0, "uptime_ms": 0} == json.loads(replace(DOCUMENT, since_ms=0, uptime_ms=0).to_json())


@pytest.mark.parametrize("signal", Signal)
def test_the_exit_status_says_whether_a_person_is_needed(server: StatusServer, path: Path, signal: Signal) -> None:
    needed = {"review", "whereabouts", "jammed", "coverOpen", "fault", "disconnected"}
    server.publish(replace(DOCUMENT, signal=signal))
    assert run(asked(path)) == (3 if signal in needed else 0)


def test_following_ends_with_the_station(server: StatusServer, path: Path) -> None:
    server.publish(DOCUMENT)
    written: list[str] = []

    class Stdout:
        encoding = "ascii"

        def write(self, text: str) -> None:
            written.append(text)
            if len(written) == 1:
                server.publish(replace(DOCUMENT, sentence="Ä"))
            else:
                server.close()

        def flush(self) -> None:
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", Stdout())
        with pytest.raises(CommandError) as caught:
            run(asked(path, follow=True))
    assert caught.value.code == "statusUnreachable"
    assert len(written) == 2
    assert "\\xc4" in written[1]


def test_nobody_there_is_said(path: Path) -> None:
    with pytest.raises(CommandError, match=r"^statusUnreachable: no station answers at"):
        run(asked(path))
