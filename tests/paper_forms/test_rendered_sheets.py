"""Rendered sheets: the same from the same seed, everything where the truth says, colours as the form says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import zxingcpp

from edge.definition.form import ABSORBED, REFLECTED, Form, load_form, shipped_form, shipped_forms
from edge.tally.scan import colour_scan
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.press import PENS, PRINT
from hil.paper.forms.scan import DAMAGES
from hil.paper.forms.sheet import RenderedSheet, render_sheet
from hil.paper.forms.story import MISTAKES

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
OWN = Knobs(dpi=150, digits="own")
CODES = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.Code39Std])


def position(sheet: RenderedSheet, x: float, y: float) -> tuple[int, int]:
    """Column and row of the pixel that shows a point of the form."""
    p = sheet.truth.placement
    return int(p[0] + p[1] * x + p[2] * y), int(p[3] + p[4] * x + p[5] * y)


def around(plane: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], at: tuple[int, int], reach: int = 2) -> int:
    """The darkest pixel near a place."""
    column, row = at
    return int(plane[row - reach : row + reach + 1, column - reach : column + reach + 1].min())


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_seed_gives_one_image(name: str) -> None:
    knobs = replace(OWN, rotation=2.0, damages={"noise": 20, "stain": 40, "stray_lines": 30}, mistakes=("crossed-out",))
    first, second = (render_sheet(FORMS[name], 5, knobs) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert first.truth == second.truth
    assert not np.array_equal(first.image, render_sheet(FORMS[name], 6, knobs).image)


def test_the_numbers_do_not_depend_on_the_scan() -> None:
    form = FORMS["lumen-harbour"]
    plain = render_sheet(form, 9, OWN).truth
    worn = render_sheet(
        form, 9, replace(OWN, dpi=200, rotation=-3.0, upside_down=True, colour="grey", damages={"blur": 30})
    ).truth
    part = render_sheet(form, 9, replace(OWN, extent="count")).truth
    assert plain.fields == worn.fields
    assert plain.cells == worn.cells
    assert part.fields == {name: value for name, value in plain.fields.items() if name in form.names_on("count")}
    assert {name for name, holds in part.rules.items() if holds is not None} == {"valid"}


@pytest.mark.parametrize("name", sorted(FORMS))
@pytest.mark.parametrize(
    "knobs",
    [
        OWN,
        replace(OWN, rotation=5.0),
        replace(OWN, rotation=-4.0, upside_down=True),
        replace(OWN, extent="part", rotation=3.0),
        replace(OWN, dpi=300, stretch=-0.01),
    ],
    ids=["straight", "rotated", "upside-down", "part", "300-dpi-stretched"],
)
def test_everything_lies_where_the_truth_says(name: str, knobs: Knobs) -> None:
    form = FORMS[name]
    if knobs.extent == "part":
        knobs = replace(knobs, extent=form.extents[0].name)
    sheet = render_sheet(form, 3, knobs)
    scan = colour_scan(sheet.image, form)
    height, width = scan.print.shape
    for field_name in sheet.truth.cells:
        for box in form.by_name[field_name].cell_boxes():
            middles = [
                (box.x, box.y + box.height / 2),
                (box.x + box.width, box.y + box.height / 2),
                (box.x + box.width / 2, box.y),
                (box.x + box.width / 2, box.y + box.height),
            ]
            for x, y in middles:
                column, row = position(sheet, x, y)
                assert 0 < column < width
                assert 0 < row < height
                beside = np.median(scan.print[row - 12 : row + 13, column - 12 : column + 13])
                assert around(scan.print, (column, row)) < beside - 30


@pytest.mark.parametrize("name", sorted(FORMS))
def test_print_drops_out_of_the_pen_plane_and_writing_stays(name: str) -> None:
    form = FORMS[name]
    sheet = render_sheet(form, 4, replace(OWN, dpi=200))
    pen = colour_scan(sheet.image, form).pen
    lines, written = [], []
    for field_name, cells in sheet.truth.cells.items():
        field = form.by_name[field_name]
        for box, character in zip(field.cell_boxes(), cells, strict=True):
            # A quarter along the upper line: digits stand in the middle.
            lines.append(around(pen, position(sheet, box.x + box.width / 5, box.y), 1))
            if character.isdigit():
                written.append(around(pen, position(sheet, box.x + box.width / 2, box.y + box.height / 2), 24))
    assert np.median(lines) > 190
    assert max(written) < 120


def test_inks_have_the_channels_that_forms_count_on() -> None:
    for colour, channels in REFLECTED.items():
        assert all(PRINT[colour][channel] > 190 for channel in channels)
        assert any(PRINT[colour][channel] < 150 for channel in {0, 1, 2} - channels)
    for pen, absorbed in ABSORBED.items():
        assert all(PENS[pen][channel] < 100 for channel in absorbed)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_the_barcodes_say_the_code(name: str) -> None:
    form = FORMS[name]
    sheet = render_sheet(form, 8, replace(OWN, dpi=200, rotation=1.0))
    found = zxingcpp.read_barcodes(colour_scan(sheet.image, form).print, formats=CODES)
    assert len(found) == sum(len(code.barcodes) for code in form.codes)
    assert {code.text for code in found} == {sheet.truth.fields[code.name] for code in form.codes}


def test_a_grey_scan_has_no_colours() -> None:
    image = render_sheet(FORMS["bo-2019-a1"], 1, replace(OWN, colour="grey", extent="table")).image
    assert (image == image[:, :, :1]).all()
    colours = render_sheet(FORMS["bo-2019-a1"], 1, replace(OWN, extent="table")).image.astype(int)
    assert (np.ptp(colours, axis=2) > 40).mean() > 0.001


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_shows(damage: str) -> None:
    form = FORMS["lumen-harbour"]
    clean = render_sheet(form, 2, OWN)
    worn = render_sheet(form, 2, replace(OWN, damages={damage: 60}))
    assert clean.truth == replace(worn.truth, damages={})
    assert worn.truth.damages == {damage: 60}
    away = np.abs(clean.image.astype(int) - worn.image.astype(int))
    assert away.max() > 30
    assert np.array_equal(render_sheet(form, 2, replace(OWN, damages={damage: 0})).image, clean.image)


@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_every_mistake_shows(mistake: str) -> None:
    form = FORMS["bo-2019-a1"]
    sheets = [render_sheet(form, 11, replace(OWN, mistakes=made)) for made in ((), (mistake,))]
    assert sheets[1].truth.mistakes == (mistake,)
    assert not np.array_equal(sheets[0].image, sheets[1].image)


def test_writing_stays_off_blank_cells() -> None:
    form = FORMS["bo-2019-a1"]
    for seed in range(4):
        sheet = render_sheet(form, seed, replace(OWN, extent="table"))
        pen = colour_scan(sheet.image, form).pen
        for field_name, cells in sheet.truth.cells.items():
            for box, character in zip(form.by_name[field_name].cell_boxes(), cells, strict=True):
                darkest = around(pen, position(sheet, box.x + box.width / 2, box.y + box.height / 2), 12)
                assert (darkest > 160) == (character == " ")


def test_a_form_without_print_colours_brackets_or_frames_is_rendered() -> None:
    bare: Form = load_form(
        b'format = "scrutineer-form-1"\nname = "bare"\ntitle = ""\nsize = [9000, 6000]\n[colours]\npen = ["green"]\n'
        b'[[fields]]\nname = "only"\nlabel = "Only"\nboxes = [[3000, 3000, 2000, 1000]]\ncells = 2\n'
        b'[[codes]]\nname = "code"\nlabel = "Code"\ndigits = [3, 3]\nbarcodes = ["code39"]\n'
    )
    sheet = render_sheet(bare, 1, replace(OWN, dpi=200))
    assert sheet.image.shape[0] == pytest.approx(6000 / 2540 * 200, rel=0.15)
    assert sheet.truth.fields.keys() == {"only", "code"}


def test_what_does_not_exist_is_refused() -> None:
    form = FORMS["lumen-harbour"]
    with pytest.raises(ValueError, match="no damage"):
        render_sheet(form, 1, Knobs(damages={"fire": 10}))
    with pytest.raises(ValueError, match="no damage"):
        render_sheet(form, 1, Knobs(damages={"blur": 101}))
    with pytest.raises(KeyError):
        render_sheet(form, 1, Knobs(extent="attic"))
