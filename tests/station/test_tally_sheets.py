"""Tally sheets at the station: the real process, ballots and forms through the same scanner, then close, export and verify."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.audit.checks.limits import left_open
from edge.audit.folder import ExportFolder
from edge.audit.report_html import write_html
from edge.audit.verification import Outcome, Repeat, Verification
from edge.audit.verify import examine, verify
from edge.cli import main
from edge.commands.definition import read_package
from edge.decision import DispositionKind
from edge.definition.form import load_form, shipped_form
from edge.evidence.archive import SheetKind
from edge.evidence.keys.trust import TrustList
from edge.evidence.tlog.note import VerifierKey
from edge.page.page import Grey
from edge.station.config import load_station_config
from edge.station.status import StatusDocument
from edge.tally_sheet import TallySheetReader
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet
from hil.paper.scan import scan
from hil.rig.process import StationProcess
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.sheet import Sheet
from tests.audit.exported import AUTHORITY, check_of, found, outcomes
from tests.ballot.sheets import blank_sheet, definition, filled
from tests.kill.bench import QUICK_SCANNER

FORM = shipped_form("lumen-harbour")
PAPER = (2200, 1700)
"""Rows and columns of a letter sheet at the scanner's 200 dpi."""
SEEDS = 6


@dataclass(frozen=True, slots=True)
class FilledIn:
    """A side that somebody has filled in, and what becomes of it: how sure a model is decides more than these tests ask for."""

    side: Grey
    kind: DispositionKind
    codes: tuple[str, ...]


@cache
def tally_reader() -> TallySheetReader:
    return TallySheetReader([FORM])


@cache
def filled_in(mistakes: tuple[str, ...] = (), wanted: str = "accept") -> FilledIn:
    """The first of some sheets that is accepted, or held for this reason alone; else the first that a person may cast."""
    reader, fallback = tally_reader(), None
    for seed in range(SEEDS):
        rendered = render_sheet(load_form(FORM), seed, Knobs(colour="grey", digits="own", mistakes=mistakes))
        side = on_letter(rendered.image[:, :, 0])
        disposition = reader.read(side, blank_side()).disposition
        made = FilledIn(side, disposition.kind, tuple(dict.fromkeys(str(reason.code) for reason in disposition.reasons)))
        if wanted == disposition.kind or (wanted,) == made.codes:
            return made
        if disposition.kind == "hold" and disposition.castable:
            fallback = fallback or made
    assert fallback is not None
    return fallback


def on_letter(scan: Grey) -> Grey:
    """The middle of a scan, as large as the paper."""
    rows, columns = PAPER
    top, left = max(0, (scan.shape[0] - rows) // 2), max(0, (scan.shape[1] - columns) // 2)
    side = np.full(PAPER, 255, np.uint8)
    part = scan[top : top + rows, left : left + columns]
    side[: part.shape[0], : part.shape[1]] = part
    return side


def blank_side() -> Grey:
    return np.full(PAPER, 245, np.uint8)


class Day:
    """A station, its scanner, and what people put into it."""

    def __init__(self, station: StationProcess, scanner: EmulatedScanner) -> None:
        self.station = station
        self.scanner = scanner
        self._numbers = count(1)

    def put(self, top: Grey, bottom: Grey) -> None:
        """Put a sheet in when the station takes one."""
        self.station.wait_for("waiting")
        assert self.scanner.wait_for(lambda status: status.feeder and status.motion == "still", 20)
        self.scanner.insert(Sheet(f"sheet-{next(self._numbers)}", top, bottom))

    def ballot(self) -> None:
        pair = scan(filled(blank_sheet()), seed=next(self._numbers))
        self.put(pair.top.pixels, pair.bottom.pixels)

    def tally_sheet(self, top: Grey, bottom: Grey) -> bool:
        """Put a tally sheet in; a person casts it if it is one that is held. Gives whether it is."""
        held = tally_reader().read(top, bottom).disposition.kind == "hold"
        self.put(top, bottom)
        if held:
            self.station.wait_for("holding")
            self.station.panel.press("cast")
        return held

    def accepted(self, ballots: int, tally_sheets: int) -> StatusDocument:
        """Wait until so many are counted."""
        return self.station.wait_until(
            lambda document: (document.state, document.count, document.tally_sheets) == ("waiting", ballots, tally_sheets)
        )

    def comes_back(self, reason: str) -> StatusDocument:
        document = self.station.wait_for("returned", reason=reason)
        assert self.scanner.remove()
        return document


@contextmanager
def day(folder: Path, election: bytes | None) -> Iterator[Day]:
    with (
        EmulatedScanner(timings=QUICK_SCANNER) as scanner,
        StationProcess(folder, scanner, election=election, forms=[FORM]) as station,
    ):
        yield Day(station, scanner)


def typed(folder: Path, *words: str) -> None:
    assert main([*words, "--config", str(folder / "station.toml")]) == 0


def exported(folder: Path, *, close: bool) -> tuple[Path, TrustList]:
    """What the station's evidence gives after the day, and the list that an authority would have signed."""
    if close:
        typed(folder, "close")
    stick = folder / ("closed" if close else "interim")
    stick.mkdir()
    typed(folder, "export", str(stick))
    (export,) = stick.iterdir()
    package = read_package(load_station_config(folder / "station.toml").definitions)
    key = VerifierKey.parse((export / "log" / "vkey").read_text().rstrip("\n"))
    return export, TrustList(package.identity(), "town", (package.sha256(),), (key,), (AUTHORITY,), (), checked=True)


def examined(export: Path, trust: TrustList) -> tuple[Verification, str]:
    """What the verifier finds, and its page."""
    seen, out = examine(export, trust, processes=1), BytesIO()
    assert seen.package is not None
    with ExportFolder(export) as folder:
        write_html(seen.verification, seen.election, partial(seen.read, folder), out, title=seen.package.title())
    return seen.verification, out.getvalue().decode()


def events(export: Path) -> list[tuple[str, dict[str, Any]]]:
    told = json.loads((export / "events.json").read_text())["Device"][0]["Event"]
    return [(event["Id"], json.loads(event["Details"])) for event in told]


def test_ballots_and_tally_sheets_go_through_the_same_station(tmp_path: Path) -> None:
    good, broken = filled_in(), filled_in(("wrong-sum",), "ruleBroken")
    assert broken.kind == "hold"
    with day(tmp_path, definition()) as at:
        at.ballot()
        at.accepted(1, 0)
        held_ones = 0 + at.tally_sheet(good.side, blank_side())
        at.accepted(1, 1)
        # Upside down, and with the form below.
        held_ones += at.tally_sheet(blank_side(), np.ascontiguousarray(good.side[::-1, ::-1]))
        at.accepted(1, 2)
        at.put(broken.side, blank_side())
        held = at.station.wait_for("holding").last_sheet
        assert held is not None
        assert held["reasons"] == broken.codes
        assert ("difference" in str(held["details"])) == bool({"ruleBroken", "totalBlank"} & set(broken.codes))
        at.station.panel.press("return")
        at.comes_back("personReturned")
        held_ones += at.tally_sheet(broken.side, blank_side())
        at.accepted(1, 3)
        at.put(blank_side(), blank_side())
        at.comes_back("lowContrast")
        at.ballot()
        at.accepted(2, 3)
        at.station.panel.turn_polls(opened=False)
        at.station.wait_for("closed")
    interim, trust = exported(tmp_path, close=False)
    assert not (interim / "tally").exists()
    assert left_open(verify(interim, trust, processes=1).checks)[:-1] == ()
    export, _ = exported(tmp_path, close=True)
    seen, page = examined(export, trust)
    assert seen.findings == ()
    assert [check.id for check in left_open(seen.checks)] == ["witness"]
    assert {outcomes(seen)[name] for name in ("tallySet", "tallySheets", "tallyRecords", "totals", "counts")} == {Outcome.PASSED}
    kinds = [sheet.kind for sheet in seen.sheets]
    assert (kinds.count(SheetKind.CAST), kinds.count(SheetKind.TALLY), kinds.count(SheetKind.RETURNED)) == (2, 3, 1)
    assert seen.totals is not None
    assert seen.totals["sheets"] == 2
    assert f"{held_ones} had been held" in check_of(seen, "tallyRecords").sentence
    told = [fields for name, fields in events(export) if name == "tallySheetAccepted"]
    records = {hashlib.sha256(path.read_bytes()).hexdigest() for path in export.glob("tally/*/record.json")}
    assert {fields["recordSha256"] for fields in told} == records
    assert [(fields["form"], fields["tallySheets"]) for fields in told] == [("lumen-harbour", number) for number in (1, 2, 3)]
    assert not list(export.glob("tally/*/cvr.json"))
    assert (export / "package/forms/lumen-harbour.toml").read_bytes() == FORM
    assert "Tally sheets: 3 sheets" in page
    assert "2 cast, 1 returned, 3 tally sheets" in page
    assert ("broken, difference" in page) == bool({"ruleBroken", "totalBlank"} & set(broken.codes))


def test_a_day_without_an_election_has_tally_sheets_alone(tmp_path: Path) -> None:
    with day(tmp_path, None) as at:
        at.tally_sheet(filled_in().side, blank_side())
        at.accepted(0, 1)
        at.put(blank_side(), blank_side())
        at.comes_back("formNotFound")
        at.station.panel.turn_polls(opened=False)
        at.station.wait_for("closed")
    typed(tmp_path, "report")
    export, trust = exported(tmp_path, close=True)
    seen, page = examined(export, trust)
    assert seen.findings == ()
    assert [check.id for check in left_open(seen.checks)] == ["witness"]
    assert seen.totals is None
    assert [(sheet.kind, sheet.repeat) for sheet in seen.sheets] == [
        (SheetKind.RETURNED, Repeat.SAME),
        (SheetKind.TALLY, Repeat.SAME),
    ]
    assert "Tally sheets: 2 sheets" in page
    assert "In the box: the log names its record" in page
    assert not (export / "results").exists()
    assert not (export / "package/election.json").exists()
    typed(tmp_path, "report")


def tampered(export: Path, change: str) -> str:
    """Change something in the tally sheets; gives the code that must be found for it."""
    (sheet,) = (export / "tally").iterdir()
    record = sheet / "record.json"
    if change == "a number":
        document = json.loads(record.read_bytes())
        name = next(name for name, value in document["fields"].items() if isinstance(value, int))
        document["fields"][name] += 1
        record.write_text(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
        return "readingDiffers"
    if change == "the sheet":
        for path in sheet.iterdir():
            path.unlink()
        sheet.rmdir()
        return "tallyMissing"
    if change == "a rule":
        form = export / "package/forms/lumen-harbour.toml"
        form.write_bytes(form.read_bytes().replace(b'title = "Port', b'title = "Fort'))
        return "packageForeign"
    if change == "the form":
        (export / "package/forms/lumen-harbour.toml").unlink()
        return "fileMissing"
    sheet.rename(export / "sheets" / sheet.name) if (export / "sheets").exists() else sheet.rename(
        export / "returned" / sheet.name
    )
    return "tallyMissing"


def test_what_is_changed_in_tally_sheets_is_found(tmp_path: Path) -> None:
    with day(tmp_path, None) as at:
        at.tally_sheet(filled_in().side, blank_side())
        at.accepted(0, 1)
        at.put(blank_side(), blank_side())
        at.comes_back("formNotFound")
        at.station.panel.turn_polls(opened=False)
        at.station.wait_for("closed")
    export, trust = exported(tmp_path, close=True)
    whole = {path.relative_to(export): path.read_bytes() for path in export.rglob("*") if path.is_file()}
    for number, change in enumerate(("a number", "the sheet", "a rule", "the form", "its place")):
        copy = tmp_path / f"copy-{number}" / export.name
        for name, content in whole.items():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes(content)
        code = tampered(copy, change)
        assert code in {one for one, _ in found(verify(copy, trust, processes=1))}, change


@pytest.mark.parametrize("definitions", ["no election and no form", "a form that is none"])
def test_a_station_that_has_nothing_to_read_does_not_start(
    tmp_path: Path, definitions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.toml").write_text("format = 1")
    head = "" if definitions.startswith("no") else '[[definitions]]\nform = "own.toml"\n'
    (tmp_path / "station.toml").write_text(f'{head}[panel]\npin_factory = "mock"\n[evidence]\nfolder = "evidence"\n')
    assert main(["run", "--config", str(tmp_path / "station.toml")]) == 2
    assert ("configInvalid" if not head else "invalidForm") in capsys.readouterr().err
