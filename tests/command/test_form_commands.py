"""`scrutineer interpret --form` from the outside: what it prints, where, and how it exits.

What stands on a sheet is made up here from the level of its first pixel; reading real ones is tested with edge.tally.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rfc8785
from PIL import Image

from edge import cli
from edge.ballot.draw import BLUE
from edge.commands import interpret_form as command
from edge.commands.error import CommandError
from edge.commands.form_table import form_table
from edge.definition.form import Form, load_form, shipped_forms
from edge.inference.error import ModelError
from edge.page.area import Area
from edge.tally.decide import decide_tally
from edge.tally.record import tally_record
from edge.tally.result import FieldReading, TallyInterpretation
from edge.tally.scan import TallyScan
from tests.tally.test_record import CODE, as_read, doubtful, refused
from tests.tally.test_rules import FORM
from tests.tally.test_suggestions import cell, sheet

GOOD, BLANK_TOTAL, UNREAD, OTHER_PAPER, CROP, MISTAKE = range(0, 240, 40)
"""Levels of the first pixel, and what the made-up reader makes of such a sheet."""
BAD_USE = 2


def made_up(scan: TallyScan, form: Form, reader: object) -> TallyInterpretation:
    level = int(scan.print[0, 0])
    makers: dict[int, Callable[[], TallyInterpretation]] = {
        GOOD: lambda: as_read(form, sheet()),
        BLANK_TOTAL: lambda: as_read(form, sheet(votes_valid=None)),
        UNREAD: lambda: as_read(form, sheet() | {"votes.a": doubtful("votes.a", None, "lowMargin", None)}),
        OTHER_PAPER: lambda: refused(form),
        CROP: lambda: as_read(form, sheet(), "table"),
    }
    return makers[level]()


@pytest.fixture(scope="session")
def form() -> Form:
    return load_form(FORM + CODE)


@pytest.fixture
def form_file(tmp_path: Path) -> str:
    (tmp_path / "three.toml").write_bytes(FORM + CODE)
    return str(tmp_path / "three.toml")


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands read with the made-up reader."""
    monkeypatch.setattr(command, "tally_readers", lambda: None)
    monkeypatch.setattr(command, "interpret_tally", made_up)


def image(path: Path, level: int, *, colour: bool = False) -> str:
    pixels = np.full((300, 250, 3) if colour else (300, 250), 255, np.uint8)
    pixels[0, 0] = level
    Image.fromarray(pixels).save(path)
    return str(path)


def interpret(*arguments: str) -> int:
    return cli.main(["interpret", *arguments])


def complaint(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The code on stderr of a command that could not work."""
    assert interpret(*arguments) == BAD_USE
    out, err = capfd.readouterr()
    assert out == ""
    program, code, detail = err.split(": ", 2)
    assert program == "scrutineer"
    assert detail.strip()
    return code


@pytest.mark.parametrize(("level", "status"), [(GOOD, 0), (BLANK_TOTAL, 4), (UNREAD, 4), (OTHER_PAPER, 3), (CROP, 0)])
def test_the_record_and_the_status(
    level: int, status: int, form: Form, form_file: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = image(tmp_path / "sheet.png", level)
    assert interpret(path, "--form", form_file, "--json") == status
    out, err = capfd.readouterr()
    scan = TallyScan(np.full((1, 1), level, np.uint8), np.full((1, 1), level, np.uint8))
    interpretation = made_up(scan, form, None)
    assert out.encode() == tally_record(interpretation, decide_tally(interpretation, form)) + b"\n"
    assert out.encode() == rfc8785.dumps(json.loads(out)) + b"\n"
    assert err == ""


def test_a_shipped_form_goes_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def told(scan: TallyScan, form: Form, reader: object) -> TallyInterpretation:
        seen.append(form.name)
        return refused(form)

    monkeypatch.setattr(command, "interpret_tally", told)
    for name in shipped_forms():
        assert interpret(image(tmp_path / "sheet.png", GOOD), "--form", name, "--json") == 3
    assert tuple(seen) == shipped_forms()


def test_the_other_side_is_read_where_the_first_is_not_the_form(
    form_file: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good, other = image(tmp_path / "good.png", GOOD), image(tmp_path / "other.png", OTHER_PAPER)
    for sides, status in (((good, other), 0), ((other, good), 0), ((other, other), 3)):
        assert interpret(*sides, "--form", form_file, "--json") == status
    held = image(tmp_path / "held.png", UNREAD)
    assert interpret(held, good, "--form", form_file) == 4


def test_wrong_use_is_told(form_file: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = image(tmp_path / "sheet.png", GOOD)
    assert complaint(capfd, path, "--form", "no-such-form") == "unknownForm"
    assert complaint(capfd, path, "--form", str(tmp_path / "none.toml")) == "fileNotFound"
    (tmp_path / "folder.toml").mkdir()
    assert complaint(capfd, path, "--form", str(tmp_path / "folder.toml")) == "fileUnreadable"
    (tmp_path / "broken.toml").write_bytes(FORM.replace(b"addends", b"adends"))
    assert complaint(capfd, path, "--form", str(tmp_path / "broken.toml")) == "invalidForm"
    assert complaint(capfd, path, "--form", form_file, "--settings", "s.json") == "badUse"
    assert complaint(capfd, path, "--form", form_file, "--ballot-hash", "0" * 20) == "badUse"
    assert complaint(capfd, path, "--election", "e.json") == "badUse"
    assert complaint(capfd, str(tmp_path / "none.png"), "--form", form_file) == "imageNotFound"
    (tmp_path / "bad.png").write_bytes(b"no image")
    assert complaint(capfd, str(tmp_path / "bad.png"), "--form", form_file) == "imageUnreadable"
    assert complaint(capfd, path, str(tmp_path / "bad.png"), "--form", form_file) == "imageUnreadable"


@pytest.mark.parametrize("both", [["--form", "lumen-harbour", "--election", "e.json"], []], ids=["both", "neither"])
def test_a_sheet_is_a_ballot_or_a_form(both: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_of:
        interpret("a.png", "b.png", *both)
    assert exit_of.value.code == BAD_USE
    assert "scrutineer: badUse: " in capfd.readouterr().err


def test_a_changed_model_is_told(
    form_file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def changed() -> None:
        raise ModelError("modelChanged", "not the released one")

    monkeypatch.setattr(command, "tally_readers", changed)
    assert complaint(capfd, image(tmp_path / "sheet.png", GOOD), "--form", form_file) == "modelChanged"


def table(interpretation: TallyInterpretation, form: Form, width: int = 100) -> list[str]:
    lines = form_table(interpretation, decide_tally(interpretation, form), form, width=width).split("\n")
    assert all(len(line) <= width for line in lines)
    return lines


def test_the_table_shows_every_number_and_the_verdict(form: Form) -> None:
    lines = table(as_read(form, sheet(votes_blank=None, urn=" 42")), form)
    assert lines[0] == "Three rules"
    assert lines[1] == "form three-rules, the whole sheet, upside down, 200 dpi, 11 of 12 frames found"
    values = {" ".join(line.split()[:-1]): line.split()[-1] for line in lines[3:] if line.startswith("    ") and "[" not in line}
    assert values == {
        "A": "30",
        "B": "12",
        "Valid": "42",
        "Blank": "blank",
        "Papers": "42",
        "Voters": "60",
        "Closed": "16:05",
        "Station": "00417",
    }
    assert lines[-2] == "ACCEPT: every field was read and the numbers agree."


def test_the_table_says_what_does_not_add_up_and_what_would_mend_it(form: Form) -> None:
    text = "\n".join(table(as_read(form, sheet(votes_valid=None)), form))
    assert "    [!] valid: votes.valid is blank, and its parts add up to 42" in text
    assert "    votes.valid: left blank; 42 would mend valid, urn" in text
    assert "HOLD: a person must look at this sheet." in text
    assert "\n- valid: votes.valid is blank, and its parts add up to 42 (difference 42) (totalBlank)\n" in text
    text = "\n".join(table(as_read(form, sheet(votes_valid=" 47")), form))
    assert "    votes.valid: cell 3 as 2, not 7, makes 42; mends valid, urn" in text
    assert "-5\n" in text


def test_the_table_shows_an_unread_field_as_far_as_it_goes(form: Form) -> None:
    unread = replace(cell(3), state="unreadable", digit=None, accepted=False, doubt="lowMargin")
    field = FieldReading("votes.a", None, "cellUnread", (cell(10), cell(4), unread), "cell 3: lowMargin")
    lines = table(as_read(form, sheet() | {"votes.a": field}), form)
    assert f"    A{'_4? (cellUnread)':>95}" in lines
    assert "    [ ] valid: not checked; could not be read: votes.a" in lines


def test_the_table_of_a_crop_leaves_out_what_it_does_not_show(form: Form) -> None:
    lines = table(as_read(form, sheet(), "table"), form)
    assert "the part table alone" in lines[1]
    assert not any("Voters" in line or "Other fields" in line for line in lines)


def test_the_table_of_another_paper(form: Form) -> None:
    lines = table(refused(form), form, width=60)
    assert lines[-3:] == [
        "RETURN: this sheet cannot be read as this form.",
        "- 3 of 12 frames were found (formNotFound)",
        "=" * 60,
    ]


def test_a_label_cannot_drive_the_terminal() -> None:
    form = load_form((FORM + CODE).replace(b'label = "A"', b'label = "A\\u001b[2J\\nB"'))
    text = "\n".join(table(as_read(form, sheet()), form))
    assert "\x1b" not in text
    assert "    A [2J B" in text


def test_the_verdict_is_coloured_only_where_asked(form: Form) -> None:
    interpretation = as_read(form, sheet())
    disposition = decide_tally(interpretation, form)
    assert "\x1b[1;32mACCEPT" in form_table(interpretation, disposition, form, colour=True)


def test_the_table_is_printed(form_file: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert interpret(image(tmp_path / "sheet.png", GOOD), "--form", form_file) == 0
    out, err = capfd.readouterr()
    assert (out.splitlines()[0], err) == ("Three rules", "")


def test_the_pictures_show_the_planes_and_the_cells(
    form: Form, form_file: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"
    path = image(tmp_path / "sheet.png", GOOD, colour=True)
    assert interpret(path, "--form", form_file, "--debug-dir", str(folder), "--json") == 0
    assert {entry.name for entry in folder.iterdir()} == {"1-paper-print.png", "1-paper-pen.png", "4-marks-cells.png"}
    other = image(tmp_path / "other.png", OTHER_PAPER)
    assert interpret(other, "--form", form_file, "--debug-dir", str(folder), "--json") == 3
    assert {entry.name for entry in folder.iterdir()} == {"1-paper-print.png"}


def test_cells_are_drawn_on_the_upright_sheet(form: Form) -> None:
    pixels = np.full((300, 250), 255, np.uint8)
    pixels[0, 0] = 0
    scan = TallyScan(pixels, pixels)
    low = replace(cell(4), area=Area(100, 50, 40, 60), accepted=False)
    interpretation = as_read(form, {"votes.a": FieldReading("votes.a", 4, None, (low,))})
    assert interpretation.placement is not None
    picture = np.asarray(command.cell_picture(scan, interpretation))
    assert tuple(picture[-1, -1]) == (150, 150, 150)
    assert tuple(picture[80, 101]) == BLUE
    assert tuple(picture[80, 120]) == (255, 255, 255)
    upright = replace(interpretation, placement=replace(interpretation.placement, upside_down=False), fields={})
    assert tuple(np.asarray(command.cell_picture(scan, upright))[0, 0]) == (150, 150, 150)


def test_a_form_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(FORM + b"#" * (1 << 20))
    with pytest.raises(CommandError, match="invalidForm"):
        command.read_form(str(tmp_path / "large.toml"))
