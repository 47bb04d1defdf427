"""Where the form lies, found in two ways and checked: from the exact registration, and from the region model's rough corners.

What looks like a scanned page is registered without the model, which then is the second opinion. Where that fails, the model's
corners tell where to measure. Either way every printed frame must be where it belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from edge.definition.form import Form
from edge.inference.regions import Region
from edge.tally.affine import shows
from edge.tally.frame_lines import CellFrame, CellRow, find_frames, is_found, label_rows, rows_of
from edge.tally.near import register_near, without_contradictions
from edge.tally.registration import Registered, register
from edge.tally.result import Opinion, Refusal
from edge.tally.scan import TallyScan
from edge.tally.sighting import Sighting, opinion_on, rough_points, same_place

_MOST_MISSING = (1, 10)
"""Of a form's frames; with more of them missing nothing on the page is believed to be the form."""
_FEW = 2
"""So many may be missing on a small form, too: a streak across a page takes as much."""
_MOST_TRIED = 3
_MOST_LEFT_OUT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A form where it was found.

    Attributes:
        registered: The scan and the map into it.
        extent: Which part of the form the image shows.
        frames: The printed lines of every row of cells and label frame of that extent.
        missing: Names of those whose lines were not found.
        opinion: What the region model says to it; None where it does not know the form.
    """

    registered: Registered
    extent: str
    frames: Mapping[CellRow, tuple[CellFrame, ...]]
    missing: tuple[str, ...]
    opinion: Opinion | None


def place_form(scan: TallyScan, form: Form, sighting: Sighting) -> Placed | Refusal:
    """Find a form in a scan.

    Returns:
        Where it is, or a Refusal: `formNotFound`, `formAmbiguous`, `severalSheets`, or `formIncomplete`, which names the frames.
    """
    found = register(scan, form)
    alone = _checked(found, form, sighting) if isinstance(found, Registered) else found
    if isinstance(alone, Placed) and not alone.missing:
        return alone
    seen = _from_sighting(scan, form, sighting)
    if isinstance(alone, Refusal):
        return seen or alone
    # A page that is bent or seen at an angle may fit a scanned one in part.
    return seen if isinstance(seen, Placed) and len(seen.missing) < len(alone.missing) else alone


def _from_sighting(scan: TallyScan, form: Form, sighting: Sighting) -> Placed | Refusal | None:
    """The form where the region model sees it; None where it is not, and a Refusal where several sheets are."""
    refusal: Refusal | None = None
    placed: list[Placed] = []
    for region in sighting.of(form)[:_MOST_TRIED]:
        checked = _near(scan, form, region, sighting)
        if isinstance(checked, Placed):
            # Two regions may lead to one sheet.
            if not any(same_place(checked.registered, other.registered, form) for other in placed):
                placed.append(checked)
        elif refusal is None or checked.code == "formIncomplete":
            refusal = checked
    if len(placed) > 1:
        return Refusal("severalSheets", f"the picture shows {len(placed)} sheets of form {form.name}")
    return placed[0] if placed else refusal


def _near(scan: TallyScan, form: Form, region: Region, sighting: Sighting) -> Placed | Refusal:
    """The form near where a region says; without the corners that contradict the others where it is not found by all of them."""
    rough = rough_points(region, form)
    refusal: Refusal | None = None
    for points in chain((rough,), without_contradictions(form, rough, _MOST_LEFT_OUT)):
        found = register_near(scan, form, points)
        checked = _checked(found, form, sighting) if isinstance(found, Registered) else found
        if isinstance(checked, Placed):
            return checked
        if refusal is None or checked.code == "formIncomplete":
            refusal = checked
    return refusal or Refusal("formNotFound", f"form {form.name} is not there")


def _checked(registered: Registered, form: Form, sighting: Sighting) -> Placed | Refusal:
    """Every frame that the image shows is looked for."""
    extent = shown_extent(registered, form)
    frames = find_frames(registered.scan.print, registered.form_map, rows_on(form, extent))
    # What lies beside the image cannot be missed on it; its fields are not read.
    expected = [row for row in frames if shows(registered.form_map, row.box, registered.scan.print.shape)]
    missing = tuple(row.name for row in expected if not is_found(registered.form_map, frames[row]))
    if len(missing) > max(_FEW, len(expected) * _MOST_MISSING[0] // _MOST_MISSING[1]):
        names = ", ".join(missing)
        return Refusal("formIncomplete", f"{len(missing)} of {len(expected)} frames are not where they should be: {names}")
    return Placed(registered, extent, frames, missing, opinion_on(registered, form, sighting))


def rows_on(form: Form, extent: str) -> list[CellRow]:
    """Rows of cells and label frames on an extent."""
    names = form.names_on(extent)
    rows = rows_of(field for field in form.all_fields if field.name in names)
    labels = label_rows(form)
    if extent == "sheet":
        return rows + labels
    beside = {form.label_of(row.box) for row in rows}
    return rows + [label for label in labels if label.box in beside]


def shown_extent(registered: Registered, form: Form) -> str:
    """Which part of the form the image shows: all of the sheet, else the largest part of which every field is on the image.

    An image that shows no part whole is a sheet with fields missing.
    """
    shape = registered.scan.print.shape
    shown = {field.name for field in form.all_fields if all(shows(registered.form_map, box, shape) for box in field.boxes)}
    if len(shown) == len(form.all_fields):
        return "sheet"
    best, most = "sheet", 0
    for extent in form.extents:
        names = form.names_on(extent.name) & set(form.by_name)
        if names <= shown and len(names) > most:
            best, most = extent.name, len(names)
    return best
