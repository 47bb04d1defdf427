from __future__ import annotations

import pytest

from edge.station.patterns import LAMPS, levels, next_change
from edge.station.signals import Signal
from hil.emulate.lamps import LINES, Look, Rhythms, looks, row
from hil.panel.panel import Change

AT_LEAST_TWICE = 4_000


def shown(signal: Signal, begin: int, end: int) -> list[Change]:
    """What a panel that was dark does while it shows a signal."""
    changes = []
    before = dict.fromkeys(LINES, False)
    time: int | None = 0
    while time is not None and begin + time < end:
        now = levels(signal, time)
        for name in LINES:
            if getattr(now, name) != before[name]:
                before[name] = getattr(now, name)
                changes.append(Change(begin + time, name, "lit" if before[name] else "dark"))  # type: ignore[arg-type]
        time = next_change(signal, time)
    return changes


def said(rhythms: Rhythms, changes: list[Change], begin: int, end: int) -> list[str]:
    words = []
    for now in range(begin, end, 100):
        words += rhythms.hear([change for change in changes if now - 100 < change.at_ms <= now], now)
    return words


@pytest.mark.parametrize("signal", list(Signal))
def test_each_signal_comes_to_rest_in_words(signal: Signal) -> None:
    """Once it is said that a lamp flashes, nothing more is said of it while the signal goes on, whatever its rhythm."""
    rhythms = Rhythms()
    changes = shown(signal, 0, 30_000)
    said(rhythms, changes, 0, 8_000)
    assert [word for word in said(rhythms, changes, 8_000, 30_000) if not word.startswith("buzzer")] == []


def test_flashing_steady_and_dark_again() -> None:
    rhythms = Rhythms()
    flashing = shown(Signal.READING, 1_000, 2_600)
    accepted = [Change(2_600, "ready", "dark"), Change(2_600, "accept", "lit")]
    beep = [Change(2_600, "buzzer", "lit"), Change(2_800, "buzzer", "dark")]
    after = [Change(4_700, "accept", "dark"), Change(4_700, "ready", "lit")]
    assert said(rhythms, [*flashing, *accepted, *beep, *after], 0, 6_000) == [
        "ready flashes",
        "buzzer sounds",
        "accept lit",
        "ready dark",
        "accept dark",
        "ready lit",
    ]


def test_a_panel_that_is_released_says_nothing_new() -> None:
    assert Rhythms().hear([Change(1, "fault", "dark"), Change(2, "fault", "released")], 9_000) == []


@pytest.mark.parametrize("signal", [signal for signal in Signal if signal is not Signal.OFF])
def test_looks_over_a_time(signal: Signal) -> None:
    seen = looks((), shown(signal, 0, AT_LEAST_TWICE))
    for name in LAMPS:
        lit = [getattr(levels(signal, time), name) for time in range(0, AT_LEAST_TWICE, 50)]
        expected = Look.LIT if all(lit) else Look.FLASHES if any(lit) else Look.DARK
        assert seen[name] is expected


def test_what_was_lit_before_and_went_out_was_lit() -> None:
    assert looks({"ready"}, [Change(5, "ready", "dark")])["ready"] is Look.LIT


def test_a_row_says_the_same_without_colour() -> None:
    plain = row({"ready": Look.LIT, "fault": Look.FLASHES})
    assert plain == " accept   reject   review  [READY] ~FAULT~  buzzer "
    assert len(plain) == len(row({}))
    coloured = row({"ready": Look.LIT}, colour=True)
    assert "[READY]" in coloured
    assert "\x1b[0m" in coloured
