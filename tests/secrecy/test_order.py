"""The order of voters cannot be recovered from what is kept; and the attack that says so finds it where it is left open."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from edge.definition.package import ElectionPackage
from edge.evidence.reading import SheetReading
from hil.secrecy.__main__ import ALARM
from hil.secrecy.clues import Clue, clues
from hil.secrecy.day import Day, live
from hil.secrecy.pool import pool
from hil.secrecy.statistic import Agreement, agreement
from hil.secrecy.traces import told_by_log, traces

SHEETS = 60
Pool = tuple[ElectionPackage, list[SheetReading]]


@pytest.fixture(scope="module")
def ballots() -> Pool:
    return pool()


@pytest.fixture(scope="module")
def day(ballots: Pool, tmp_path_factory: pytest.TempPathFactory) -> Day:
    return live(tmp_path_factory.mktemp("day"), *ballots, SHEETS, seed=7)


def beyond_chance(day: Day) -> dict[str, Agreement]:
    held = [agreement(clue, day.order) for clue in clues(day)]
    return {told.clue: told for told in held if told is not None and told.chance < ALARM}


def test_no_clue_tells_the_order(day: Day) -> None:
    assert len(day.order) == len(set(day.order)) == SHEETS
    assert beyond_chance(day) == {}


def test_the_attack_looks_at_every_kind_of_clue(day: Day) -> None:
    names = {clue.name for clue in clues(day)}
    for kind in ("medium 1: slot", "medium 2: nonce of the sheet page", "id: number", "export: st_mtime_ns of folder"):
        assert kind in names
    assert any(name.startswith("document: cvr.json") for name in names)


def test_nothing_of_a_ballot_is_found_outside_its_own_files(day: Day) -> None:
    assert traces(day) == []


def test_the_log_tells_only_counts_and_roots(day: Day) -> None:
    told = told_by_log(day)
    assert told["sheetAccepted"] == {"count"}
    assert told["pollsClosed"] == {"count", "returned", "castRoot", "returnedRoot"}
    assert set(told) <= {"logOpened", "zeroCheck", "pollsOpened", "pollsPaused", "pollsClosed", "sheetAccepted"}


def test_slots_in_a_row_are_noticed(ballots: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.evidence.ballot_box._below", lambda _: 0)
    found = beyond_chance(live(tmp_path, *ballots, 40, seed=1))
    assert found["medium 1: slot"].tau == pytest.approx(1)


def test_ids_that_count_are_noticed(ballots: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1 << 70)
    monkeypatch.setattr("edge.evidence.evidence_store.random_id", lambda: uuid.UUID(int=next(numbers), version=4))
    assert "id: last 64 bits" in beyond_chance(live(tmp_path, *ballots, 40, seed=1))


def test_nonces_that_count_are_noticed(ballots: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    monkeypatch.setattr("ssl.RAND_bytes", lambda length: next(numbers).to_bytes(length, "big"))
    assert "medium 1: nonce of the sheet page" in beyond_chance(live(tmp_path, *ballots, 20, seed=1))


def test_an_id_in_the_log_is_noticed(day: Day) -> None:
    stray = day.media[0] / "stray"
    stray.write_bytes(b"x" + uuid.UUID(day.order[3]).bytes)
    try:
        assert traces(day) == [f"id in {stray}"]
    finally:
        stray.unlink()


def shuffled(seed: int) -> Iterator[tuple[str, int]]:
    places = list(range(100))
    random.Random(seed).shuffle(places)
    return ((str(number), place) for number, place in enumerate(places))


def test_random_orders_do_as_well_as_they_say() -> None:
    """The chances that the statistic gives are right: about so many of many random clues are as good."""
    order = [str(number) for number in range(100)]
    told = [agreement(Clue("", dict(shuffled(seed))), order) for seed in range(400)]
    for limit in (0.5, 0.1, 0.02):
        share = sum(each is not None and each.chance < limit for each in told) / len(told)
        # Two ways to be surprised, so up to twice as often.
        assert limit / 2 < share < 2.5 * limit


def test_half_of_an_order_is_noticed() -> None:
    order = [str(number) for number in range(100)]
    half = {identity: min(50, place) for place, identity in enumerate(order)}
    told = agreement(Clue("", half), order)
    assert told is not None
    assert told.chance < ALARM
    assert agreement(Clue("", dict.fromkeys(order, 1)), order) is None
