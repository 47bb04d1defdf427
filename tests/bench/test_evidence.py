"""What the evidence costs: an event, a sheet, opening a full box, and an auditor's check of a whole day."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.audit.verify import verify
from edge.evidence.events import LogEvent
from edge.evidence.medium import BoxShape
from hil.secrecy.pool import pool
from tests.audit.archive_fake import archive
from tests.audit.exported import exported, trust_list, write
from tests.evidence.keeping import store

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

DAY_SHEETS = 2_000
DAY_EVENTS = 10_000
MOST_DAY_S = 60
SHORT_SHEETS = 12
"""Of the same check where nothing is measured."""
SLOT = 192 << 10


@pytest.mark.parametrize("media", [1, 2])
def test_an_event(benchmark: BenchmarkFixture, tmp_path: Path, media: int) -> None:
    evidence = store(tmp_path, media)
    try:
        evidence.read()
        benchmark(lambda: evidence.note([LogEvent("coverOpened")]))
    finally:
        evidence.close()


@pytest.mark.parametrize("media", [1, 2])
def test_a_sheet_written_down_and_counted(benchmark: BenchmarkFixture, tmp_path: Path, media: int) -> None:
    _, readings = pool()
    evidence = store(tmp_path, media, shape=BoxShape(cast=400, returned=0, slot_bytes=SLOT))
    try:
        evidence.read()
        evidence.open_polls()

        def accept() -> None:
            evidence.write_pending(readings[0])
            evidence.commit()

        rounds = 1 if benchmark.disabled else 100
        benchmark.pedantic(accept, rounds=rounds)  # type: ignore[no-untyped-call]
    finally:
        evidence.close()


def test_opening_a_box_of_2200_slots(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    if benchmark.disabled:
        pytest.skip("makes 430 MB; measured by ./dev bench")
    evidence = store(tmp_path, shape=BoxShape(cast=2_000, returned=200, slot_bytes=SLOT))
    try:
        evidence.read()
        benchmark.pedantic(evidence.read, rounds=10)  # type: ignore[no-untyped-call]
    finally:
        evidence.close()


def test_the_check_of_a_whole_day(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """With a second reading of every ballot, on all processors."""
    sheets = DAY_SHEETS if benchmark.enabled else SHORT_SHEETS
    made = archive(
        cast=sheets, returned=20, more=[LogEvent("coverOpened")] * (DAY_EVENTS - sheets - 30 if benchmark.enabled else 1)
    )
    folder = write(exported(made), tmp_path / "export")
    begun = time.monotonic()
    verification = benchmark.pedantic(verify, args=(folder, trust_list(made)), rounds=1)  # type: ignore[no-untyped-call]
    taken = time.monotonic() - begun
    assert verification.passed
    assert len(verification.sheets) == sheets + 20
    if not benchmark.disabled:
        assert verification.size >= DAY_EVENTS
        assert taken < MOST_DAY_S
