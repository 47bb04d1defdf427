"""The patterns: told apart from across the room and without colour, harmless to look at, and quiet while nothing happens."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.station.patterns import LAMPS, PATTERNS, Levels, Track, levels, next_change
from edge.station.signals import Signal

STEP = 50
"""Milliseconds; every time in the table is a multiple, so that sampling at this step misses nothing."""
WINDOW = 6000
"""Milliseconds that a person looks."""
VISIBLE = 800
"""Milliseconds of the window in which the panel must look different, however the two rhythms are shifted against each other."""
LONGEST_RHYTHM = 2000
NEVER_CONFUSED = (Signal.ACCEPTED, Signal.RETURNED, Signal.REVIEW, Signal.FAULT)
IDLE = (Signal.READY, Signal.READY_ALARM, Signal.CLOSED, Signal.CLOSED_ALARM, Signal.OFF)

signals = st.sampled_from(list(Signal))
times = st.integers(0, 200_000)


@cache
def courses(signal: Signal, *, rhythm_only: bool = False) -> tuple[int, ...]:
    """For every shift of the rhythm: what the lamps do in the window, as bits; with `rhythm_only` only whether any is lit."""
    samples = []
    for time in range(0, WINDOW + LONGEST_RHYTHM, STEP):
        lit = asdict(levels(signal, time))
        bits = [lit[name] for name in LAMPS]
        samples.append([any(bits)] if rhythm_only else bits)
    width = len(samples[0])
    numbers = [sum(bit << place for place, bit in enumerate(bits)) for bits in samples]
    count = WINDOW // STEP
    return tuple(
        sum(number << (width * place) for place, number in enumerate(numbers[shift : shift + count]))
        for shift in range(LONGEST_RHYTHM // STEP)
    )


def visible_difference(first: Signal, second: Signal, *, rhythm_only: bool = False) -> int:
    """Milliseconds of the window in which the two differ, at the shift at which they are most alike."""
    width = 1 if rhythm_only else len(LAMPS)
    smallest = WINDOW
    # One side may start anywhere; shifting the other one too would repeat the same comparisons.
    for ours in courses(first, rhythm_only=rhythm_only):
        for theirs in courses(second, rhythm_only=rhythm_only)[:1]:
            difference = ours ^ theirs
            differing = sum(1 for place in range(WINDOW // STEP) if difference >> (width * place) & ((1 << width) - 1))
            smallest = min(smallest, differing * STEP)
    return smallest


def beeps(signal: Signal) -> list[int]:
    """The lengths of the tones that begin in the window."""
    tones: list[int] = []
    before = False
    for time in range(0, WINDOW, STEP):
        now = levels(signal, time).buzzer
        if now and not before:
            tones.append(0)
        if now:
            tones[-1] += STEP
        before = now
    return tones


def test_every_signal_has_a_pattern() -> None:
    assert set(PATTERNS) == set(Signal)


def test_all_times_are_multiples_of_the_step() -> None:
    for tracks in PATTERNS.values():
        for track in tracks.values():
            assert all(length > 0 and length % STEP == 0 for length in (*track.once, *track.repeat))
            assert len(track.repeat) % 2 == 0


def test_no_lamp_has_a_longer_rhythm_than_the_shifts_cover() -> None:
    for tracks in PATTERNS.values():
        assert all(LONGEST_RHYTHM % sum(tracks[lamp].repeat or (LONGEST_RHYTHM,)) == 0 for lamp in LAMPS if lamp in tracks)


@pytest.mark.parametrize(("first", "second"), list(combinations(Signal, 2)))
def test_any_two_signals_look_different(first: Signal, second: Signal) -> None:
    assert visible_difference(first, second) >= VISIBLE


@pytest.mark.parametrize(("first", "second"), list(combinations(NEVER_CONFUSED, 2)))
def test_what_must_not_be_confused_differs_in_lamp_rhythm_and_sound(first: Signal, second: Signal) -> None:
    lamps = [{name for name in LAMPS if name in PATTERNS[signal]} for signal in (first, second)]
    assert not lamps[0] & lamps[1]
    assert visible_difference(first, second, rhythm_only=True) >= VISIBLE
    sounds = [beeps(first), beeps(second)]
    assert len(sounds[0]) != len(sounds[1]) or abs(max(sounds[0]) - max(sounds[1])) >= 500


@pytest.mark.parametrize("signal", Signal)
def test_nothing_flashes_three_times_a_second(signal: Signal) -> None:
    onsets = []
    before = Levels()
    for time in range(0, 60_000, STEP):
        now = levels(signal, time)
        if any(getattr(now, lamp) and not getattr(before, lamp) for lamp in LAMPS):
            onsets.append(time)
        before = now
    assert all(third - first >= 1000 for first, third in zip(onsets, onsets[2:], strict=False))


@pytest.mark.parametrize("signal", Signal)
def test_a_reminder_sounds_every_ten_seconds_at_most(signal: Signal) -> None:
    tones = [time for time in range(0, 200_000, STEP) if levels(signal, time).buzzer]
    starts = [second for first, second in pairwise(tones) if second - first > 1000]
    assert all(second - first >= 10_000 for first, second in pairwise([0, *starts]))
    assert len(tones) * STEP <= 200_000 // 10


def test_the_accept_lamp_lights_for_accepted_sheets_alone() -> None:
    assert [signal for signal, tracks in PATTERNS.items() if "accept" in tracks] == [Signal.ACCEPTED]


@pytest.mark.parametrize("signal", IDLE)
def test_an_idle_station_has_nothing_to_wake_up_for(signal: Signal) -> None:
    assert next_change(signal, 0) is None


def test_off_is_every_line_released() -> None:
    assert levels(Signal.OFF, 0) == Levels() == Levels(*[False] * 6)


@given(signals, times)
def test_nothing_changes_before_the_next_change(signal: Signal, elapsed: int) -> None:
    change = next_change(signal, elapsed)
    now = levels(signal, elapsed)
    if change is None:
        assert all(levels(signal, later) == now for later in range(elapsed, elapsed + 70_000, 250))
    else:
        assert elapsed < change
        assert levels(signal, change - 1) == now
        assert levels(signal, change) != now


def test_a_track_plays_its_parts_in_order() -> None:
    track = Track(delay=10, once=(20, 30), repeat=(5, 15))
    seen = [(time, track.at(time)) for time in (0, 9, 10, 29, 30, 59, 60, 64, 65, 79, 80)]
    assert seen == [
        (0, (False, 10)),
        (9, (False, 10)),
        (10, (True, 30)),
        (29, (True, 30)),
        (30, (False, 60)),
        (59, (False, 60)),
        (60, (True, 65)),
        (64, (True, 65)),
        (65, (False, 80)),
        (79, (False, 80)),
        (80, (True, 85)),
    ]
