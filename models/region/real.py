"""Show what a region model finds on pictures of real sheets.

    python -m models.region.real --model build/region/heat-maps/model.tflite --card models/released/region.json \
        --out build/region/real.png ../shared/data/tally-sheets/*.jpg

Prints the corners and draws them: red the sheet, green the table, a dot at the form's own top left.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.image_file import read_colour_image
from edge.inference.reduction import reduced
from edge.inference.regions import Region, decode, parse_region_card
from models.region.evaluate import int8_outputs, interpreter
from models.region.matching import quad

_TURNS = {0: None, 1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}
_DRAWN = 640


def drawn(picture: NDArray[np.uint8], regions: tuple[Region, ...]) -> Any:  # noqa: ANN401 - OpenCV's array
    """The picture reduced to a square of 640, with what was found."""
    scale = _DRAWN / max(picture.shape)
    shown = cv2.cvtColor(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    for region in regions:
        for corners, colour in ((region.sheet, (0, 0, 255)), (region.table, (0, 160, 0))):
            points = np.rint(quad(corners) * scale).astype(np.int32)
            cv2.polylines(shown, [points], isClosed=True, color=colour, thickness=2)
            cv2.circle(shown, points[0].tolist(), 6, colour, -1)
    square = np.full((_DRAWN, _DRAWN, 3), 128, np.uint8)
    square[: shown.shape[0], : shown.shape[1]] = shown[:_DRAWN, :_DRAWN]
    return square


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/released/region.tflite"))
    parser.add_argument("--card", type=Path, default=Path("models/released/region.json"))
    parser.add_argument("--out", type=Path, required=True, help="picture of all, every sheet in four quarter turns")
    parser.add_argument("pictures", type=Path, nargs="+")
    arguments = parser.parse_args()

    runner = interpreter(arguments.model.read_bytes())
    card = parse_region_card(arguments.card.read_bytes())
    rows = []
    for path in arguments.pictures:
        upright = read_colour_image(path).min(axis=2)
        row = []
        for turn, code in _TURNS.items():
            picture = upright if code is None else np.asarray(cv2.rotate(upright, code), np.uint8)
            seen, _, _ = reduced(picture)
            height, width = picture.shape
            regions = decode(int8_outputs(runner, seen[None])[0], card, width, height)
            row.append(drawn(picture, regions))
            print(f"{path.name} ({width} x {height}), turned by {90 * turn}: {len(regions)} found")
            for region in regions:
                print(f"  {region.form} {region.confidence / 100:.1f} %")
                for name, corners in (("sheet", region.sheet), ("table", region.table)):
                    seen_ones = "".join("+" if corner.seen else "-" for corner in corners)
                    print(f"    {name} {seen_ones} {quad(corners).round(1).tolist()}")
        rows.append(np.hstack(row))
    cv2.imwrite(str(arguments.out), np.vstack(rows))


if __name__ == "__main__":
    main()
