"""A camera above a table: where points of a paper lie in the picture, and which point of the paper a pixel shows.

`Pose.place` is the only mapping. Its inverse is found from it by Newton's method on a grid of nodes, and interpolated between.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from hil.paper.photos.paper import Points
from hil.paper.photos.surface import Surface

NODE = 4
"""Pixels between the nodes of the inverse mapping."""
_ROUNDS = 12
_GOOD = 0.02
"""Pixels by which a node may miss."""
_MESH = 17


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """How one paper lies before the camera.

    Attributes:
        surface: Its shape.
        middle: Form point (1/100 mm) that the shape is told from.
        view: float64, shape (3, 4): homogeneous points in space to homogeneous picture points.
    """

    surface: Surface
    middle: tuple[float, float]
    view: Points

    def place(self, points: Points) -> Points:
        """Form points (n, 2), 1/100 mm, to picture pixels (n, 2)."""
        flat = np.asarray(points, dtype=np.float64) - self.middle
        if self.surface.flat:
            seen = flat @ self.view[:, :2].T + self.view[:, 3]
        else:
            seen = self.surface.lift(flat) @ self.view[:, :3].T + self.view[:, 3]
        return np.asarray(seen[:, :2] / seen[:, 2:])

    def moved(self, scale: float, shift: tuple[float, float]) -> Pose:
        """The same with the picture enlarged about its origin and then shifted."""
        change = np.array(((scale, 0.0, shift[0]), (0.0, scale, shift[1]), (0.0, 0.0, 1.0)))
        return Pose(self.surface, self.middle, change @ self.view)

    def mesh(self, extent: tuple[float, float, float, float]) -> Points:
        """Picture points of a mesh over a part of the form (left, top, right, bottom), shape (17, 17, 2)."""
        across, down = np.linspace(extent[0], extent[2], _MESH), np.linspace(extent[1], extent[3], _MESH)
        points = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        return self.place(points).reshape(_MESH, _MESH, 2)

    def open(self, extent: tuple[float, float, float, float]) -> bool:
        """Whether no part of the paper hides behind another, or behind the camera."""
        mesh = self.mesh(extent)
        right, down = np.diff(mesh, axis=1)[:-1], np.diff(mesh, axis=0)[:, :-1]
        area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
        typical = float(np.median(area))
        return typical > 0 and bool((area > 0.3 * typical).all())

    def inverse(self, box: tuple[int, int, int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Which form points the pixels of a part of the picture show.

        Args:
            box: Left, top, right, bottom in pixels; width and height are multiples of NODE.

        Returns:
            Form points of nodes, float32 of shape (rows, columns, 2), 1/100 mm, and whether each node is good (float32, 1 or 0).
            Node (i, j) stands at the pixel point (left + (j - 0.5) * NODE, top + (i - 0.5) * NODE): one more on every side.
        """
        left, top, right, bottom = box
        columns, rows = (right - left) // NODE + 2, (bottom - top) // NODE + 2
        x, y = left + (np.arange(columns) - 0.5) * NODE, top + (np.arange(rows) - 0.5) * NODE
        wanted = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        # cv2 inverts three by three without waking the threads of a linear algebra library.
        back = np.asarray(cv2.invert(np.ascontiguousarray(self.view[:, [0, 1, 3]]))[1], dtype=np.float64)
        flat = wanted @ back[:, :2].T + back[:, 2]
        points = flat[:, :2] / flat[:, 2:] + self.middle
        good = np.ones(len(points), dtype=np.float32)
        if not self.surface.flat:
            points, good = self._refine(points, wanted)
        return (points.reshape(rows, columns, 2).astype(np.float32), good.reshape(rows, columns))

    def _refine(self, points: Points, wanted: Points) -> tuple[Points, NDArray[np.float32]]:
        """Newton's method from the flat paper's answer."""
        # The step of the differences: a pixel or so.
        step = 1e-3 * float(np.abs(points).max(initial=1.0)) + 1.0
        count = len(points)
        miss = np.zeros(count)
        for _ in range(_ROUNDS):
            placed = self.place(np.concatenate((points, points + (step, 0.0), points + (0.0, step))))
            error = wanted - placed[:count]
            miss = np.abs(error).max(axis=1)
            if float(np.median(miss)) < _GOOD and float((miss < _GOOD).mean()) > 0.995:
                break
            across = (placed[count : 2 * count] - placed[:count]) / step
            down = (placed[2 * count :] - placed[:count]) / step
            area = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
            area = np.where(np.abs(area) < 1e-12, 1e-12, area)
            change = np.stack(
                (
                    (error[:, 0] * down[:, 1] - error[:, 1] * down[:, 0]) / area,
                    (across[:, 0] * error[:, 1] - across[:, 1] * error[:, 0]) / area,
                ),
                axis=-1,
            )
            # Far beyond the paper a step can be wild: it is cut short.
            most = 60 * step
            points = points + np.clip(change, -most, most)
        return points, (miss < 0.5).astype(np.float32)


def view_of(tilt: float, azimuth: float, distance: float, turn: float, offset: tuple[float, float], unit: float) -> Points:
    """The matrix of a camera above a table.

    Args:
        tilt: Degrees off the upright.
        azimuth: Degrees; the axis in the table about which it is tilted.
        distance: Of the camera from the table's origin, in units.
        turn: Degrees clockwise by which the paper is turned on the table.
        offset: Where on the table its middle lies, units.
        unit: Length of a unit in 1/100 mm.

    Returns:
        float64 of shape (3, 4), for a picture in which a unit on an untilted table is one pixel, origin in its middle.
    """
    c, s = cos(radians(turn)), sin(radians(turn))
    lay = np.array(
        (
            (c / unit, -s / unit, 0.0, offset[0]),
            (s / unit, c / unit, 0.0, offset[1]),
            (0.0, 0.0, 1 / unit, 0.0),
            (0.0, 0.0, 0.0, 1.0),
        )
    )
    axis = np.array((cos(radians(azimuth)), sin(radians(azimuth)), 0.0))
    lean = np.asarray(cv2.Rodrigues(axis * radians(tilt))[0], dtype=np.float64)
    see = np.array(((distance, 0.0, 0.0), (0.0, distance, 0.0), (0.0, 0.0, -1.0))) @ lean
    seen = np.column_stack((see, (0.0, 0.0, distance)))
    return np.asarray(seen @ lay)
