"""A made-up tally sheet from one seed: image and truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.definition.form import Form
from hil.paper.forms.handwriting import fill_in, make_writer
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.print_form import print_form, print_style
from hil.paper.forms.real_digits import real_digits_file
from hil.paper.forms.scan import DAMAGES, PRINTED, generator, lay_down, sense, shown, wear_down
from hil.paper.forms.story import rules_on_paper, tell_story
from hil.paper.forms.truth import SheetTruth

Colour = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class RenderedSheet:
    """One scan of one sheet.

    Attributes:
        image: RGB, uint8, shape (height, width, 3).
        truth: What stands on it.
    """

    image: Colour
    truth: SheetTruth


def render_sheet(form: Form, seed: int, knobs: Knobs | None = None) -> RenderedSheet:
    """Prints, fills in, wears and scans one sheet; the same arguments give the same pixels.

    Numbers, writer and print depend on the seed alone and not on dpi, rotation or damage.

    Args:
        form: Any form template.
        seed: Decides the numbers, the writer, the places of damage and the grain.
        knobs: What the sheet should be like; a clean, straight 200 dpi colour scan by default.

    Raises:
        ValueError: for a damage that does not exist, or a strength out of 0 to 100.
        KeyError: for a mistake or an extent that does not exist.
    """
    knobs = knobs or Knobs()
    for name, strength in knobs.damages.items():
        if name not in DAMAGES or not 0 <= strength <= 100:
            raise ValueError(f"{name} {strength} is no damage with a strength from 0 to 100")
    names = form.names_on(knobs.extent)
    story = tell_story(form, knobs.mistakes, generator(seed, "story"))
    share = {name: knobs.damages.get(name, 0) / 100 for name in PRINTED}
    style = print_style(form, share["missing_frames"], generator(seed, "style"))
    press = print_form(form, story, style, knobs.dpi, generator(seed, "print"))
    hand = generator(seed, "writer")
    asked = bool(hand.random() < 0.6) if knobs.digits == "either" else knobs.digits == "real"
    real = asked and real_digits_file() is not None
    writer = make_writer(form, real, share["faint_pen"], hand)
    fill_in(press, form, story, writer, share["long_strokes"], generator(seed, "writing"))
    wear_down(press, form, knobs.damages, seed)
    feed = generator(seed, "feed")
    image, way = lay_down(press, shown(form, knobs.extent, feed), knobs, feed)
    truth = SheetTruth(
        form=form.name,
        extent=knobs.extent,
        fields={name: value for name, value in story.values().items() if name in names},
        cells={name: entry.told for name, entry in story.entries.items() if name in names},
        spoiled=frozenset(name for name, entry in story.entries.items() if entry.spoiled and name in names),
        dashed=frozenset(name for name, entry in story.entries.items() if entry.dashed and name in names),
        rules=rules_on_paper(form, story, names),
        mistakes=story.mistakes,
        placement=(way.x, way.xx, way.xy, way.y, way.yx, way.yy),
        upside_down=knobs.upside_down,
        dpi=knobs.dpi,
        digits="real" if real else "own",
        damages={name: strength for name, strength in knobs.damages.items() if strength},
    )
    return RenderedSheet(sense(image, knobs.dpi, knobs, seed), truth)
