"""A person fills in the cells: one writer, with a hand and a pen of their own, over the whole sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.definition.box import Box
from edge.definition.form import Form, FormField
from hil.paper.forms import real_digits
from hil.paper.forms.glyphs import DASH as DASH_GLYPH
from hil.paper.forms.glyphs import GLYPHS, Glyph
from hil.paper.forms.press import PENS, UNITS_PER_INCH, Press, Rgb
from hil.paper.forms.story import DASH, Entry, Story
from hil.paper.stroke import InkPatch, Pen, Points, curve, draw

_HUNDREDTHS_PER_INCH = float(UNITS_PER_INCH)


@dataclass(frozen=True, slots=True)
class Writer:
    """A hand.

    Attributes:
        variants: The glyph of each digit; empty when real digits are used.
        height: Of digits as a share of the cell's height.
        slant: Shear to the right.
        stretch: Width of digits against the skeletons'.
        wobble: Scatter of knots, share of the height.
        drift: Scatter of places, share of the cell.
        raised: How far above the cell's middle digits stand, share of the cell.
        pen: Width and tooth of the pen.
        ink: Its colour.
        thin: How much real digits are thinned towards a ball pen.
    """

    variants: Mapping[int, Glyph]
    height: float
    slant: float
    stretch: float
    wobble: float
    drift: float
    raised: float
    pen: Pen
    ink: Rgb
    thin: float


def make_writer(form: Form, real: bool, faint: float, rng: np.random.Generator) -> Writer:
    """Draws a person and a pen.

    Args:
        form: Its pens are used.
        real: Digits are taken from MNIST's test images.
        faint: How much of the ink is missing, 0 to 1.
        rng: Decides everything else.
    """
    variants = {}
    for digit, glyphs in GLYPHS.items():
        names = sorted(glyphs)
        variants[digit] = glyphs[names[int(rng.integers(len(names)))]]
    name = form.colours.pen[int(rng.integers(len(form.colours.pen)))]
    lighter = faint * 0.75
    tone = np.array(PENS[name]) + rng.integers(-12, 13, 3)
    ink = np.clip(np.round(tone * (1 - lighter) + 240 * lighter), 0, 255).astype(int).tolist()
    return Writer(
        variants={} if real else variants,
        height=rng.uniform(0.5, 0.72),
        slant=rng.uniform(-0.05, 0.3),
        stretch=rng.uniform(0.85, 1.15),
        wobble=rng.uniform(0.012, 0.03),
        drift=rng.uniform(0.02, 0.06),
        raised=rng.normal(0.0, 0.03),
        # Ball pens of the real sheets leave 0.35 to 0.5 mm.
        pen=Pen(name, 0, rng.uniform(30, 50) / _HUNDREDTHS_PER_INCH, rng.uniform(0.0, 0.12) + 0.35 * faint),
        ink=(ink[0], ink[1], ink[2]),
        thin=rng.uniform(0.0, 0.6),
    )


def fill_in(press: Press, form: Form, story: Story, writer: Writer, long_strokes: float, rng: np.random.Generator) -> None:
    """Writes every field that people fill in.

    Args:
        press: The printed sheet, changed in place.
        form: Its form.
        story: What to write.
        writer: Who writes.
        long_strokes: How far some digits reach into their neighbours' cells, 0 (not) to 1.
        rng: Scatter of every stroke.
    """
    hand = _Hand(press, writer, long_strokes, rng)
    for field in form.all_fields:
        if field.written == "hand":
            hand.field(field, story.entries[field.name])


class _Hand:
    def __init__(self, press: Press, writer: Writer, long_strokes: float, rng: np.random.Generator) -> None:
        self._press, self._writer, self._long, self._rng = press, writer, long_strokes, rng

    def field(self, field: FormField, entry: Entry) -> None:
        boxes = field.cell_boxes()
        if entry.flaw == "crossed-out":
            self._number(boxes, entry.first_written)
            self._cross_out(boxes, entry.first_written)
            self._beside(field, str(entry.meant))
            return
        if entry.long_dash and entry.cells == DASH * len(boxes):
            first, last = boxes[0], boxes[-1]
            middle = first.y + first.height * self._rng.uniform(0.4, 0.6)
            tilt = self._rng.normal(0.0, 0.08) * first.height
            ends = [(first.x + 0.25 * first.width, middle), (last.x + 0.75 * last.width, middle + tilt)]
            self._strokes([curve(np.array(ends))])
            return
        self._number(boxes, entry.cells, entry)

    def _number(self, boxes: Sequence[Box], cells: str, entry: Entry | None = None) -> None:
        for place, (box, character) in enumerate(zip(boxes, cells, strict=True)):
            flawed = entry is not None and entry.flawed_cell == place
            if character == DASH:
                self._glyph(DASH_GLYPH, box, 0.6, (0.0, 0.0))
            elif character.isdigit():
                if flawed and entry is not None and entry.flaw == "overwritten":
                    self._digit(int(entry.first_written), box, (0.0, 0.0))
                outside = flawed and entry is not None and entry.flaw == "outside-cell"
                self._digit(int(character), box, self._astray() if outside else (0.0, 0.0))

    def _astray(self) -> tuple[float, float]:
        """A shift onto or beyond the frame, in shares of the cell, mostly up or down."""
        sense = 1 if self._rng.random() < 0.5 else -1
        if self._rng.random() < 0.65:
            return 0.0, sense * self._rng.uniform(0.25, 0.55)
        return sense * self._rng.uniform(0.25, 0.45), 0.0

    def _digit(self, digit: int, box: Box, shift: tuple[float, float]) -> None:
        size = self._writer.height * self._rng.normal(1.0, 0.05)
        if self._long and self._rng.random() < 0.25:
            size *= 1 + 0.9 * self._long * self._rng.uniform(0.5, 1.0)
        if self._writer.variants:
            self._glyph(self._writer.variants[digit], box, size, shift)
            return
        height = self._press.pixels(min(size * box.height, 1.35 * box.width))
        ink = real_digits.drawn(real_digits.choose(digit, self._rng), height, self._writer.thin)
        x, y = self._place(box, shift)
        left, top = self._press.pixels(x) - ink.shape[1] / 2, self._press.pixels(y) - ink.shape[0] / 2
        self._ink(InkPatch(round(left), round(top), ink))

    def _place(self, box: Box, shift: tuple[float, float]) -> tuple[float, float]:
        """Where a digit's middle goes, hundredths of a millimetre."""
        drift = self._rng.normal(0.0, self._writer.drift, 2)
        x = box.x + box.width * (0.5 + drift[0] + shift[0])
        return x, box.y + box.height * (0.5 - self._writer.raised + drift[1] + shift[1])

    def _glyph(self, glyph: Glyph, box: Box, size: float, shift: tuple[float, float]) -> None:
        writer = self._writer
        height = min(size * box.height, 1.35 * box.width)
        x, y = self._place(box, shift)
        strokes = []
        turn = self._rng.normal(0.0, 0.04)
        for part in glyph:
            knots = np.asarray(part, dtype=np.float64)
            moved = knots + self._rng.normal(0.0, writer.wobble, knots.shape)
            # Knots that stand twice make a corner: they move together.
            same = np.flatnonzero((knots[1:] == knots[:-1]).all(axis=1))
            moved[same + 1] = moved[same]
            path = curve(moved) - (0.3, 0.5)
            across = writer.stretch * path[:, 0] + writer.slant * path[:, 1]
            strokes.append(
                np.column_stack((x + height * (across + turn * path[:, 1]), y - height * (path[:, 1] - turn * across)))
            )
        self._strokes(strokes)

    def _strokes(self, strokes: Sequence[Points], pressure: float = 1.0) -> None:
        """Draws strokes given in hundredths of a millimetre."""
        scaled = [stroke * (self._press.dpi / UNITS_PER_INCH) for stroke in strokes]
        self._ink(draw(scaled, self._writer.pen, self._press.dpi, self._rng, pressure=pressure))

    def _ink(self, patch: InkPatch) -> None:
        self._press.lay(patch.left, patch.top, patch.coverage, self._writer.ink)

    def _cross_out(self, boxes: Sequence[Box], cells: str) -> None:
        """One to three strokes, or a zigzag, through all that was written."""
        written = [box for box, character in zip(boxes, cells, strict=True) if character.isdigit()] or list(boxes)
        left, right = written[0].x + 0.1 * written[0].width, written[-1].x + 0.9 * written[-1].width
        top, height = written[0].y, written[0].height
        strokes = []
        if self._rng.random() < 0.4:
            count = 5 * len(written)
            x = np.linspace(left, right, count)
            y = top + height * np.where(np.arange(count) % 2, 0.25, 0.75) + self._rng.normal(0.0, 0.05 * height, count)
            strokes.append(curve(np.column_stack((x, y))))
        else:
            for _ in range(int(self._rng.integers(1, 4))):
                ends = top + height * self._rng.uniform(0.25, 0.75, 2)
                strokes.append(curve(np.array(((left, ends[0]), ((left + right) / 2, ends.mean()), (right, ends[1])))))
        self._strokes(strokes, 1.2)

    def _beside(self, field: FormField, text: str) -> None:
        """The right number, small, to the right of the cells."""
        box = field.boxes[-1]
        height = 0.55 * box.height
        for place, character in enumerate(text):
            cell = Box(round(box.x + box.width + (0.35 + 0.55 * place) * height), box.y, round(0.5 * height), round(height))
            glyph = (self._writer.variants or {digit: next(iter(found.values())) for digit, found in GLYPHS.items()})[
                int(character)
            ]
            self._glyph(glyph, cell, 0.8, (0.0, 0.0))
