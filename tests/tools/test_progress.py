"""The progress bar: on a terminal a bar with rate and time left, elsewhere a line for every tenth."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable

import pytest

from models.progress import Progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def ticking(times: list[float]) -> Callable[[], float]:
    return lambda: times.pop(0) if len(times) > 1 else times[0]


def test_a_bar_with_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    with Progress(stream, ticking([0.0, 0.0, 10.0, 10.05, 40.0])) as progress:
        progress.begin("fetching", 400, "images")
        progress.show(100, "3 failed")
        progress.show(101)
        progress.show(400)
    drawn = stream.getvalue().split("\r\x1b[K")
    assert drawn == [
        "",
        "fetching  |                            |   0 %  0 of 400 images",
        "fetching  |███████                     |  25 %  100 of 400 images  10.0/s  0:30 left  3 failed",
        "fetching  |████████████████████████████| 100 %  400 of 400 images  10.0/s",
        "",
    ]


def test_a_bar_for_plain_terminals_that_fits_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    stream.encoding = "ascii"
    with Progress(stream, ticking([0.0, 0.0, 9000.0])) as progress:
        progress.begin("marking", 8, "images")
        progress.show(1)
    line = stream.getvalue().split("\r\x1b[K")[2]
    assert line == "marking   [###.........................]  12 %  1 of 8 imag"[: shutil.get_terminal_size().columns - 1]


def test_hours_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    progress = Progress(stream, ticking([0.0, 0.0, 3600.0]))
    progress.begin("marking", 3, "images")
    progress.show(1)
    assert "2:00:00 left" in stream.getvalue()


def test_lines_where_no_one_looks() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.begin("writing", 1000, "images")
        for done in range(1, 1001):
            progress.show(done, "x" if done == 1000 else "")
        progress.begin("checking", 0, "images")
    lines = stream.getvalue().splitlines()
    assert lines == [f"writing {done} of 1000 images" for done in range(0, 1000, 100)] + [
        "writing 1000 of 1000 images, x",
        "checking 0 of 0 images",
    ]
