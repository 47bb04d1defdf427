"""The real tally sheets: pictures from the folder of real data, and corners of their frames that were read off by eye."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from edge.image_file import read_colour_image, read_image
from hil.boxes.plan import BoxPlan, Picture
from hil.paper.forms.knobs import Knobs

ROOT = Path(__file__).resolve().parents[2]
MEASURED = ROOT / "tests" / "boxes" / "real_boxes.json"
WAYS = {
    "colour": Knobs(),
    "grey": Knobs(colour="grey"),
    "upside down": Knobs(upside_down=True),
    "grey upside down": Knobs(colour="grey", upside_down=True),
}
"""How each real sheet is shown."""


def real_data() -> Path:
    """The folder of real data: $SCRUTINEER_REAL_DATA, or `shared/data` beside the project."""
    return Path(os.environ.get("SCRUTINEER_REAL_DATA") or ROOT.parent / "shared" / "data")


def plan_real(data: Path) -> list[BoxPlan]:
    """Every real sheet that was measured and is in a folder of real data, shown in each way."""
    files = {name: data / "tally-sheets" / name for name in measured()}
    return [
        BoxPlan(0, "real", measured()[name]["form"], way, knobs, None, measured()[name]["form"], str(file))
        for name, file in files.items()
        if file.is_file()
        for way, knobs in WAYS.items()
    ]


def real_picture(file: str, knobs: Knobs) -> Picture:
    """A real sheet as the plan wants it shown.

    Raises:
        ValueError: the file is not the one that was measured.
    """
    path = Path(file)
    truth = measured()[path.name]
    if hashlib.sha256(path.read_bytes()).hexdigest() != truth["sha256"]:
        raise ValueError(f"{path} is not the picture that was measured")
    image = read_image(path) if knobs.colour == "grey" else read_colour_image(path)
    boxes = {name: np.array(corners, np.float64) for name, corners in truth["boxes"].items()}
    if knobs.upside_down:
        image = np.ascontiguousarray(image[::-1, ::-1])
        boxes = {name: (image.shape[1], image.shape[0]) - corners for name, corners in boxes.items()}
    return Picture(image, boxes, frozenset(boxes))


@cache
def measured() -> dict[str, Any]:
    """What was measured, by the pictures' names."""
    images: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))["images"]
    return images
