"""The boxes of a form where they were found in an image: what data sets are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL
from edge.tally.frame_lines import LABEL, Point, box_names, is_found, row_corners
from edge.tally.place import Placed, place_form
from edge.tally.result import Refusal
from edge.tally.scan import TallyScan
from edge.tally.sighting import Sighting


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A row of cells or a label frame.

    Attributes:
        name: Name of the field, with `#2` and so on for its further rows of cells, or `label:` and the number of the frame in
            `form.registration.frames`.
        kind: Cells, or a label frame.
        corners: Top left, top right, bottom right and bottom left as the form reads, 1/256 pixel of the image as it was given.
        found: Whether its printed lines were found where they belong.
    """

    name: str
    kind: Literal["field", "label"]
    corners: tuple[Point, ...]
    found: bool


def find_boxes(scan: TallyScan, form: Form, sighting: Sighting) -> tuple[FoundBox, ...] | Refusal:
    """The boxes of a form in a scan, the fields' first; or why the form is not there."""
    placed = place_form(scan, form, sighting)
    return placed if isinstance(placed, Refusal) else found_boxes(placed)


def found_boxes(placed: Placed) -> tuple[FoundBox, ...]:
    """The boxes of a form that was found."""
    scan, turned = placed.registered.scan, placed.registered.placement.upside_down
    size = (scan.print.shape[1] * SUBPIXEL, scan.print.shape[0] * SUBPIXEL) if turned else None
    form_map = placed.registered.form_map
    boxes: list[FoundBox] = []
    for name, (row, cells) in zip(box_names(placed.frames), placed.frames.items(), strict=True):
        corners = row_corners(form_map, row, cells)
        if size is not None:
            corners = tuple((size[0] - x, size[1] - y) for x, y in corners)
        boxes.append(FoundBox(name, "label" if row.name.startswith(LABEL) else "field", corners, is_found(form_map, cells)))
    return tuple(boxes)
