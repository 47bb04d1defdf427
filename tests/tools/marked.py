"""A small data set with known boxes: images of three kinds, boxes askew, over the edge, outside, and not found."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Corners = list[list[float]]
UPRIGHT: Corners = [[10.0, 20.0], [60.5, 20.0], [60.5, 40.00390625], [10.0, 40.00390625]]
ASKEW: Corners = [[100.25, 50.0], [150.0, 60.75], [148.0, 80.5], [98.25, 70.0]]
OVER: Corners = [[-20.5, 100.0], [30.0, 100.0], [30.0, 130.0], [-20.5, 130.0]]
TURNED: Corners = [[200.0, 200.0], [150.0, 200.0], [150.0, 180.0], [200.0, 180.0]]
OUTSIDE: Corners = [[-90.0, 10.0], [-50.0, 10.0], [-50.0, 20.0], [-90.0, 20.0]]


@dataclass(frozen=True)
class DataSet:
    images: Path
    annotations: Path
    lines: tuple[dict[str, Any], ...]


def box(name: str, kind: str, corners: Corners, *, found: bool = True) -> dict[str, Any]:
    return {"name": name, "kind": kind, "corners": corners, "found": found}


def line(name: str, data: bytes, boxes: list[dict[str, Any]], form: str = "three") -> dict[str, Any]:
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
    about = {"name": name, "sha256": sha256(data).hexdigest(), "width": width, "height": height}
    sheets = [{"form": form, "boxes": boxes}] if boxes else []
    return {"image": about, "sheets": sheets, "refusals": [], "error": None, "madeWith": {}}


def encoded(kind: str, seed: int, *, orientation: int | None = None) -> bytes:
    """A smooth colour picture, 240 x 210."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (7, 8, 3), np.uint8)
    image = Image.fromarray(small).resize((240, 210), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    if orientation is None:
        image.save(file, kind)
    else:
        exif = Image.Exif()
        exif[274] = orientation
        image.save(file, kind, exif=exif)
    return file.getvalue()


def made(home: Path) -> DataSet:
    """Write the data set below a folder."""
    images = home / "images"
    images.mkdir()
    files = {
        "a & <b>.jpg": encoded("JPEG", 1, orientation=6),
        "plain.png": encoded("PNG", 2),
        "plain.tif": encoded("TIFF", 3),
        "nothing.png": encoded("PNG", 4),
    }
    boxes = {
        "a & <b>.jpg": [box('votes.<yes> & "no"', "field", UPRIGHT), box("label:0", "label", ASKEW)],
        "plain.png": [
            box("votes.no", "field", OVER),
            box("label:1", "label", OUTSIDE),
            box("total", "field", TURNED, found=False),
        ],
        "plain.tif": [box("label:2", "label", UPRIGHT, found=False)],
        "nothing.png": [],
    }
    for name, data in files.items():
        (images / name).write_bytes(data)
    lines = tuple(line(name, data, boxes[name]) for name, data in files.items())
    annotations = home / "boxes.jsonl"
    annotations.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return DataSet(images, annotations, lines)
