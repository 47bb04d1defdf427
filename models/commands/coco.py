"""`scrutineer-models coco ANNOTATIONS --images DIR --out FILE.json`: annotations as COCO, with polygons.

Categories are the kinds of boxes, `field` and `label`. `segmentation` and `bbox` are clipped to the image, in pixels from its
upper left edge. Boxes whose lines were not found are left out, for COCO has no mark that every reader understands. Nothing is
copied: `file_name` is the image's name in the folder, so a reader must not turn images by the orientation that they note.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.commands.read import write_whole
from models.annotations import KINDS, Annotated, area, bounds, clipped, read_annotations
from models.commands.arguments import Commands
from models.images import read_original
from models.progress import Progress

Json = dict[str, Any]


def add_parser(commands: Commands) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "coco",
        help="write annotations as COCO",
        description="Write annotations as one JSON file in the layout of COCO, with a polygon and a box for each.",
        epilog="exit status: 0 written, 2 wrong use or an image that changed since its boxes were found, 130 interrupted",
        allow_abbrev=False,
    )
    parser.add_argument("annotations", metavar="ANNOTATIONS", type=Path, help="the file that boxes wrote")
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="the folder of images that it was made from")
    parser.add_argument("--out", metavar="FILE.json", type=Path, required=True, help="where to")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file.

    Raises:
        CommandError: something that was given cannot be used.
    """
    annotations = read_annotations(arguments.annotations)
    with Progress(sys.stderr) as progress:
        progress.begin("checking", len(annotations.images), "images")
        for number, image in enumerate(annotations.images, 1):
            read_original(arguments.images, image)
            progress.show(number)
    document, left_out = coco_document(annotations.images)
    write_whole(arguments.out, json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n")
    told = f"{len(document['images'])} images, {len(document['annotations'])} boxes"
    print(f"{told}; {left_out} boxes that were not found, and {annotations.empty} images without any, left out")
    return 0


def coco_document(images: Sequence[Annotated]) -> tuple[Json, int]:
    """The document, and how many boxes are not in it. Everything is numbered from 1 in the order of the annotations."""
    pictures: list[Json] = []
    found: list[Json] = []
    left_out = 0
    for image in images:
        picture = len(pictures) + 1
        pictures.append(
            {"id": picture, "file_name": image.name, "width": image.width, "height": image.height, "sha256": image.sha256}
        )
        for box in image.boxes:
            inside = clipped(box.corners, image.width, image.height)
            if not box.found or not inside:
                left_out += 1
                continue
            left, top, right, bottom = bounds(inside)
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": picture,
                    "category_id": KINDS.index(box.kind) + 1,
                    "segmentation": [[value for corner in inside for value in corner]],
                    "area": area(inside),
                    "bbox": [left, top, right - left, bottom - top],
                    "iscrowd": 0,
                    "form": box.form,
                    "box": box.name,
                }
            )
    categories = [{"id": index, "name": kind, "supercategory": "box"} for index, kind in enumerate(KINDS, 1)]
    info = {"description": "boxes of forms, by scrutineer-models", "version": "1"}
    return {"info": info, "licenses": [], "categories": categories, "images": pictures, "annotations": found}, left_out
