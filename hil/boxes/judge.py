"""One picture made, its boxes found, and held against the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from edge.definition.form import Form
from edge.inference.regions import region_finder
from edge.tally.boxes import FoundBox, found_boxes
from edge.tally.place import Placed, place_form
from edge.tally.result import Refusal
from edge.tally.scan import TallyScan, colour_scan, grey_scan
from edge.tally.sighting import look
from hil.boxes.plan import BoxPlan, Colour, Picture, picture_of
from hil.boxes.real import real_picture
from hil.boxes.truth import overlaps
from hil.sheets.plan import form_of

COVERED = 0.7
"""Intersection over union from which a box counts as found."""


@dataclass(frozen=True, slots=True)
class BoxJudgement:
    """What became of one picture.

    Attributes:
        plan: Which picture.
        boxes: How many boxes of the form it shows; none where it shows another thing.
        lost: Names of those that were not found where they are.
        wrong: Names of boxes that were said to be found and are not there.
        regions: How many sheets of the form the region model sees.
        least: The smallest intersection over union of a box that the picture shows; 1 if it shows none.
        seconds: Time that finding took, the region model included.
        in_sight: Part of the form's table that the picture shows and nothing covers.
        refusal: Why nothing was found; None if the form was placed.
        detail: The same as a sentence.
        missing: Names of frames that the finder itself says it has not found.
        by: `scan` or `region`: which way the form was placed; None where it was refused.
        says: What the region model says to the place; None where the form was refused.
    """

    plan: BoxPlan
    boxes: int
    lost: tuple[str, ...]
    wrong: tuple[str, ...]
    regions: int
    least: float
    seconds: float
    in_sight: float = 1.0
    refusal: str | None = None
    detail: str | None = None
    missing: tuple[str, ...] = ()
    by: str | None = None
    says: str | None = None

    @property
    def covered(self) -> int:
        """Boxes that were found where they are."""
        return self.boxes - len(self.lost)

    @property
    def whole(self) -> bool:
        """Every box that the picture shows was found where it is."""
        return not self.lost

    @property
    def disagrees(self) -> bool:
        """The region model speaks against the place that was measured: a person decides."""
        return self.says not in {"agrees", None}

    @property
    def wrong_and_believed(self) -> bool:
        """A place that is wrong and that nothing speaks against: what must never be."""
        return bool(self.wrong) and not self.disagrees and not self.missing

    @property
    def false_alarm(self) -> bool:
        """A form was placed in a picture that does not show it."""
        return self.plan.kind == "none" and self.refusal is None

    @property
    def bad(self) -> bool:
        """Worth a line of its own."""
        return bool(self.lost or self.wrong) or self.disagrees or self.false_alarm


def judge(plan: BoxPlan) -> BoxJudgement:
    """Makes a picture and finds its boxes with the released region model."""
    form, picture = form_of(plan.form), made(plan)
    started = time.perf_counter()
    scan = as_scan(picture.image, form)
    sighting = look(scan, region_finder())
    placed = place_form(scan, form, sighting)
    return judged(plan, placed, picture, len(sighting.of(form)), time.perf_counter() - started)


def made(plan: BoxPlan) -> Picture:
    """The picture of a plan."""
    return picture_of(plan) if plan.file is None else real_picture(plan.file, plan.knobs)


def judged(plan: BoxPlan, placed: Placed | Refusal, picture: Picture, regions: int, seconds: float) -> BoxJudgement:
    """What was found against the truth."""
    boxes: tuple[FoundBox, ...] = () if isinstance(placed, Refusal) else found_boxes(placed)
    covers = overlaps(boxes, picture.boxes)
    expected = [name for name in picture.boxes if name in picture.expected]
    judgement = BoxJudgement(
        plan=plan,
        boxes=len(expected),
        lost=tuple(name for name in expected if covers[name] < COVERED),
        wrong=tuple(box.name for box in boxes if box.found and covers.get(box.name, 0.0) < COVERED),
        regions=regions,
        least=min((covers[name] for name in expected), default=1.0),
        seconds=seconds,
        in_sight=picture.in_sight,
    )
    if isinstance(placed, Refusal):
        return replace(judgement, refusal=placed.code, detail=placed.detail)
    by = "scan" if len(placed.registered.placement.coefficients) == 6 else "region"
    says = None if placed.opinion is None else placed.opinion.says
    return replace(judgement, missing=placed.missing, by=by, says=says)


def as_scan(image: Colour, form: Form) -> TallyScan:
    """An image as the reader takes it."""
    return grey_scan(image) if image.ndim == 2 else colour_scan(image, form)
