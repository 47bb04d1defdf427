"""What the region model sees in a scan, and whether that is what was measured: the second opinion on where a form lies."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from edge.definition.box import Box
from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL
from edge.inference.identity import FinderIdentity
from edge.inference.regions import Quad, Region, RegionFinder
from edge.tally.near import RoughPoint
from edge.tally.registration import Registered
from edge.tally.result import Opinion
from edge.tally.scan import TallyScan

_FAR = 350
"""Parts per 10,000 of the table's diagonal by which the model's table as a whole may be off. A form that is wrong by a row or by
a cell is off by 400 and more."""
_ASKEW = 1000
"""The same for its single corners, in the mean: one turned by a twelfth of a circle is off by as much."""
_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the region model sees in a scan.

    Attributes:
        regions: The forms that it sees, best first.
        forms: Names of the forms that it knows.
        identity: Which model it is.
    """

    regions: tuple[Region, ...]
    forms: tuple[str, ...]
    identity: FinderIdentity

    def of(self, form: Form) -> tuple[Region, ...]:
        """Where it sees a form, best first."""
        return tuple(region for region in self.regions if region.form == form.name)


def look(scan: TallyScan, finder: RegionFinder) -> Sighting:
    """Show a scan to the region model, as it was given."""
    return Sighting(finder.find(scan.print), finder.card.forms, finder.identity)


def rough_points(region: Region, form: Form) -> tuple[RoughPoint, ...]:
    """The corners of sheet and table, on the form and where the model sees them."""
    whole = Box(0, 0, *form.size)
    return tuple(
        RoughPoint(*point, corner.x, corner.y, corner.seen)
        for box, corners in ((whole, region.sheet), (form.table, region.table))
        for point, corner in zip(box.corners, corners, strict=True)
    )


def opinion_on(registered: Registered, form: Form, sighting: Sighting) -> Opinion | None:
    """What the region model says to a place that was found without it; None where it does not know the form."""
    if form.name not in sighting.forms:
        return None
    measured = table_corners(registered, form)
    (left, top), _, (right, bottom), _ = measured
    diagonal = max(1, isqrt((right - left) ** 2 + (bottom - top) ** 2))
    offs: list[tuple[int, int, Region]] = []
    for region in sighting.of(form):
        off, askew = _distances(region.table, measured)
        offs.append((off * _WHOLE // diagonal, askew * _WHOLE // diagonal, region))
    near = [(off, region.confidence) for off, askew, region in offs if off <= _FAR and askew <= _ASKEW]
    if len(offs) > 1 and near:
        return Opinion("severalSheets", near[0][1], near[0][0], f"the region model sees {len(offs)} sheets of this form")
    if near:
        return Opinion("agrees", near[0][1], near[0][0])
    if offs:
        off, _, region = min(offs, key=lambda one: one[:2])
        return Opinion("elsewhere", region.confidence, off, "the region model sees the form in another place, or another way up")
    if sighting.regions:
        other = sighting.regions[0]
        return Opinion("otherForm", other.confidence, None, f"the region model sees {other.form}")
    return Opinion("notSeen", 0, None, "the region model sees no form")


def same_place(one: Registered, other: Registered, form: Form) -> bool:
    """Whether two registrations of a form in one image put its table in the same place."""
    first, second = table_corners(one, form), table_corners(other, form)
    (left, top), _, (right, bottom), _ = first
    far = max(isqrt((x - there_x) ** 2 + (y - there_y) ** 2) for (x, y), (there_x, there_y) in zip(first, second, strict=True))
    return far * _WHOLE <= _FAR * isqrt((right - left) ** 2 + (bottom - top) ** 2)


def table_corners(registered: Registered, form: Form) -> tuple[tuple[int, int], ...]:
    """Corners of the form's table in the image as it was given, 1/256 pixel: top left, top right, bottom right, bottom left."""
    height, width = registered.scan.print.shape
    found = []
    for x, y in form.table.corners:
        across, down = registered.form_map.at(Box(x, y, 1, 1)).point(x, y)
        turned = registered.placement.upside_down
        found.append((width * SUBPIXEL - across, height * SUBPIXEL - down) if turned else (across, down))
    return tuple(found)


def _distances(corners: Quad, measured: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """How far off the corners are as a whole, and one by one, in the mean; of those seen, where two were, else of all."""
    pairs = list(zip(corners, measured, strict=True))
    seen = [pair for pair in pairs if pair[0].seen]
    offs = [(corner.x - x, corner.y - y) for corner, (x, y) in (seen if len(seen) > 1 else pairs)]
    across, down = sum(off[0] for off in offs), sum(off[1] for off in offs)
    return isqrt(across * across + down * down) // len(offs), sum(isqrt(x * x + y * y) for x, y in offs) // len(offs)
