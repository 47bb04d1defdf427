"""`scrutineer-models voc ANNOTATIONS --images DIR --out DIR`: annotations as a Pascal VOC data set.

`JPEGImages/` has the images, `Annotations/` one XML file an image, `ImageSets/Main/` the lists. A class is the kind of a box,
`field` or `label`; which one it is stands in `attributes`, and its four corners in `polygon`, which readers of VOC pass over.
`bndbox` has VOC's pixels: whole, counted from 1, first and last one inside. A box whose lines were not found is `difficult`. An
XML file is written after its image, so one that is there as it would be written today stands for both, and a run that was
stopped goes on.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from edge.commands.error import CommandError
from edge.commands.read import write_whole
from models.annotations import KINDS, Annotated, Box, bounds, clipped, read_annotations
from models.commands.arguments import Commands, whole
from models.images import as_jpeg
from models.ingest.names import planned_stems
from models.progress import Progress

_NOT_XML = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Ends of lines and tabs are XML, but a reader may turn them into others."""
_IMAGES, _XML, _LISTS = "JPEGImages", "Annotations", "ImageSets/Main"


def add_parser(commands: Commands) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "voc",
        help="write annotations as a Pascal VOC data set",
        description="Write the images that have boxes and their annotations in the layout of Pascal VOC.",
        epilog="exit status: 0 written, 2 wrong use or an image that changed since its boxes were found, 130 interrupted",
        allow_abbrev=False,
    )
    parser.add_argument("annotations", metavar="ANNOTATIONS", type=Path, help="the file that boxes wrote")
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="the folder of images that it was made from")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where to; made if it is not there")
    parser.add_argument(
        "--validation", metavar="PERCENT", type=whole(0, 100), default=20, help="of the images, chosen by content (20)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the data set.

    Raises:
        CommandError: something that was given cannot be used.
    """
    annotations = read_annotations(arguments.annotations)
    out: Path = arguments.out
    try:
        for folder in (_IMAGES, _XML, _LISTS):
            (out / folder).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise CommandError("fileUnwritable", f"{str(out)!r}: {getattr(error, 'strerror', None) or error}") from error
    stems = planned_stems(((image.name, image.name) for image in annotations.images), {})
    written = 0
    with Progress(sys.stderr) as progress:
        progress.begin("writing", len(annotations.images), "images")
        for number, image in enumerate(annotations.images, 1):
            written += _write(image, stems[image.name], arguments.images, out)
            progress.show(number)
    for name, lines in image_sets(annotations.images, stems, arguments.validation).items():
        write_whole(out / _LISTS / f"{name}.txt", "".join(f"{line}\n" for line in lines).encode())
    told = f"{len(annotations.images)} images, {written} of them written now, {len(annotations.images) - written} were there"
    print(f"{told}; {annotations.empty} without boxes left out")
    return 0


def annotation_xml(image: Annotated, stem: str) -> bytes:
    """The XML of an image that is called `stem`."""
    root = ET.Element("annotation")
    _text(root, "folder", "VOC")
    _text(root, "filename", f"{stem}.jpg")
    source = ET.SubElement(root, "source")
    _text(source, "database", "scrutineer")
    _text(source, "annotation", "scrutineer-models boxes")
    _text(source, "image", image.name)
    _text(source, "sha256", image.sha256)
    size = ET.SubElement(root, "size")
    for name, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        _text(size, name, value)
    _text(root, "segmented", 0)
    for box in image.boxes:
        pixels = voc_pixels(box, image.width, image.height)
        if pixels is not None:
            root.append(_object(box, pixels, image))
    ET.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode() + b"\n"


def voc_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """`xmin`, `ymin`, `xmax`, `ymax`: the first and last pixel that the box touches, counted from 1; None if it is outside."""
    inside = clipped(box.corners, width, height)
    if not inside:
        return None
    left, top, right, bottom = bounds(inside)
    return math.floor(left) + 1, math.floor(top) + 1, math.ceil(right), math.ceil(bottom)


def image_sets(images: Sequence[Annotated], stems: dict[str, str], validation: int) -> dict[str, list[str]]:
    """The lists by name.

    All, one for each half, and these three for each class with 1 (it is there), 0 (only difficult ones) or -1 (it is not).
    """
    halves = {
        "trainval": list(images),
        "train": [image for image in images if not _validates(image, validation)],
        "val": [image for image in images if _validates(image, validation)],
    }
    lists = {half: [stems[image.name] for image in chosen] for half, chosen in halves.items()}
    for kind in KINDS:
        for half, chosen in halves.items():
            lists[f"{kind}_{half}"] = [f"{stems[image.name]} {_presence(image, kind):2}" for image in chosen]
    return lists


def decimal(value: float) -> str:
    """A whole number of 1/256 as decimal digits, all of them."""
    return f"{value:.8f}".rstrip("0").rstrip(".")


def _validates(image: Annotated, validation: int) -> bool:
    """By content, so that copies of an image never come into both halves, and new images move none."""
    return int(image.sha256[:12], 16) % 100 < validation


def _presence(image: Annotated, kind: str) -> int:
    found = [box.found for box in image.boxes if box.kind == kind and clipped(box.corners, image.width, image.height)]
    return (1 if any(found) else 0) if found else -1


def _object(box: Box, pixels: tuple[int, int, int, int], image: Annotated) -> ET.Element:
    element = ET.Element("object")
    _text(element, "name", box.kind)
    _text(element, "pose", "Unspecified")
    left, top, right, bottom = bounds(box.corners)
    _text(element, "truncated", int(left < 0 or top < 0 or right > image.width or bottom > image.height))
    _text(element, "difficult", int(not box.found))
    bndbox = ET.SubElement(element, "bndbox")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), pixels, strict=True):
        _text(bndbox, name, value)
    polygon = ET.SubElement(element, "polygon")
    for name, coordinate in _named(box):
        _text(polygon, name, decimal(coordinate))
    attributes = ET.SubElement(element, "attributes")
    _text(attributes, "form", box.form)
    _text(attributes, "box", box.name)
    return element


def _named(box: Box) -> Iterator[tuple[str, float]]:
    for number, (x, y) in enumerate(box.corners, 1):
        yield f"x{number}", x
        yield f"y{number}", y


def _text(parent: ET.Element, name: str, value: str | int) -> None:
    ET.SubElement(parent, name).text = _NOT_XML.sub("\ufffd", str(value))


def _write(image: Annotated, stem: str, images: Path, out: Path) -> bool:
    """Write an image and its XML, unless they are there; whether it wrote them."""
    picture, path = out / _IMAGES / f"{stem}.jpg", out / _XML / f"{stem}.xml"
    content = annotation_xml(image, stem)
    try:
        if picture.is_file() and path.read_bytes() == content:
            return False
    except OSError:
        pass  # it is not there
    write_whole(picture, as_jpeg(images, image))
    write_whole(path, content)
    return True
