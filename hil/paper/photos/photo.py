"""Taking a picture of sheets: one call, from flat images to a photograph and the exact truth about it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import hypot, radians, sin
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.definition.form import Form, load_form, shipped_form
from hil.paper.photos import light
from hil.paper.photos.backgrounds import any_background, background
from hil.paper.photos.camera import NODE, Pose, view_of
from hil.paper.photos.decoys import KINDS as DECOYS
from hil.paper.photos.decoys import paint_decoy
from hil.paper.photos.knobs import PhotoKnobs
from hil.paper.photos.paper import Colour, Photo, Points, Sheet, Shown
from hil.paper.photos.surface import Surface, make_surface
from hil.paper.photos.things import thing

_JUST_INSIDE = 200
"""1/100 mm from a corner at which the paper must be seen for the corner to be visible."""
_SAMPLES = 12
_Extent = tuple[float, float, float, float]


@lru_cache(maxsize=16)
def form_named(name: str) -> Form:
    """A form that comes with the product."""
    return load_form(shipped_form(name))


def take_photo(sheets: Sequence[Sheet], seed: int, knobs: PhotoKnobs) -> Photo:
    """Takes a picture; the same arguments give the same pixels and the same truth.

    Each knob has its own part of the seed: what one changes leaves the places of all else alone.

    Args:
        sheets: What lies there. The first is the one that the knobs speak of; the others lie about it, over or under, at the size
            that they have beside it. May be empty.
        seed: Everything that the knobs leave open; not negative.
        knobs: What the picture should be like.

    Raises:
        DefinitionError: a sheet names a form that does not come with the product.
    """
    return _Table(sheets, seed, knobs).photo()


def _extents(sheet: Sheet) -> tuple[_Extent, _Extent]:
    """The whole paper and the table of a sheet, 1/100 mm; a paper that is no form is its image, all of it."""
    if not sheet.form:
        return sheet.extent, sheet.extent
    form = form_named(sheet.form)
    table, (width, height) = form.table, form.size
    return (0.0, 0.0, width, height), (table.x, table.y, table.x + table.width, table.y + table.height)


def _corners(extent: _Extent) -> Points:
    left, top, right, bottom = extent
    return np.array(((left, top), (right, top), (right, bottom), (left, bottom)), dtype=np.float64)


class _Table:
    """Papers on a table, from the bottom to the top."""

    def __init__(self, sheets: Sequence[Sheet], seed: int, knobs: PhotoKnobs) -> None:
        self._seed, self._knobs = seed, knobs
        self._sheets = list(sheets)
        if knobs.neighbours:
            rng = self._rng("neighbours")
            self._sheets += [paint_decoy(DECOYS[int(rng.integers(len(DECOYS)))], rng) for _ in range(knobs.neighbours)]
        self._given = len(sheets)
        width, height = knobs.size
        name = knobs.background or any_background(knobs.flat, self._rng("background"))
        self._image = background(name, knobs.size, self._rng("background look"))
        self._light: light.Plane = np.ones((height, width), dtype=np.float32)
        self._covers: list[tuple[int, light.Plane]] = []

    def _rng(self, name: str) -> np.random.Generator:
        # One number for the name: seeding from a long list takes longer than what is drawn.
        return np.random.default_rng((self._seed, crc32(name.encode())))

    def photo(self) -> Photo:
        poses = self._poses()
        count = len(self._sheets)
        order = self._rng("order").permutation(count).tolist() if count > 1 else list(range(count))
        for number in order:
            self._lay(number, poses[number])
        if self._sheets and self._knobs.occluders:
            self._put_things(len(order), poses[0])
        shown = tuple(
            self._told(sheet, poses[number], self._above(number, order))
            for number, sheet in enumerate(self._sheets[: self._given])
            if sheet.form
        )
        return Photo(self._developed(), shown)

    # Where everything lies.

    def _poses(self) -> list[Pose]:
        knobs = self._knobs
        if not self._sheets:
            return []
        rng, eye = self._rng("poses"), self._rng("camera")
        main = self._sheets[0]
        paper, table = _extents(main)
        tilt = 0.0 if knobs.flat else knobs.tilt
        azimuth, distance = eye.uniform(0, 360), eye.uniform(2.6, 6.0)
        turn = float(eye.uniform(-180, 180))
        turn = turn if knobs.rotation is None else knobs.rotation
        unit = hypot(paper[2] - paper[0], paper[3] - paper[1]) / 2
        focus = table if knobs.focus == "table" or knobs.kind == "crop" else paper
        first = self._pose(main, 0, view_of(tilt, azimuth, distance, turn, (0.0, 0.0), unit))
        outline = first.mesh(focus).reshape(-1, 2)
        low, high = outline.min(axis=0), outline.max(axis=0)
        size = np.array(knobs.size, dtype=np.float64)
        scale = float((size / (high - low)).min()) * knobs.share
        taken = (high - low) * scale / size
        shift = (eye.random(2) - 0.5) * np.abs(1 - taken) if knobs.shift is None else np.array(knobs.shift)
        middle = size * (0.5 + shift) - (low + high) / 2 * scale
        move = (float(middle[0]), float(middle[1]))
        poses = [first.moved(scale, move)]
        span = size / scale
        for number, sheet in enumerate(self._sheets[1:], 1):
            angle = rng.uniform(-180, 180) if rng.random() < 0.5 else turn + 90 * rng.integers(4) + rng.normal(0, 8)
            if knobs.kind == "clutter":
                offset = (rng.random(2) - 0.5) * span - np.array(move) / scale + size / 2 / scale
            else:
                other = hypot(*np.subtract(sheet.extent[2:], sheet.extent[:2])) / 2 / unit
                way = rng.uniform(0, 2 * np.pi)
                offset = np.array((np.cos(way), np.sin(way))) * rng.uniform(0.55, 0.95) * (1 + other)
            # Not so far off on a tilted table that it comes close to the camera.
            reach = hypot(*offset) * sin(radians(tilt))
            offset = offset * min(1.0, 0.35 * distance / max(reach, 1e-9))
            view = view_of(tilt, azimuth, distance, float(angle), (float(offset[0]), float(offset[1])), unit)
            poses.append(self._pose(sheet, number, view).moved(scale, move))
        return poses

    def _pose(self, sheet: Sheet, number: int, view: Points) -> Pose:
        """A pose in which no part of the paper hides another: a paper that would is bent less."""
        extent = sheet.extent
        around = _extents(sheet)[0]
        middle = (around[0] + around[2]) / 2, (around[1] + around[3]) / 2
        bend = 0.0 if self._knobs.flat else self._knobs.bend
        for _ in range(6 if bend else 0):
            surface = make_surface((around[2] - around[0], around[3] - around[1]), bend, self._rng(f"bend {number}"))
            pose = Pose(surface, middle, view)
            if pose.open(extent):
                return pose
            bend *= 0.6
        return Pose(Surface(), middle, view)

    # Drawing.

    def _lay(self, number: int, pose: Pose) -> None:
        sheet = self._sheets[number]
        width, height = self._knobs.size
        outline = pose.mesh(sheet.extent)
        box = _node_box(outline.reshape(-1, 2), self._knobs.size)
        if box is None:
            return
        points, good = pose.inverse(box)
        colours, cover = _warped(sheet, points, good, outline)
        left, top = box[0], box[1]
        right, bottom = min(box[2], width), min(box[3], height)
        colours, cover = colours[: bottom - top, : right - left], cover[: bottom - top, : right - left]
        rng = self._rng(f"paper {number}")
        window = np.s_[top:bottom, left:right]
        if not self._knobs.flat:
            across = hypot(*(outline[-1, -1] - outline[0, 0])) / hypot(*np.subtract(sheet.extent[2:], sheet.extent[:2]))
            self._drop_shadow(cover, (left, top), 100 * across, rng)
        rest = np.asarray(1 - cover, dtype=np.float32)
        under = np.ascontiguousarray(self._image[window])
        self._image[window] = cv2.blendLinear(np.ascontiguousarray(colours), under, cover, rest)
        glow = cover * self._shade(pose, points, (right - left, bottom - top), rng)
        self._light[window] = self._light[window] * rest + glow
        whole = np.zeros((height, width), dtype=np.float32)
        whole[window] = cover
        self._covers.append((number, whole))

    def _drop_shadow(self, cover: light.Plane, at: tuple[int, int], millimetre: float, rng: np.random.Generator) -> None:
        """A sheet's own shadow on what lies below: a few millimetres to one side."""
        depth, lift = rng.uniform(0.1, 0.5), rng.uniform(1, 5) * millimetre
        way = rng.uniform(0, 2 * np.pi)
        height, width = self._light.shape
        margin = int(3 * lift) + 2
        x0, y0 = max(0, at[0] - margin), max(0, at[1] - margin)
        x1, y1 = min(width, at[0] + cover.shape[1] + margin), min(height, at[1] + cover.shape[0] + margin)
        shifted = np.zeros((y1 - y0, x1 - x0), dtype=np.float32)
        shifted[at[1] - y0 : at[1] - y0 + cover.shape[0], at[0] - x0 : at[0] - x0 + cover.shape[1]] = cover
        move = np.array(((1.0, 0.0, lift * np.cos(way)), (0.0, 1.0, lift * np.sin(way))))
        shifted = np.asarray(cv2.warpAffine(shifted, move, (x1 - x0, y1 - y0)), dtype=np.float32)
        self._light[y0:y1, x0:x1] *= 1 - depth * light.softened(shifted, 0.6 * lift)

    def _shade(self, pose: Pose, points: NDArray[np.float32], size: tuple[int, int], rng: np.random.Generator) -> light.Plane:
        """How much more or less light bent paper takes where it turns towards the lamp or away."""
        if pose.surface.flat:
            return np.ones((size[1], size[0]), dtype=np.float32)
        way, low = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.9)
        lamp = np.array((low * np.cos(way), low * np.sin(way), 1.0))
        flat = points.reshape(-1, 2).astype(np.float64) - pose.middle
        shade = np.clip(pose.surface.normals(flat, 50.0) @ lamp, 0.25, 1.3)
        return _between_nodes(shade.reshape(points.shape[:2]).astype(np.float32))[: size[1], : size[0]]

    def _put_things(self, first: int, pose: Pose) -> None:
        rng = self._rng("things")
        paper = _extents(self._sheets[0])[0]
        mesh = pose.mesh(paper)
        edge = np.concatenate((mesh[0], mesh[-1], mesh[:, 0], mesh[:, -1]))
        edge = edge[((edge > 0) & (edge < self._knobs.size)).all(axis=1)]
        if not len(edge):
            return
        size = np.ptp(mesh.reshape(-1, 2), axis=0).max()
        unit = float(size) / (max(paper[2] - paper[0], paper[3] - paper[1]) / 100)
        for number in range(self._knobs.occluders):
            cover, tone = thing(self._knobs.size, edge, mesh[len(mesh) // 2, len(mesh) // 2], unit, rng)
            rest = 1 - cover
            flat = np.empty_like(self._image)
            flat[:] = np.array(tone).astype(np.uint8)
            self._light *= 1 - 0.4 * light.softened(cover, 3 * unit)
            self._image = np.asarray(cv2.blendLinear(flat, self._image, cover, rest), dtype=np.uint8)
            self._light = self._light * rest + cover
            self._covers.append((first + number, cover))

    # Light, lens, sensor.

    def _developed(self) -> Colour:
        knobs = self._knobs
        longer = max(knobs.size) / 1000
        coarse = light.coarse_size(knobs.size)
        smooth = np.ones((coarse[1], coarse[0]), dtype=np.float32)
        if knobs.uneven:
            smooth *= light.uneven_light(coarse, knobs.uneven, self._rng("uneven"))
        if knobs.shadow:
            smooth *= light.cast_shadow(coarse, knobs.shadow, self._rng("shadow"))
        if knobs.uneven or knobs.shadow:
            self._light *= cv2.resize(smooth, knobs.size, interpolation=cv2.INTER_LINEAR)
        colour = light.light_colour(knobs.cast, knobs.exposure, self._rng("colour"))
        shine = light.glare(coarse, knobs.glare, self._rng("glare")) if knobs.glare else None
        image = light.lit(self._image, self._light, colour, shine)
        image = light.defocused(image, knobs.blur * longer)
        if knobs.motion:
            image = light.shaken(image, knobs.motion * longer, float(self._rng("motion").uniform(0, np.pi)))
        if knobs.noise:
            image = light.grained(image, knobs.noise, self._rng("noise"))
        return light.stored(image, knobs.jpeg)

    # The truth.

    def _above(self, number: int, order: Sequence[int]) -> list[light.Plane]:
        later = {*order[order.index(number) + 1 :], *range(len(order), len(order) + self._knobs.occluders)}
        return [cover for owner, cover in self._covers if owner in later]

    def _seen(self, points: Points, above: Sequence[light.Plane]) -> NDArray[np.bool_]:
        """Whether picture points are in the picture and nothing lies on them."""
        width, height = self._knobs.size
        seen = ((points >= 0) & (points < (width, height))).all(axis=1)
        pixels = np.clip(points, 0, (width - 1, height - 1)).astype(np.int64)
        for cover in above:
            seen &= cover[pixels[:, 1], pixels[:, 0]] < 0.5
        return np.asarray(seen)

    def _told(self, sheet: Sheet, pose: Pose, above: Sequence[light.Plane]) -> Shown:
        paper, table = _extents(sheet)
        corners = np.concatenate((_corners(paper), _corners(table)))
        towards = np.sign(np.array(((1, 1), (-1, 1), (-1, -1), (1, -1)) * 2))
        inside = corners + _JUST_INSIDE * towards
        left, top, right, bottom = sheet.extent
        there = ((inside >= (left, top)) & (inside <= (right, bottom))).all(axis=1)
        across = np.linspace(table[0], table[2], 2 * _SAMPLES + 1)[1::2]
        down = np.linspace(table[1], table[3], 2 * _SAMPLES + 1)[1::2]
        samples = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        drawn = ((samples >= (left, top)) & (samples <= (right, bottom))).all(axis=1)
        return Shown(
            form=sheet.form,
            corners=pose.place(corners),
            visible=np.asarray(there & self._seen(pose.place(inside), above)),
            place=pose.place,
            share=float((drawn & self._seen(pose.place(samples), above)).mean()),
        )


def _node_box(outline: Points, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The part of the picture around an outline, whole nodes; None when it lies outside."""
    low, high = np.floor(outline.min(axis=0)) - 2, np.ceil(outline.max(axis=0)) + 2
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(size[0], int(high[0])), min(size[1], int(high[1]))
    if right <= left or bottom <= top:
        return None
    return left, top, left + -(-(right - left) // NODE) * NODE, top + -(-(bottom - top) // NODE) * NODE


def _between_nodes(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values of pixels, interpolated between nodes; the outer ring of nodes falls away."""
    rows, columns = values.shape[:2]
    whole = cv2.resize(values, (columns * NODE, rows * NODE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole[NODE:-NODE, NODE:-NODE], dtype=np.float32)


def _warped(sheet: Sheet, points: NDArray[np.float32], good: NDArray[np.float32], outline: Points) -> tuple[Colour, light.Plane]:
    """The sheet's pixels as the picture shows them, and how much of each pixel it covers."""
    image, scale = sheet.image, sheet.scale
    # The texture is reduced by areas to about the size at which it is seen: remapping alone would skip its fine lines.
    right, down = np.diff(outline, axis=1)[:-1], np.diff(outline, axis=0)[:, :-1]
    area = float(np.abs(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]).sum())
    ratio = (area / (image.shape[0] * image.shape[1])) ** 0.5 * 1.15
    # Only the piece that is seen is worked on; beyond a margin nothing of it is wanted.
    low, high = points.reshape(-1, 2).min(axis=0) - sheet.origin, points.reshape(-1, 2).max(axis=0) - sheet.origin
    size, margin = np.array((image.shape[1], image.shape[0])), 8 + 8 / ratio
    first = np.clip(np.floor(low * scale - margin), 0, size - 1).astype(np.int64)
    last = np.clip(np.ceil(high * scale + margin), first + 1, size).astype(np.int64)
    image = image[first[1] : last[1], first[0] : last[0]]
    origin = np.asarray(sheet.origin) + first / scale
    across = down_scale = scale
    if ratio < 0.95:
        width, height = max(2, round(image.shape[1] * ratio)), max(2, round(image.shape[0] * ratio))
        across, down_scale = scale * width / image.shape[1], scale * height / image.shape[0]
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    texels = np.empty_like(points)
    texels[..., 0] = (points[..., 0] - origin[0]) * across - 0.5
    texels[..., 1] = (points[..., 1] - origin[1]) * down_scale - 0.5
    maps = _between_nodes(texels)
    x, y = np.ascontiguousarray(maps[..., 0]), np.ascontiguousarray(maps[..., 1])
    method = cv2.INTER_LINEAR if ratio < 1.5 else cv2.INTER_CUBIC
    colours = np.asarray(cv2.remap(image, x, y, method, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)
    height, width = image.shape[:2]
    inside = np.minimum(np.minimum(x + 0.5, width - 0.5 - x), np.minimum(y + 0.5, height - 0.5 - y))
    # An edge runs through a pixel over about one texel of the reduced texture, over several of an enlarged one.
    cover = np.clip(inside * max(1.0, ratio) + 0.5, 0, 1)
    if not good.all():
        cover[_between_nodes(good) < 0.99] = 0
    return colours, np.asarray(cover, dtype=np.float32)
