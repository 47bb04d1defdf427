"""Scenes for the region model: layout of a shard, truth in the model's pixels, nothing half written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.region import scenes
from models.region.scenes import FILL, FORMS, KINDS, SIDE, load_scenes, load_textures, make_scenes, make_textures


@pytest.fixture(scope="module")
def textures(tmp_path_factory: pytest.TempPathFactory) -> list[scenes.Texture]:
    return load_textures(make_textures(3, 14, tmp_path_factory.mktemp("textures")))


def test_a_seed_gives_the_same_scenes(textures: list[scenes.Texture]) -> None:
    first, second = (make_scenes(textures, 5, 12) for _ in range(2))
    assert np.array_equal(first.pictures, second.pictures)
    assert np.array_equal(first.corners, second.corners)
    assert not np.array_equal(first.pictures, make_scenes(textures, 6, 12).pictures)


def test_pictures_stand_at_the_top_left(textures: list[scenes.Texture]) -> None:
    made = make_scenes(textures, 1, 60)
    assert made.pictures.shape == (60, SIDE, SIDE)
    assert set(made.kinds.tolist()) == set(range(len(KINDS)))
    assert (made.sizes.max(axis=1) == SIDE).all()
    for picture, (width, height), kind, number in zip(made.pictures, made.sizes, made.kinds, range(60), strict=True):
        assert (picture[height:] == FILL).all()
        assert (picture[:, width:] == FILL).all()
        shown = made.shown(number)
        assert bool(shown) == (KINDS[kind] != "none")
        for form in shown:
            assert 0 <= form.form < len(FORMS)
            inside = form.corners[form.visible]
            # A corner of the paper may stand a little outside while the paper just inside it is seen.
            assert (inside > -8).all()
            assert (inside < np.array((width, height)) + 8).all()


def test_shards_are_kept_and_whole(textures: list[scenes.Texture], tmp_path: Path) -> None:
    made = make_scenes(textures, 2, 5)
    file = tmp_path / "scenes-0000.npz"
    made.save(file)
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]
    again = load_scenes(file)
    for part in ("pictures", "sizes", "kinds", "owners", "forms", "corners", "visible", "shares"):
        assert np.array_equal(getattr(again, part), getattr(made, part))
    written = file.stat().st_mtime_ns
    scenes._shard(0, (), 2, 5, tmp_path)
    assert file.stat().st_mtime_ns == written


def test_scenes_need_every_form_and_other_papers(textures: list[scenes.Texture]) -> None:
    with pytest.raises(ValueError, match="need textures"):
        make_scenes([texture for texture in textures if texture.sheet.form], 1, 1)


def test_forms_that_only_look_alike_are_not_ours() -> None:
    for seed in range(40):
        form = scenes._look_alike(np.random.default_rng(seed))
        assert form.name not in FORMS
        assert (len(form.groups), len(form.groups[0].rows)) not in {(2, 12), (1, 9)}
