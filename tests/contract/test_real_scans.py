"""Real scans through emulator, cable, driver and interpreter: what comes out is what the interpreter says of the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.ballot.interpret import ScannedSheet, interpret
from edge.ballot.result import Interpretation
from edge.decision import Disposition, decide
from edge.definition.election import Election, load_election
from edge.definition.settings import SystemSettings
from edge.image_file import read_image
from edge.record import canonical_json
from firmware_bridge.scanner import SheetImages, SheetScanned
from hil.scanner.knobs import Behaviour
from hil.scanner.sheet import Grey, Sheet
from tests.contract.conftest import SetTable

FOLDERS = ("nh-test-ballot", "nh-hudson", "m17")
COLUMNS = 1728
_WIDTH_AT_200_DPI = range(1600, COLUMNS + 60)


@dataclass(frozen=True)
class Read:
    """One sheet as it was read."""

    interpretation: Interpretation
    disposition: Disposition

    @property
    def meaning(self) -> dict[str, Any]:
        return {
            "votes": self.interpretation.votes,
            "marginal": self.interpretation.marginal,
            "unmarked": self.interpretation.unmarked_write_ins,
            "disposition": self.disposition.kind,
            "reasons": [(reason.code, reason.contest_id, reason.option_ids) for reason in self.disposition.reasons],
        }

    @property
    def record_without_bed(self) -> dict[str, Any]:
        """The record, but for how much black bed was cut off beside the paper: the files had none."""
        record: dict[str, Any] = json.loads(canonical_json(self.interpretation, self.disposition))
        for page in record["pages"]:
            del page["insets"]
        return record


def read(top: Grey, bottom: Grey, election: Election) -> Read:
    settings = SystemSettings()
    interpretation = interpret(ScannedSheet(top, bottom, 200), election, settings)
    return Read(interpretation, decide(interpretation, election, settings))


def pairs(folder: Path) -> Iterator[tuple[str, Grey, Grey]]:
    """Front and back of every sheet that was scanned at 200 dpi."""
    for sheet in json.loads((folder / "expected.json").read_text())["sheets"]:
        if any(page.get("dpi") == 300 for page in sheet.get("pages", {}).values()):
            continue
        front, back = read_image(folder / sheet["front"]), read_image(folder / sheet["back"])
        assert front.shape[1] in _WIDTH_AT_200_DPI, sheet["front"]
        yield Path(sheet["front"]).stem, front, back


def fed(set_table: SetTable, folder: Path, behaviour: Behaviour) -> Iterator[tuple[str, Grey, Grey, SheetImages]]:
    """Every pair of a folder, and what the driver makes of it."""
    bench = set_table(behaviour)
    driver, heard = bench.connect(paper_inches=14)
    for name, front, back in pairs(folder):
        scanned = bench.feed(driver, heard, Sheet(name, front, back))
        assert isinstance(scanned, SheetScanned), scanned
        yield name, front, back, scanned.images
        driver.accept_sheet()
        assert bench.until(lambda: name in bench.scanner.describe().box)  # noqa: B023 -- called before the name is bound anew


@pytest.mark.parametrize("name", FOLDERS)
def test_real_sheets_through_perfect_arrays(real_data: Path, set_table: SetTable, name: str) -> None:
    folder = real_data / "ballots" / name
    election = load_election((folder / "election.json").read_bytes())
    count = 0
    for sheet, front, back, images in fed(set_table, folder, Behaviour(flat_tables=True)):
        count += 1
        from_files, from_scanner = read(front, back, election), read(images.top, images.bottom, election)
        assert from_scanner.meaning == from_files.meaning, sheet
        if front.shape[1] <= COLUMNS and front.shape == back.shape:
            left = (COLUMNS - front.shape[1]) // 2
            on_paper = (slice(None), slice(left, left + front.shape[1]))
            assert (images.top[on_paper] == front).all(), sheet
            assert (images.bottom[on_paper] == back).all(), sheet
            assert from_scanner.record_without_bed == from_files.record_without_bed, sheet
    assert count


@pytest.mark.parametrize("name", FOLDERS)
def test_real_sheets_through_worn_arrays(real_data: Path, set_table: SetTable, name: str) -> None:
    folder = real_data / "ballots" / name
    election = load_election((folder / "election.json").read_bytes())
    for sheet, front, back, images in fed(set_table, folder, Behaviour(flat_tables=False)):
        from_files, from_scanner = read(front, back, election), read(images.top, images.bottom, election)
        assert from_scanner.meaning == from_files.meaning, sheet
