"""The language of the console: what it understands, what it does, and what it says otherwise."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hil.scanner.console import Console
from hil.scanner.faults import (
    COMMANDS,
    PIXELS,
    Command,
    CrcComplaint,
    DoubleFeed,
    Drop,
    Duplicate,
    Event,
    Fault,
    Garbage,
    Garble,
    ImageByte,
    JamEject,
    JamScan,
    Late,
    OddImage,
    OpenCover,
    Overflow,
    PowerCut,
    Pull,
    Reached,
    Reboot,
    Short,
    Silent,
    Stall,
    Stuck,
    Transfer,
    Yank,
)
from hil.scanner.paper import Place, Sensor
from hil.scanner.verbs import (
    GRAMMAR,
    Condition,
    Inject,
    InjectPush,
    Insert,
    NewSheet,
    Plain,
    Stick,
    Verb,
    Wait,
    WaitUntil,
    parse,
)
from hil.scanner.words import VerbError
from tests.scanner.host import Host, plain


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("", None),
        ("   # nothing", None),
        ("insert front.png back.png", Insert(NewSheet("front.png", "back.png", None))),
        ("insert 'my front' ./back as ballot-1  # the first", Insert(NewSheet("my front", "./back", "ballot-1"))),
        ("insert A", Insert(("A",))),
        ("insert A B", Insert(("A", "B"))),
        ("push A", Insert(("A",), pushed=True)),
        ("push f.png b.png as B", Insert(NewSheet("f.png", "b.png", "B"), pushed=True)),
        ("clear path into box", Plain("clear path into box")),
        ("stick rear-left on", Stick(Sensor.REAR_LEFT, covered=True)),
        ("stick front-m4 free", Stick(Sensor.FRONT_M4, covered=None)),
        ("wait 2", Wait(2)),
        ("wait until box 3 within 10", WaitUntil(Condition("box", number=3), 10)),
        ("wait until A in escrow within .5", WaitUntil(Condition("sheet", "A", place=Place.ESCROW), 0.5)),
        ("wait until motion still within 1", WaitUntil(Condition("motion", "still"), 1)),
        ("wait until unplugged within 1", WaitUntil(Condition("plugged", wanted=False), 1)),
        ("wait until plugged within 1", WaitUntil(Condition("plugged"), 1)),
        ("wait until jammed within 1", WaitUntil(Condition("jammed"), 1)),
        ("wait until rear clear within 1", WaitUntil(Condition("rear", wanted=False), 1)),
        ("fault push B at escrow", InjectPush("B", Reached(Place.ESCROW))),
    ],
)
def test_lines(line: str, verb: Verb | None) -> None:
    assert parse(line) == verb


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("yank at image byte 100000", Yank(at=ImageByte(100_000))),
        ("yank 3", Yank(3)),
        ("late 1.5 at event 31", Late(1.5, at=Event("31"))),
        ("late 1 pixels at transfer 3 on pixels", Late(1, PIXELS, at=Transfer(PIXELS, 3))),
        ("power 2 at spanning of A", PowerCut(2, at=Reached(Place.SPANNING, "A"))),
        ("cover at front", OpenCover(at=Reached(Place.FRONT))),
        ("reboot at command ^K", Reboot(at=Command(b"\x1bK"))),
        ("silent 3", Silent(3)),
        ("stall pixels", Stall(PIXELS)),
        ("drop", Drop()),
        ("duplicate at event 0e", Duplicate(at=Event("0E"))),
        ("garble commands", Garble(endpoint=COMMANDS)),
        ("short 3", Short(3)),
        ("overflow", Overflow()),
        ("crc", CrcComplaint()),
        ("garbage 00ff", Garbage(b"\x00\xff")),
        ("odd -1", OddImage(-1)),
        ("stuck rear-right off", Stuck(Sensor.REAR_RIGHT, covered=False)),
        ("pull", Pull()),
        ("jam scan", JamScan()),
        ("jam eject", JamEject()),
        ("jam eject silently at command 3", JamEject(reported=False, at=Command(b"3"))),
        ("double feed", DoubleFeed()),
    ],
)
def test_faults(words: str, fault: Fault) -> None:
    assert parse(f"fault {words}") == Inject(fault)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("inser A", "'inser' is no verb (perhaps 'insert')"),
        ("opn cover", "perhaps 'open cover'"),
        ("open door", "'open cover' expected, not 'open door'"),
        ("insert", "two image files, or the names of sheets"),
        ("insert a.png", "front and a back"),
        ("insert as A", "two image files"),
        ("push A B", "only one sheet"),
        ("stick left on", "is no sensor"),
        ("stick rear-left onn", "perhaps 'on'"),
        ("fault yankee", "perhaps 'yank'"),
        ("fault", "fault (yank"),
        ("fault late", "number of seconds expected at the end"),
        ("fault late soon", "not 'soon'"),
        ("fault late nan", "not 'nan'"),
        ("fault late 1 at event", "code of an event"),
        ("fault late 1 at event 3", "two characters"),
        ("fault yank at image bite 3", "'byte' expected, not 'bite'"),
        ("fault yank at transfer 0 on pixels", "from 1"),
        ("fault yank at command \u20ac", "has no"),
        ("fault garbage xyz", "hexadecimal"),
        ("fault double food", "'feed' expected"),
        ("remove it", "'remove' expected"),
        ("wait until box 3", "'within' expected at the end"),
        ("wait until box three within 3", "whole number"),
        ("wait until A in nowhere within 3", "is no place"),
        ("wait 3 4", "nothing more expected"),
        ("show 'me", "quote is not closed"),
    ],
)
def test_what_is_not_understood(line: str, says: str) -> None:
    with pytest.raises(VerbError) as caught:
        parse(line)
    assert says in str(caught.value)


_WORDS = sorted(set(re.findall(r"[a-z0-9-]+", GRAMMAR)) | {"#", "'", '"', "\\", "^K", "-1", "1e9", "a.png"})


@given(st.text(max_size=60) | st.lists(st.sampled_from(_WORDS), max_size=9).map(" ".join))
def test_any_line_is_understood_or_refused(line: str) -> None:
    with suppress(VerbError):
        parse(line)


def _console(*names: str) -> tuple[Host, Console, io.StringIO]:
    host, out = Host(), io.StringIO()
    return host, Console(host.scanner, out, [plain(name) for name in names]), out


def test_an_evening_in_words(tmp_path: Path) -> None:
    for side in ("front", "back"):
        Image.fromarray(np.full((2200, 1700), 255, np.uint8)).save(tmp_path / f"{side}.png")
    host, console, out = _console("B")
    host.prepare()
    script = f"""
        help
        insert {tmp_path}/front.png {tmp_path}/back.png as A   # the first ballot
        wait until A in escrow within 1
        wait until motion still within 0
        show
        fault push B at box
        fault double feed
    """
    console.follow(script.splitlines(), strict=True)
    host.ask(b"3", b"9")
    console.follow(["wait until box 1 within 1", "wait until front covered within 1", "remove", "unplug", "plug"], strict=True)
    console.follow(["wait until plugged within 1", "wait until rear clear within 1", "open cover", "insert B"], strict=True)
    console.follow(["clear path", "insert B", "push A", "clear path into box", "quit", "nonsense"], strict=False)
    console.follow(["stick rear-left on", "wait 0", "show"], strict=True)
    said = out.getvalue()
    assert GRAMMAR in said
    assert "scanner: still, plugged, feeder on\nsensors: rear-left, rear-right\nsheets:  A in escrow\nbox:     empty\n" in said
    assert "a hand cannot move sheet A from box to front" in said
    assert "nonsense" not in said
    assert host.scanner.describe().box == ("A",)


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    _, console, out = _console()
    lines = [
        "remove",
        "insert nobody",
        "fault push nobody",
        f"insert {tmp_path}/no.png {tmp_path}/no.png",
        "wait until jammed within 0",
    ]
    console.follow(lines, strict=False)
    said = out.getvalue()
    for part in (
        "no sheet at front",
        "no sheet is called nobody",
        "known: none",
        "imageNotFound",
        "did not come about within 0 seconds",
    ):
        assert part in said
    with pytest.raises(VerbError, match="line 2: no sheet at front"):
        console.follow(["show", "remove"], strict=True)
    assert console.do("quit") is False
