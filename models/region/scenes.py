"""Scenes to train and judge the region model with: pictures as the model sees them, and the corners of the forms in them.

Sheets of both forms, forms that only look like them, and other papers are rendered once as textures (`make_textures`); scenes are
pictures taken of them (`make_scenes`, `hil.paper.photos`), scaled to the model's input. Everything follows from seeds.

    python -m models.region.scenes --textures 500 --scenes 24000 --seed 1 --out DIR [--jobs 1]

writes `DIR/textures/texture-XXXX.npz` and `DIR/scenes-XXXX.npz` (1000 pictures each); what is there already is kept. A shard has
    pictures  uint8 (n, 256, 256)  grey, the picture at the top left, 128 beside it
    sizes     int16 (n, 2)         width and height of the picture in it
    kinds     uint8 (n,)           index into KINDS
    owners    int32 (m,)           picture of each form shown, ascending
    forms     uint8 (m,)           index into FORMS
    corners   float32 (m, 8, 2)    sheet TL TR BR BL, then table; input pixels, pixel i covers i to i + 1; may lie outside
    visible   bool (m, 8)          whether the picture shows that corner of the paper, uncovered
    shares    float32 (m,)         part of the table's area that the picture shows
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import Form, Group, Registration, Row, load_form, shipped_form
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.print_form import print_form, print_style
from hil.paper.forms.scan import DAMAGES
from hil.paper.forms.sheet import render_sheet
from hil.paper.forms.story import MISTAKES, tell_story
from hil.paper.photos.decoys import KINDS as DECOYS
from hil.paper.photos.decoys import paint_decoy
from hil.paper.photos.knobs import PhotoKnobs, random_knobs
from hil.paper.photos.overprint import overprint
from hil.paper.photos.paper import Colour, Photo, Sheet
from hil.paper.photos.photo import form_named, take_photo

FORMS = ("bo-2019-a1", "lumen-harbour")
KINDS = ("photo", "scan", "crop", "several", "none")
SIDE = 256
FILL = 128
SHARD = 1000

_SHARES = (0.35, 0.25, 0.15, 0.10, 0.15)
_RENDERED_DPI, _TEXTURE_DPI = 150, 66
_WORST = {"torn_corner", "hole", "missing_frames"}


@dataclass(frozen=True, slots=True, eq=False)
class ShownForm:
    """A form in a picture: index into FORMS, corners (8, 2) in input pixels, visible (8,), share of its table that is shown."""

    form: int
    corners: NDArray[np.float32]
    visible: NDArray[np.bool_]
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """Pictures with their truth; arrays as in a shard."""

    pictures: NDArray[np.uint8]
    sizes: NDArray[np.int16]
    kinds: NDArray[np.uint8]
    owners: NDArray[np.int32]
    forms: NDArray[np.uint8]
    corners: NDArray[np.float32]
    visible: NDArray[np.bool_]
    shares: NDArray[np.float32]

    def shown(self, picture: int) -> tuple[ShownForm, ...]:
        """The forms in one picture."""
        first, last = np.searchsorted(self.owners, (picture, picture + 1))
        return tuple(
            ShownForm(int(self.forms[row]), self.corners[row], self.visible[row], float(self.shares[row]))
            for row in range(first, last)
        )

    def save(self, file: Path) -> None:
        """Writes a shard, whole or not at all."""
        draft = file.with_name(f".{file.name}.{os.getpid()}.npz")
        np.savez(draft, **{part.name: getattr(self, part.name) for part in fields(self)})
        draft.replace(file)


def load_scenes(file: Path) -> Scenes:
    """Reads a shard."""
    with np.load(file, allow_pickle=False) as data:
        return Scenes(**{part.name: data[part.name] for part in fields(Scenes)})


# Textures.


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """A flat paper in two sizes: about 66 dpi, and half of that for pictures that show it small."""

    sheet: Sheet
    half: Sheet


def _reduced(sheet: Sheet, scale: float) -> Sheet:
    """Reduced by areas; the scale is told by the width (the height differs by less than half a pixel in all)."""
    width, height = round(sheet.image.shape[1] * scale), round(sheet.image.shape[0] * scale)
    image = np.asarray(cv2.resize(sheet.image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Sheet(sheet.form, image, sheet.origin, sheet.scale * width / sheet.image.shape[1])


def _rendered(form: Form, seed: int, rng: np.random.Generator) -> Sheet:
    """A sheet of a form, one in eight not filled in."""
    if rng.random() < 0.12:
        story = tell_story(form, (), rng)
        page = print_form(form, story, print_style(form, 0.0, rng), _RENDERED_DPI, rng).page
        return Sheet(form.name, page, (0.0, 0.0), _RENDERED_DPI / 2540)
    names = rng.permutation(sorted(DAMAGES)).tolist()[: int(rng.integers(0, 5))]
    damages = {name: int(rng.integers(3, 12 if name in _WORST else 32)) for name in names}
    mistakes = tuple(rng.permutation(sorted(MISTAKES)).tolist()[: int(rng.integers(0, 3))])
    knobs = Knobs(dpi=_RENDERED_DPI, colour="grey" if rng.random() < 0.2 else "colour", damages=damages, mistakes=mistakes)
    rendered = render_sheet(form, seed, knobs)
    x, xx, _, y, _, yy = rendered.truth.placement
    return Sheet(form.name, rendered.image, (-x / xx, -y / yy), xx)


def _look_alike(rng: np.random.Generator) -> Form:
    """A form that is none of ours: other rows, other columns, other cells, printed in the same way."""
    form = load_form(shipped_form(FORMS[int(rng.integers(len(FORMS)))]))
    sizes = ((21590, 27940), (27940, 21590), (43180, 27940), (21000, 29700))
    size = form.size if rng.random() < 0.6 else sizes[int(rng.integers(len(sizes)))]
    columns = int(rng.integers(1, 4 if size[0] > size[1] else 3))
    left, top = int(rng.uniform(1200, 0.3 * size[0])), int(rng.uniform(3200, 0.35 * size[1]))
    span = (size[0] - left - 1200) // columns
    height = int(rng.uniform(500, 1300))
    pitch = height + int(rng.uniform(30, 900))
    most = max(2, (size[1] - top - 1500) // pitch)
    rows = int(rng.integers(max(2, most // 3), most + 1))
    # Neither of our forms has this many rows in as many columns.
    rows -= (columns, rows) in {(2, 12), (1, 9)}
    groups, frames = [], []
    for column in range(columns):
        cells = int(rng.integers(2, 7))
        width = min(cells * int(rng.uniform(600, 1300)), int(0.6 * span))
        label = int((span - width - 500) * rng.uniform(0.4, 1.0))
        x = left + column * span
        on_right = rng.random() < 0.25
        listed = tuple(Row(name=f"r{row}", label=f"List {row + 1}", y=top + row * pitch) for row in range(rows))
        start = x if on_right else x + label + 150
        name = f"g{column}"
        groups.append(Group(name=name, title="Count", x=start, width=width, height=height, cells=cells, rows=listed))
        if rng.random() < 0.8 and label > 300:
            frames += [Box(x + width + 150 if on_right else x, row.y, label, height) for row in listed]
    keep = rng.random() < 0.5 and size == form.size
    return Form(
        format=form.format,
        name="look-alike",
        title="Return of the count",
        size=size,
        colours=form.colours,
        registration=Registration(frames=tuple(frames), brackets=form.registration.brackets if keep else ()),
        groups=tuple(groups),
    )


def _texture(number: int, seed: int, folder: Path) -> None:
    """Renders one texture into its file unless it is there."""
    file = folder / f"texture-{number:04d}.npz"
    if file.is_file():
        return
    cv2.setNumThreads(1)
    rng = np.random.default_rng((seed, number, 1))
    chance = rng.random()
    if chance < 0.7:
        form = load_form(shipped_form(FORMS[number % len(FORMS)]))
        sheet = _rendered(form, seed * 100_000 + number, rng)
        sheet = overprint(sheet, form, rng) if rng.random() < 0.75 else sheet
    elif chance < 0.83:
        form = _look_alike(rng)
        sheet = _rendered(form, seed * 100_000 + number, rng)
        sheet = replace(overprint(sheet, form, rng), form="")
    else:
        sheet = paint_decoy(DECOYS[number % len(DECOYS)], rng)
    if sheet.scale > 1.1 * _TEXTURE_DPI / 2540:
        sheet = _reduced(sheet, _TEXTURE_DPI / _RENDERED_DPI)
    draft = file.with_name(f".{file.name}.{os.getpid()}.npz")
    np.savez(draft, image=sheet.image, form=sheet.form, origin=np.array(sheet.origin), scale=sheet.scale)
    draft.replace(file)


def make_textures(seed: int, count: int, folder: Path, jobs: int = 1) -> list[Path]:
    """Renders `count` textures into `folder`; files that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(_texture, seed=seed, folder=folder)
    started = time.monotonic()
    for done in _each(work, count, jobs):
        if done % 50 == 0 or done == count:
            print(f"textures {done}/{count}, {time.monotonic() - started:.0f} s", flush=True)
    return sorted(folder.glob("texture-*.npz"))[:count]


def _each(work: partial[None], count: int, jobs: int) -> Iterator[int]:
    """Does the numbers 0 to `count` - 1, and counts them."""
    if jobs <= 1:
        for number in range(count):
            work(number)
            yield number + 1
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, _ in enumerate(pool.imap_unordered(work, range(count), chunksize=1), 1):
            yield done


def load_textures(files: Sequence[Path]) -> list[Texture]:
    """Reads textures; about 2.5 MB each."""
    textures = []
    for file in files:
        with np.load(file, allow_pickle=False) as data:
            origin = (float(data["origin"][0]), float(data["origin"][1]))
            sheet = Sheet(str(data["form"]), data["image"], origin, float(data["scale"]))
        textures.append(Texture(sheet, _reduced(sheet, 0.5)))
    return textures


# Scenes.


def make_scenes(textures: Sequence[Texture], seed: int, count: int, side: int = SIDE) -> Scenes:
    """Takes `count` pictures.

    Args:
        textures: Forms and other papers.
        seed: Decides everything.
        count: How many pictures.
        side: Of the model's input.
    """
    maker = _Maker(textures, side)
    pictures = np.full((count, side, side), FILL, dtype=np.uint8)
    sizes, kinds = np.zeros((count, 2), dtype=np.int16), np.zeros(count, dtype=np.uint8)
    owners, forms, corners, visible, shares = [], [], [], [], []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        kind = int(rng.choice(len(KINDS), p=_SHARES))
        photo = maker.take(KINDS[kind], rng)
        height, width = photo.image.shape[:2]
        pictures[number, :height, :width] = _grey(photo.image, rng)
        sizes[number], kinds[number] = (width, height), kind
        for shown in photo.shown:
            owners.append(number)
            forms.append(FORMS.index(shown.form))
            corners.append(shown.corners)
            visible.append(shown.visible)
            shares.append(shown.share)
    return Scenes(
        pictures, sizes, kinds, np.array(owners, dtype=np.int32), np.array(forms, dtype=np.uint8),
        np.array(corners, dtype=np.float32).reshape(-1, 8, 2), np.array(visible, dtype=np.bool_).reshape(-1, 8),
        np.array(shares, dtype=np.float32),
    )  # fmt: skip


def _grey(image: Colour, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The darkest channel, as the finder sees a colour picture; or luminance, as grey pictures come."""
    if rng.random() < 0.2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.min(cv2.min(red, green), blue), dtype=np.uint8)


class _Maker:
    def __init__(self, textures: Sequence[Texture], side: int) -> None:
        self._side = side
        self._forms = [[texture for texture in textures if texture.sheet.form == name] for name in FORMS]
        self._decoys = [texture for texture in textures if not texture.sheet.form]
        if not all(self._forms) or not self._decoys:
            raise ValueError("scenes need textures of every form and of other papers")

    def _form(self, rng: np.random.Generator) -> Texture:
        listed = self._forms[int(rng.integers(len(FORMS)))]
        return listed[int(rng.integers(len(listed)))]

    def _decoy(self, rng: np.random.Generator) -> Texture:
        return self._decoys[int(rng.integers(len(self._decoys)))]

    def _any_size(self, rng: np.random.Generator) -> tuple[int, int]:
        """From 1:1 to 16:9, lying or standing, 4:3 more often."""
        ratio = 4 / 3 if rng.random() < 0.4 else rng.uniform(1.0, 16 / 9)
        short = max(16, round(self._side / ratio))
        return (self._side, short) if rng.random() < 0.5 else (short, self._side)

    def _fitting_size(self, width: float, height: float) -> tuple[int, int]:
        longer = max(width, height)
        return max(48, round(self._side * width / longer)), max(48, round(self._side * height / longer))

    def take(self, kind: str, rng: np.random.Generator) -> Photo:
        seed = int(rng.integers(1 << 31))
        match kind:
            case "photo":
                return self._photo(rng, seed)
            case "scan":
                return self._scan(self._form(rng), rng, seed)
            case "crop":
                return self._crop(self._form(rng), rng, seed)
            case "several":
                return self._several(rng, seed)
            case _:
                return self._none(rng, seed)

    def _photo(self, rng: np.random.Generator, seed: int) -> Photo:
        knobs = random_knobs(rng, self._any_size(rng), "photo", float(rng.uniform(0.2, 0.9)))
        if rng.random() < 0.15:
            knobs = replace(knobs, focus="table", share=float(rng.uniform(0.5, 1.1)))
        sheets = [self._form(rng)]
        if rng.random() < 0.35:
            sheets += [self._decoy(rng) for _ in range(int(rng.integers(1, 3)))]
        return take_photo([_aged(self._sized(sheet, knobs), rng) for sheet in sheets], seed, knobs)

    def _sized(self, texture: Texture, knobs: PhotoKnobs) -> Sheet:
        """The half size unless the picture looks closer."""
        return texture.half if knobs.focus == "sheet" and knobs.share <= 1.2 and knobs.kind != "crop" else texture.sheet

    def _scan(self, texture: Texture, rng: np.random.Generator, seed: int) -> Photo:
        sheet = texture.half
        turn, rotation = _lying(rng, 0.5)
        height, width = sheet.image.shape[:2]
        width, height = (height, width) if turn % 180 else (width, height)
        margins = 1 + rng.uniform(-0.02, 0.2, 2) * (rng.random(2) < 0.7)
        size = self._fitting_size(width * margins[0], height * margins[1])
        knobs = random_knobs(rng, size, "scan", float(rng.uniform(0.1, 0.9)))
        knobs = replace(knobs, rotation=turn + rotation, share=float(rng.uniform(0.97, 1.03)))
        return take_photo([_aged(sheet, rng)], seed, knobs)

    def _crop(self, texture: Texture, rng: np.random.Generator, seed: int) -> Photo:
        sheet = texture.sheet
        turn, rotation = _lying(rng, 0.3)
        severity = float(rng.uniform(0.1, 0.9))
        if rng.random() < 0.65 and sheet.form:
            # The table with margins, as people cut it out.
            table = form_named(sheet.form).table
            margins = rng.uniform(-0.02, 0.25, 2) * (rng.random(2) < 0.8)
            width, height = table.width * (1 + margins[0]), table.height * (1 + margins[1])
            width, height = (height, width) if turn % 180 else (width, height)
            size = self._fitting_size(width, height)
            share = 1 / (1 + min(margins)) * rng.uniform(0.98, 1.02)
            knobs = replace(random_knobs(rng, size, "crop", severity), share=float(share))
        else:
            knobs = random_knobs(rng, self._any_size(rng), "scan", severity)
            knobs = replace(knobs, share=float(rng.uniform(1.1, 3.0)), focus="table" if rng.random() < 0.3 else "sheet")
        knobs = replace(knobs, rotation=turn + (rotation if rng.random() < 0.5 else 0.0))
        return take_photo([_aged(sheet, rng)], seed, knobs)

    def _several(self, rng: np.random.Generator, seed: int) -> Photo:
        sheets = [self._form(rng), self._form(rng)]
        while rng.random() < 0.45 and len(sheets) < 5:
            sheets.append(self._form(rng) if rng.random() < 0.5 else self._decoy(rng))
        knobs = random_knobs(rng, self._any_size(rng), "clutter" if rng.random() < 0.4 else "photo", float(rng.uniform(0.1, 0.7)))
        knobs = replace(knobs, share=float(rng.uniform(0.3, 0.75)), tilt=0.7 * knobs.tilt)
        return take_photo([_aged(sheet.half, rng) for sheet in sheets], seed, knobs)

    def _none(self, rng: np.random.Generator, seed: int) -> Photo:
        chance, decoy = rng.random(), self._decoy(rng)
        if chance < 0.2:
            return self._scan(decoy, rng, seed)
        if chance < 0.35:
            return self._crop(decoy, rng, seed)
        knobs = random_knobs(rng, self._any_size(rng), "clutter" if chance < 0.55 else "photo", float(rng.uniform(0.1, 0.9)))
        sheets = [decoy, *(self._decoy(rng) for _ in range(int(rng.integers(0, 4))))] if chance < 0.92 else []
        return take_photo([_aged(self._sized(sheet, knobs), rng) for sheet in sheets], seed, knobs)


def _lying(rng: np.random.Generator, turned: float) -> tuple[int, float]:
    """Quarter turns, none but for a share of `turned`, and the few degrees beside them."""
    turn = int((180, 180, 90, 270)[int(rng.integers(4))]) if rng.random() < turned else 0
    angle = rng.normal(0.0, 1.0) if rng.random() < 0.7 else rng.uniform(-6, 6)
    return turn, float(np.clip(angle, -6, 6))


_LEVELS = np.arange(256, dtype=np.float64)


def _aged(sheet: Sheet, rng: np.random.Generator) -> Sheet:
    """One in four: a photocopy, a faint or a binary scan, a sheet under coloured light or of coloured paper."""
    chance = rng.random()
    if chance > 0.28:
        return sheet
    image = sheet.image
    if chance < 0.09:
        # A copier's steep curve, with or without the pale print.
        middle, steep = rng.uniform(110, 225), rng.uniform(0.02, 0.12)
        curves = [255 / (1 + np.exp(-steep * (_LEVELS - middle)))] * 3
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2).astype(np.uint8)
    elif chance < 0.15:
        curves = [245 - (245 - _LEVELS) * rng.uniform(0.25, 0.7)] * 3
    elif chance < 0.2:
        threshold = rng.uniform(120, 225)
        curves = [np.where(threshold < _LEVELS, 255.0, 0.0)] * 3
        image = np.repeat(image.min(axis=2, keepdims=True), 3, axis=2)
    else:
        light = np.ones(3)
        light[int(rng.integers(3))] = rng.uniform(0.4, 0.85)
        if rng.random() < 0.5:
            light[int(rng.integers(3))] = rng.uniform(0.5, 0.95)
        curves = [_LEVELS * part for part in light.tolist()]
    table = np.stack(curves, axis=-1).round().clip(0, 255).astype(np.uint8)[None]
    return replace(sheet, image=np.asarray(cv2.LUT(image, table), dtype=np.uint8))


# The command.


@lru_cache(maxsize=1)
def _loaded(files: tuple[Path, ...]) -> list[Texture]:
    """Textures, read once in a process."""
    return load_textures(files)


def _shard(number: int, files: Sequence[Path], seed: int, count: int, folder: Path) -> None:
    """Makes one shard unless it is there."""
    file = folder / f"scenes-{number:04d}.npz"
    if file.is_file():
        return
    cv2.setNumThreads(1)
    make_scenes(_loaded(tuple(files)), seed * 100_000 + number, min(SHARD, count - number * SHARD)).save(file)


def main() -> None:
    """Makes textures and scenes."""
    parser = argparse.ArgumentParser(description="Textures and scenes to train the region model with.")
    parser.add_argument("--textures", type=int, default=500, help="how many papers are rendered (default 500)")
    parser.add_argument("--scenes", type=int, default=24_000, help="how many pictures are made (default 24000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other papers and other pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--papers", type=Path, help="folder of the textures (default OUT/textures)")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    asked = parser.parse_args()
    papers = asked.papers or asked.out / "textures"
    asked.out.mkdir(parents=True, exist_ok=True)
    files = make_textures(asked.seed, asked.textures, papers, asked.jobs)
    shards = -(-asked.scenes // SHARD)
    work = partial(_shard, files=files, seed=asked.seed, count=asked.scenes, folder=asked.out)
    started = time.monotonic()
    for done in _each(work, shards, asked.jobs):
        took = time.monotonic() - started
        rate = min(done * SHARD, asked.scenes) / max(took, 1e-9)
        print(f"shards {done}/{shards}, {took:.0f} s, {rate:.0f} scenes/s", flush=True)


if __name__ == "__main__":
    main()
