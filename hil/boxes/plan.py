"""What the campaign's pictures are like, all from a seed: scans with damage, photographs, and pictures without the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge.definition.form import Form, shipped_forms
from hil.boxes.truth import Points, placed_by, shown_names, true_boxes
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.scan import DAMAGES, generator
from hil.paper.forms.sheet import RenderedSheet, render_sheet
from hil.paper.photos.decoys import KINDS as DECOYS
from hil.paper.photos.decoys import paint_decoy
from hil.paper.photos.knobs import PhotoKnobs, random_knobs
from hil.paper.photos.paper import Sheet
from hil.paper.photos.photo import take_photo
from hil.sheets.plan import form_of

Kind = Literal["real", "scan", "photo", "none"]
KINDS: tuple[Kind, ...] = ("real", "scan", "photo", "none")
"""Real sheets, rendered scans, rendered photographs, and pictures without the form that is sought in them."""
OTHERS = ("papers", "other form scanned", "other form photographed")
"""What pictures without the form show."""
Colour = npt.NDArray[np.uint8]

_MOST_DAMAGE = 45
"""Half as bad again as a bad day, see `Knobs.damages`."""
PHOTO_SIZES = ((4000, 3000), (4032, 3024), (4624, 3468))
"""Pixels of telephones' pictures: 12 to 16 million."""
_PAPERS_SIZE = (2400, 1800)
_LEAST_DPI = 130
"""In the middle of a photograph: below 110 the form is refused as too small to be read."""
_MOST_BLUR = 18
"""Hundredths of a millimetre on the paper: sigma of the defocus, and a third of the way that the hand moves. Beyond it people
have trouble with small print, too."""
_MOST_NOISE, _MOST_GLARE = 6.0, 0.2
"""A telephone's in a lit room, and a lamp that does not wipe out a tenth of the table."""
_PHOTO_DPI = 250
UNITS_PER_INCH = 2540


@dataclass(frozen=True, slots=True)
class BoxPlan:
    """One picture of the campaign.

    Attributes:
        seed: Decides everything.
        kind: What it is.
        form: Name of the form that is sought in it.
        trouble: What is wrong with it, for the table: a damage, a word for the photograph, or what it shows in place of the form.
        knobs: Of the sheet.
        photo: Of the photograph; None for a scan.
        shown: Name of the form that is in it; None for none.
        file: Of a real sheet.
    """

    seed: int
    kind: Kind
    form: str
    trouble: str
    knobs: Knobs
    photo: PhotoKnobs | None
    shown: str | None
    file: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and where the form's boxes lie in it.

    Attributes:
        image: RGB uint8 (height, width, 3), or grey uint8 (height, width).
        boxes: Corners of all the form's boxes by their names, pixels, also of those beside the image.
        expected: Names of those that must be found.
        in_sight: Part of the form's table, 0 to 1, that the picture shows and nothing covers.
    """

    image: Colour
    boxes: Mapping[str, Points]
    expected: frozenset[str]
    in_sight: float = 1.0


def plan_scan(seed: int, forms: tuple[str, ...]) -> BoxPlan:
    """A scan with one damage or none; forms and damages take turns."""
    rng = generator(seed, "boxes")
    name = forms[seed % len(forms)]
    troubles = (*DAMAGES, "none")
    trouble = troubles[(seed // len(forms)) % len(troubles)]
    parts = [extent.name for extent in form_of(name).extents]
    crop = bool(parts) and rng.random() < 0.35
    knobs = Knobs(
        dpi=int(rng.choice((150, 200, 300, rng.integers(150, 301)), p=(0.3, 0.35, 0.1, 0.25))),
        rotation=round(float(rng.uniform(-5, 5)), 2) if rng.random() < 0.7 else 0.0,
        upside_down=bool(rng.random() < 0.15),
        extent=parts[int(rng.integers(len(parts)))] if crop else "sheet",
        colour="grey" if rng.random() < 0.3 else "colour",
        damages={} if trouble == "none" else {trouble: int(rng.integers(5, _MOST_DAMAGE + 1))},
    )
    return BoxPlan(seed, "scan", name, trouble, knobs, None, name)


def plan_photo(seed: int, forms: tuple[str, ...], sizes: Sequence[tuple[int, int]] = PHOTO_SIZES) -> BoxPlan:
    """A photograph of one sheet; every other one has made-up papers around it. Sizes are of the longer and the shorter side."""
    rng = generator(seed, "photo boxes")
    name = forms[seed % len(forms)]
    width, height = sizes[int(rng.integers(len(sizes)))]
    form = form_of(name)
    # Whoever photographs a sheet holds the camera as the sheet lies.
    size = (width, height) if form.size[0] >= form.size[1] else (height, width)
    shot = random_knobs(rng, size, severity=0.5)
    fits = min(size[0] / form.size[0], size[1] / form.size[1]) * UNITS_PER_INCH
    least = min(1.0, _LEAST_DPI / fits * 1.25)
    shot = replace(
        shot,
        share=float(rng.uniform(max(0.7, least), 1.0)),
        neighbours=int(rng.integers(0, 4)) * (seed // 2 % 2),
        noise=min(shot.noise, _MOST_NOISE),
        glare=min(shot.glare, _MOST_GLARE),
    )
    sharp = _MOST_BLUR * 1000 / (max(size) / (fits * shot.share) * UNITS_PER_INCH)
    shot = replace(shot, blur=min(shot.blur, sharp), motion=min(shot.motion, 3 * sharp))
    trouble = "turned" if shot.rotation is None else "glare" if shot.glare else "shadow" if shot.shadow else "plain"
    if shot.occluders:
        trouble = "things on it"
    return BoxPlan(seed, "photo", name, trouble, Knobs(dpi=_PHOTO_DPI), shot, name)


def plan_none(seed: int, forms: tuple[str, ...], sizes: Sequence[tuple[int, int]] = PHOTO_SIZES) -> BoxPlan:
    """A picture without the form that is sought: made-up papers, or another form, scanned or photographed."""
    rng = generator(seed, "no form")
    sought = forms[seed % len(forms)]
    what = OTHERS[(seed // len(forms)) % len(OTHERS)]
    if what == "papers":
        flat = bool(rng.random() < 0.5)
        shot = replace(
            random_knobs(rng, _PAPERS_SIZE, "scan" if flat else "clutter"),
            neighbours=0 if flat else int(rng.integers(2, 7)),
        )
        return BoxPlan(seed, "none", sought, what, Knobs(), shot, None)
    others = tuple(name for name in shipped_forms() if name != sought)
    plan = plan_scan(seed, others) if what == "other form scanned" else plan_photo(seed, others, sizes)
    return replace(plan, kind="none", form=sought, trouble=what)


def picture_of(plan: BoxPlan) -> Picture:
    """Makes the picture of a plan that has no file."""
    form = form_of(plan.form)
    if plan.photo is not None:
        return _photographed(plan, plan.photo)
    if plan.shown is None:
        raise ValueError("a picture of papers is a photograph")
    sheet = render_sheet(form_of(plan.shown), plan.seed, plan.knobs)
    image = sheet.image[:, :, 0].copy() if plan.knobs.colour == "grey" else sheet.image
    if plan.shown != plan.form:
        return Picture(image, {}, frozenset())
    return Picture(image, true_boxes(form, placed_by(sheet.truth.placement)), shown_names(form, plan.knobs.extent))


def _photographed(plan: BoxPlan, shot: PhotoKnobs) -> Picture:
    if plan.shown is None:
        rng = generator(plan.seed, "papers")
        sheet = paint_decoy(DECOYS[int(rng.integers(len(DECOYS)))], rng)
    else:
        shown = form_of(plan.shown)
        sheet = _paper(render_sheet(shown, plan.seed, plan.knobs), shown)
    photo = take_photo([sheet], plan.seed, shot)
    if plan.shown != plan.form:
        return Picture(photo.image, {}, frozenset())
    form, told = form_of(plan.form), photo.shown[0]
    return Picture(photo.image, true_boxes(form, told.place), shown_names(form, "sheet"), told.share)


def _paper(sheet: RenderedSheet, form: Form) -> Sheet:
    """The paper of a straight scan, without the scanner's bed."""
    x, scale, _, y, _, _ = sheet.truth.placement
    left, top = max(0, round(x)), max(0, round(y))
    right, bottom = round(x + form.size[0] * scale), round(y + form.size[1] * scale)
    return Sheet(form.name, sheet.image[top:bottom, left:right], ((left - x) / scale, (top - y) / scale), scale)
