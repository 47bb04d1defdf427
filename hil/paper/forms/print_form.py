"""Printing a form: everything that stands on the paper before anybody writes on it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge.definition.box import Box, around
from edge.definition.form import Form, FormField, Group, PrintColour, PrintedCode, SumRule, Symbology
from hil.paper.forms.linear_codes import QUIET_MODULES, bars, dark_spans
from hil.paper.forms.places import FreePaper
from hil.paper.forms.press import BLACK, PRINT, Press, Rgb, fitting_size, plain
from hil.paper.forms.story import Story
from hil.paper.lettering import break_lines

_NOTE_WORDS = (
    "count",
    "paper",
    "table",
    "sheet",
    "write",
    "number",
    "witness",
    "clear",
    "place",
    "total",
    "copy",
    "sign",
    "seal",
)


@dataclass(frozen=True, slots=True)
class PrintStyle:
    """How one print run looks.

    Attributes:
        paper: Colour of the paper.
        line: Colour of frames.
        heading: Fill of headings, None for none.
        label: Fill of label boxes.
        line_width: Of frames, hundredths of a millimetre.
        module: Narrow bar of barcodes, hundredths of a millimetre.
        white_cells: Whether cells are left white on tinted paper.
        missing: Share of the frames' pieces that the press lost, 0 to 1.
        notes: Whether the free paper is printed on.
    """

    paper: Rgb
    line: Rgb
    heading: Rgb | None
    label: Rgb
    line_width: float
    module: float
    white_cells: bool
    missing: float
    notes: bool


def print_style(form: Form, missing: float, rng: np.random.Generator) -> PrintStyle:
    """Draws how a form is printed: its first print colour makes the lines (grey when it has none), yellow the headings."""
    colours: tuple[PrintColour, ...] = form.colours.print or ("grey",)
    lines: PrintColour = next((colour for colour in colours if colour not in {"yellow", "grey"}), "grey")
    pale = rng.uniform(0.0, 0.3)
    line = np.round(np.array(PRINT[lines]) * (1 - pale) + 240 * pale).astype(int).tolist()
    shade, blue = int(rng.integers(184, 222)), int(rng.integers(0, 10))
    tint = (int(rng.integers(234, 250)) + rng.integers(-5, 6, 3)).tolist() if rng.random() < 0.7 else [248, 248, 248]
    return PrintStyle(
        paper=(tint[0], tint[1], tint[2]),
        line=(line[0], line[1], line[2]),
        heading=PRINT["yellow"] if "yellow" in colours else None,
        label=(shade, shade + 1, shade + blue),
        line_width=rng.uniform(18, 32),
        module=rng.uniform(30, 36),
        white_cells=bool(rng.random() < 0.7),
        missing=missing,
        notes=bool(rng.random() < 0.8),
    )


def print_form(form: Form, story: Story, style: PrintStyle, dpi: int, rng: np.random.Generator) -> Press:
    """Prints a form with the numbers that are known before the polls open.

    Args:
        form: Any form.
        story: Codes and printed fields are taken from it.
        style: How it looks.
        dpi: Pixels per inch.
        rng: Words of the notes and lost pieces of frames.
    """
    press = Press(form.size, dpi, style.paper)
    free = FreePaper(form)
    _title(press, form, style)
    _brackets(press, form)
    for frame in form.registration.frames:
        press.rectangle(frame.x, frame.y, frame.x + frame.width, frame.y + frame.height, style.label)
        press.frame(frame, style.line_width, style.line)
    for group in form.groups:
        _heading(press, form, group, style)
        _double_lines(press, form, group, style)
    for field in form.all_fields:
        _label(press, form, field)
        for box in field.boxes:
            _cells(press, field, box, style, rng)
        if field.written == "print":
            _printed_number(press, field, story.entries[field.name].cells)
    for code in form.codes:
        _code(press, form, code, story.codes[code.name], style, free)
    if style.notes:
        _notes(press, form, style, free, rng)
    return press


def _brackets(press: Press, form: Form) -> None:
    """Each is a black L along the two sides of its box that look outwards."""
    for box in form.registration.brackets:
        arm = 0.11 * min(box.width, box.height)
        right, bottom = box.x + box.width, box.y + box.height
        if box.y + box.height / 2 < form.size[1] / 2:
            press.rectangle(box.x, box.y, right, box.y + arm, BLACK)
        else:
            press.rectangle(box.x, bottom - arm, right, bottom, BLACK)
        if box.x + box.width / 2 < form.size[0] / 2:
            press.rectangle(box.x, box.y, box.x + arm, bottom, BLACK)
        else:
            press.rectangle(right - arm, box.y, right, bottom, BLACK)


def _title(press: Press, form: Form, style: PrintStyle) -> None:
    width = form.size[0] - 6000
    for number, text in enumerate(break_lines(plain(form.title), 480, width)[:2]):
        press.text(text, form.size[0] / 2, 1650 + 560 * number, fitting_size(text, 480, width), BLACK, "middle", bold=True)
    outer = Box(1250, 1150, form.size[0] - 2500, form.size[1] - 2300)
    press.frame(outer, style.line_width, style.line)


def _heading(press: Press, form: Form, group: Group, style: PrintStyle) -> None:
    top = min(row.y for row in group.rows)
    if top < 700:
        return
    frames = [frame for field in group.fields() if (frame := form.label_of(field.boxes[0]))]
    left = min([group.x - 200, *(frame.x for frame in frames)])
    if style.heading is not None:
        press.rectangle(left, top - 620, group.x + group.width + 200, top - 190, style.heading)
    size = fitting_size(group.title, 300, group.x + group.width - left)
    press.text(group.title, (left + group.x + group.width) / 2, top - 405, size, BLACK, "middle", bold=True)


def _double_lines(press: Press, form: Form, group: Group, style: PrintStyle) -> None:
    """The line that people draw under a sum, above each total with room for it, and a note below."""
    totals = {rule.total for rule in form.rules if isinstance(rule, SumRule)}
    rows = sorted(group.rows, key=lambda row: row.y)
    for above, below in pairwise(rows):
        if f"{group.name}.{below.name}" not in totals:
            continue
        top, room = above.y + group.height, below.y - above.y - group.height
        if room < 400:
            continue
        left, right = group.x + 0.25 * group.width, group.x + 0.75 * group.width
        for middle in (top + room / 2 - 60, top + room / 2 + 60):
            press.rectangle(left, middle - 25, right, middle + 25, BLACK)
        after = min([row.y for row in rows if row.y > below.y], default=below.y)
        if after - below.y - group.height > 400:
            middle = below.y + group.height + 190
            press.text("The sum of the numbers above", group.x + group.width, middle, 200, style.line, "right")


def _label(press: Press, form: Form, field: FormField) -> None:
    """Words in the label box, else in small lines above the cells."""
    frames = [frame for box in field.boxes if (frame := form.label_of(box))]
    if frames:
        box = frames[0]
        size = fitting_size(field.label, box.height * 0.48, box.width * 0.92)
        press.text(field.label, box.x + 150, box.y + box.height / 2, size, bold=True)
        return
    whole = around(field.boxes)
    lines = break_lines(plain(field.label), 230, whole.width)
    for number, text in enumerate(reversed(lines[-2:])):
        press.text(text, whole.x, whole.y - 230 - 260 * number, fitting_size(text, 230, whole.width), bold=True)


def _cells(press: Press, field: FormField, box: Box, style: PrintStyle, rng: np.random.Generator) -> None:
    if style.white_cells:
        press.rectangle(box.x, box.y, box.x + box.width, box.y + box.height, (251, 251, 250))
    half = style.line_width / 2
    edges = [box.x + (box.width * number) // field.cells for number in range(field.cells + 1)]
    bottom = box.y + box.height
    pieces = [(edge - half, box.y - half, edge + half, bottom + half) for edge in edges]
    for left, right in pairwise(edges):
        pieces += [(left + half, edge - half, right - half, edge + half) for edge in (box.y, bottom)]
    for left_edge, top, right_edge, low in pieces:
        if rng.random() >= style.missing:
            press.rectangle(left_edge, top, right_edge, low, style.line)


def _printed_number(press: Press, field: FormField, cells: str) -> None:
    for box, character in zip(field.cell_boxes(), cells, strict=True):
        if character != " ":
            press.text(character, box.x + box.width / 2, box.y + box.height / 2, box.height * 0.52, BLACK, "middle")


def _code(press: Press, form: Form, code: PrintedCode, text: str, style: PrintStyle, free: FreePaper) -> None:
    for number, box in enumerate(code.print):
        size = min(box.height * 0.9, fitting_size(text, box.height * 0.9, box.width * 0.85))
        press.text(text, box.x + box.width / 2, box.y + box.height / 2, size, BLACK, "middle", bold=True)
        if number == 0:
            press.text(code.label, box.x + box.width / 2, box.y - 200, 220, BLACK, "middle", bold=True)
    near = code.print[0] if code.print else Box(form.size[0] // 2, 0, 1, 1)
    for number, symbology in enumerate(code.barcodes):
        near_x = near.x + near.width / 2 if number == 0 else form.size[0] - 3000
        near_y = near.y + near.height / 2 if number == 0 else 3000
        _barcode(press, symbology, text, style.module, free, (near_x, near_y))


def _barcode(press: Press, symbology: Symbology, text: str, module: float, free: FreePaper, near: tuple[float, float]) -> None:
    """Bars on white, as near to a point as there is room; smaller where there is little."""
    widths = bars(symbology, text)
    across = sum(widths) + 2 * QUIET_MODULES
    for height, scale in ((1600, 1.0), (1100, 1.0), (900, 0.9)):
        box = free.nearest(round(across * module * scale), height, *near)
        if box is None:
            continue
        press.rectangle(box.x, box.y, box.x + box.width, box.y + box.height, (250, 250, 250))
        start = box.x + QUIET_MODULES * module * scale
        for left, right in dark_spans(widths):
            press.rectangle(start + left * module * scale, box.y, start + right * module * scale, box.y + box.height, BLACK)
        return


def _notes(press: Press, form: Form, style: PrintStyle, free: FreePaper, rng: np.random.Generator) -> None:
    """Small print and boxes to be signed, which look like cells and are none."""
    width, height = form.size
    for _ in range(3):
        box = free.nearest(5200, 1500, rng.uniform(0, width), rng.uniform(0, height))
        if box is None:
            break
        for line in range(4):
            words = " ".join(rng.choice(_NOTE_WORDS, 7))
            press.text(words, box.x, box.y + 200 + 330 * line, 220, BLACK if line % 2 else style.line)
    for _ in range(2):
        box = free.nearest(6200, 620, rng.uniform(0, width), rng.uniform(0, height))
        if box is None:
            break
        press.frame(Box(box.x + 1200, box.y, 5000, box.height), style.line_width, style.line)
        for number in range(1, 10):
            x = box.x + 1200 + 500 * number
            press.rectangle(x - style.line_width / 2, box.y, x + style.line_width / 2, box.y + box.height, style.line)
        press.text("SIGNED", box.x, box.y + box.height / 2, 240)
