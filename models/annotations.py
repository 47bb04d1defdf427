"""Annotations: what boxes are in what image, a JSON object a line, which the exports are made from.

    {"image": {"name", "sha256", "width", "height"}, "sheets": [{"form", "boxes": [{"name", "kind", "corners", "found"}]}],
     "refusals": [{"form", "code", "detail"}], "error": null or {"code", "detail"}, "madeWith": {...}}

Corners are top-left, top-right, bottom-right and bottom-left as the form reads, `[x, y]` in pixels of the image as it is
stored: pixel i covers i to i + 1, and an orientation that a file notes for viewers is not applied. They are whole numbers of
1/256 pixel, so their decimal digits are exact. `found` says whether the printed lines were found where they belong. Width and
height are null when the image could not be read.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.commands.error import CommandError
from models.ingest.manifest import is_file_name

KINDS = ("field", "label")
"""Of boxes, in the order of their numbers in the exports, which begin with 1."""
SUBPIXEL = 256
MOST_SIDE = 20_000
_FARTHEST = 1 << 20
"""Pixels; a corner lies outside the image only if the paper goes on there."""
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")

Point = tuple[float, float]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Box:
    """A box in an image: name, kind, corners in pixels, and whether it was found where it belongs."""

    form: str
    name: str
    kind: str
    corners: tuple[Point, ...]
    found: bool


@dataclass(frozen=True, slots=True)
class Annotated:
    """An image that could be read.

    Attributes:
        name: Its name in its folder.
        sha256: Of its bytes.
        width: Pixels.
        height: Pixels.
        boxes: Of all sheets in it.
    """

    name: str
    sha256: str
    width: int
    height: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Annotations:
    """A file of annotations.

    Attributes:
        sha256: Of the file's bytes.
        images: Those with boxes.
        empty: How many images there are without any.
    """

    sha256: str
    images: tuple[Annotated, ...]
    empty: int


def read_annotations(path: Path) -> Annotations:
    """Read a file of annotations.

    Raises:
        CommandError: `fileNotFound`, `fileUnreadable` or `annotationsUnreadable` with the line.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CommandError("fileNotFound", f"there is no file {str(path)!r}; `scrutineer-models boxes` makes one") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error
    images: list[Annotated] = []
    lines = [line for line in data.split(b"\n") if line]
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        try:
            found = parse_annotation(line)
        except ValueError as error:
            raise CommandError("annotationsUnreadable", f"{str(path)!r}, line {number}: {error}") from error
        if found is None:
            continue
        if found.name in seen:
            raise CommandError("annotationsUnreadable", f"{str(path)!r}, line {number}: {found.name!r} is there twice")
        seen.add(found.name)
        images.append(found)
    return Annotations(hashlib.sha256(data).hexdigest(), tuple(images), len(lines) - len(images))


def parse_annotation(line: bytes) -> Annotated | None:
    """The annotation that stands in a line; None for an image without boxes.

    Raises:
        ValueError: none stands in it.
    """
    try:
        found: Any = json.loads(line)
        image, sheets = found["image"], found["sheets"]
        if not sheets:
            return None
        name, sha256, width, height = image["name"], image["sha256"], image["width"], image["height"]
        boxes = tuple(_box(sheet["form"], box) for sheet in sheets for box in sheet["boxes"])
    except (KeyError, TypeError, RecursionError, AttributeError) as error:
        raise ValueError(f"not an annotation: {type(error).__name__}: {error}") from error
    sides = all(type(side) is int and 0 < side <= MOST_SIDE for side in (width, height))
    if (
        not isinstance(name, str)
        or not is_file_name(name)
        or not isinstance(sha256, str)
        or not _SHA256.match(sha256)
        or not sides
    ):
        raise ValueError("not an annotation: its image has no name, checksum or size")
    return Annotated(name, sha256, width, height, boxes) if boxes else None


def clipped(corners: Sequence[Point], width: int, height: int) -> tuple[Point, ...]:
    """The part of a polygon that lies in the image, in order; nothing where it lies outside or has no area."""
    shape = list(corners)
    for axis, edge, sign in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        shape = _clipped_at(shape, axis, edge, sign)
    return tuple(shape) if len(shape) >= 3 and area(shape) > 0 else ()


def area(corners: Sequence[Point]) -> float:
    """Square pixels of a polygon."""
    pairs = zip(corners, [*corners[1:], *corners[:1]], strict=True)
    return abs(math.fsum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairs)) / 2


def bounds(corners: Sequence[Point]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom."""
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(down), max(across), max(down)


def _clipped_at(shape: list[Point], axis: int, edge: float, sign: int) -> list[Point]:
    """What lies on one side of one edge of the image (Sutherland and Hodgman)."""
    kept: list[Point] = []
    for here, there in zip([*shape[-1:], *shape[:-1]], shape, strict=True):
        inside_here, inside_there = sign * (here[axis] - edge) >= 0, sign * (there[axis] - edge) >= 0
        if inside_here != inside_there:
            share = (edge - here[axis]) / (there[axis] - here[axis])
            other = here[1 - axis] + share * (there[1 - axis] - here[1 - axis])
            kept.append((edge, other) if axis == 0 else (other, edge))
        if inside_there:
            kept.append(there)
    return kept


def _box(form: object, found: Json) -> Box:
    corners = tuple((_number(x), _number(y)) for x, y in found["corners"])
    name, kind, is_found = found["name"], found["kind"], found["found"]
    if (
        len(corners) != 4
        or not isinstance(name, str)
        or not isinstance(form, str)
        or kind not in KINDS
        or type(is_found) is not bool
    ):
        raise ValueError(f"not a box: {str(found)[:80]}")
    return Box(form, name, kind, corners, is_found)


def _number(value: object) -> float:
    if (
        type(value) not in {int, float}
        or not isinstance(value, int | float)
        or not -_FARTHEST <= value <= _FARTHEST
        or value * SUBPIXEL % 1
    ):
        raise ValueError(f"not a whole number of 1/{SUBPIXEL} pixel: {value!r}")
    return float(value)
