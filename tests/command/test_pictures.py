"""`--debug-dir`: which pictures are drawn, and that nothing foreign is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from edge.ballot.draw import ORANGE, VERMILION, grid_picture, page_pictures
from edge.ballot.grid import Found
from edge.ballot.interpret import ScannedSheet, interpret
from edge.cli import main
from edge.definition.settings import SystemSettings
from edge.page.streaks import Streak
from tests.command.conftest import Ballots

if TYPE_CHECKING:
    from pathlib import Path

    from edge.ballot.result import Interpretation


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def draw(folder: Path, arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = main(["interpret", *arguments, "--debug-dir", str(folder), "--json"])
    return status, *capfd.readouterr()


@pytest.fixture(scope="module")
def turned(ballots: Ballots) -> Interpretation:
    front, back = (np.ascontiguousarray(page[::-1, ::-1]) for page in ballots.pages(ballots.first_options()))
    return interpret(ScannedSheet(front, back), ballots.election, SystemSettings())


def test_every_step_of_a_good_sheet_is_drawn(voted: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "pictures"
    status, out, err = draw(folder, voted, capfd)
    assert (status, err) == (0, "")
    main(["interpret", *voted, "--json"])
    assert capfd.readouterr().out == out
    both = {f"{step}-{side}.png" for step in ("1-paper", "2-bits", "3-grid", "5-code") for side in ("front", "back")}
    assert names(folder) - {"4-marks-back.png"} == both | {"4-marks-front.png"}
    for path in folder.iterdir():
        with Image.open(path) as picture:
            picture.verify()


def test_the_bilevel_picture_is_the_page_itself(turned: Interpretation) -> None:
    for reading in turned.pages:
        assert np.array_equal(~np.asarray(page_pictures(reading)["2-bits"]), reading.page.bits.astype(bool))


def test_the_code_of_a_turned_sheet_is_drawn_upright(turned: Interpretation, ballots: Ballots) -> None:
    upright = interpret(ScannedSheet(*ballots.pages(ballots.first_options())), ballots.election, SystemSettings())
    pictures = [np.asarray(page_pictures(reading.pages[0])["5-code"]) for reading in (turned, upright)]
    assert [reading.pages[0].upside_down for reading in (turned, upright)] == [True, False]
    height = min(len(picture) for picture in pictures)
    differing = np.any(pictures[0][-height:] != pictures[1][-height:], axis=2).mean()
    assert differing < 0.01  # the cross on the code may stand a pixel away


def test_marks_are_coloured_by_how_they_are_known(turned: Interpretation) -> None:
    reading = turned.pages[0]
    assert reading.grid is not None
    before = np.asarray(grid_picture(reading.page, reading.grid, ()))
    reading.grid.left_found[3], reading.grid.right_found[5] = Found.INFERRED, Found.FITTED
    after = np.asarray(grid_picture(reading.page, reading.grid, (Streak(700, 702),)))
    reading.grid.left_found[3], reading.grid.right_found[5] = Found.MEASURED, Found.MEASURED

    def count(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], colour: tuple[int, int, int]) -> int:
        return int(np.all(picture == colour, axis=2).sum())

    assert count(after, VERMILION) > count(before, VERMILION) + 100
    assert count(after, ORANGE) > count(before, ORANGE) + 100


def test_a_refused_sheet_is_drawn_as_far_as_it_got(
    ballots: Ballots, voted: list[str], twice_the_front: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert draw(tmp_path / "whole", twice_the_front, capfd)[0] == 3
    assert names(tmp_path / "whole") == {f"{step}-scan-{scan}.png" for step in ("1-paper", "2-bits", "3-grid") for scan in "ab"}

    scrap = tmp_path / "scrap.png"
    Image.fromarray(ballots.pages([])[0][:900]).save(scrap)
    assert draw(tmp_path / "scrap", [str(scrap), *voted[1:]], capfd)[0] == 3
    assert "2-bits-scan-a.png" in names(tmp_path / "scrap")
    assert "3-grid-scan-a.png" not in names(tmp_path / "scrap")

    dark = tmp_path / "dark.png"
    Image.new("L", (300, 300), 0).save(dark)
    assert draw(tmp_path / "dark", [str(dark), *voted[1:]], capfd)[0] == 3
    assert names(tmp_path / "dark") >= {"1-paper-scan-a.png", "3-grid-scan-b.png"}


def test_pictures_of_an_earlier_sheet_are_replaced(
    voted: list[str], twice_the_front: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert draw(tmp_path, voted, capfd)[0] == 0
    assert draw(tmp_path, twice_the_front, capfd)[0] == 3
    assert not any("front" in name for name in names(tmp_path))
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("kind", ["text", "picture", "link", "folder"])
def test_a_foreign_file_by_our_name_is_left_alone(
    kind: str, voted: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = tmp_path / "1-paper-front.png"
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("mine")
    match kind:
        case "text":
            ours.write_text("mine")
        case "picture":
            Image.new("L", (10, 10)).save(ours)
        case "link":
            ours.symlink_to(elsewhere)
        case _:
            ours.mkdir()
    before = names(tmp_path)
    status, out, err = draw(tmp_path, voted, capfd)
    assert (status, out) == (2, "")
    assert err.startswith("scrutineer: debugDirUnusable: ")
    assert names(tmp_path) == before
    assert elsewhere.read_text() == "mine"


def test_a_file_is_no_folder(voted: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for path in (file, file / "below"):
        status, out, err = draw(path, voted, capfd)
        assert (status, out) == (2, "")
        assert err.startswith("scrutineer: debugDirUnusable: ")
    assert file.read_text() == "mine"
