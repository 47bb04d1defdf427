"""Training the region designs: losses, going on after a stop, and the flatbuffer. Only where TensorFlow is (`./dev models`)."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.inference.model import Code, parse_model
from models.region import boxes, heat_maps
from models.region.batches import SceneSet, scene_set
from models.region.convert import flatbuffer, multiply_adds
from models.region.scenes import SIDE, Scenes
from models.region.targets import HEATS, LOW
from models.region.train import DESIGNS, Training, prepared, restored, write_arrays

tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow lives in build/models")

# TensorFlow 2.15 warns of what it does itself.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore::UserWarning")]


def scenes() -> SceneSet:
    """Eight pictures of a bright sheet with a dark table."""
    rng = np.random.default_rng(2)
    pictures = rng.integers(60, 90, (8, SIDE, SIDE)).astype(np.uint8)
    unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    corners = []
    for picture in pictures:
        left, top, width, height = (int(value) for value in rng.integers((10, 10, 120, 120), (80, 80, 170, 170)))
        picture[top : top + height, left : left + width] = 230
        picture[top + 20 : top + 80, left + 20 : left + 90] = 20
        corners.append(np.concatenate([(left, top) + unit * (width, height), (left + 20, top + 20) + unit * (70, 60)]))
    return scene_set(
        Scenes(
            pictures,
            np.full((8, 2), SIDE, np.int16),
            np.zeros(8, np.uint8),
            np.arange(8, dtype=np.int32),
            (np.arange(8) % 2).astype(np.uint8),
            np.array(corners, np.float32),
            np.ones((8, 8), np.bool_),
            np.ones(8, np.float32),
        )
    )


def perfect(target: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the heat maps shall say, as the network says it."""
    heats = target[..., :HEATS]
    return np.concatenate([np.log(heats / (1 - heats)), target[..., HEATS:]], axis=-1)


def test_the_loss_is_nought_for_what_is_asked_and_for_nothing_else() -> None:
    target, weight = heat_maps.targets(scenes())
    right = perfect(target)
    without = right.copy()
    without[..., :HEATS] = np.log(LOW / (1 - LOW))
    shifted = right.copy()
    shifted[..., HEATS:] += np.float32(0.2)

    # Vectors far from any table do not count, but for their size.
    best = float(heat_maps.loss(np.where(weight > 0, right, 0), target, weight))
    assert best == pytest.approx(0, abs=1e-4)
    assert float(heat_maps.loss(np.where(weight > 0, without, 0), target, weight)) > 10
    assert float(heat_maps.loss(np.where(weight > 0, shifted, 0), target, weight)) > 1
    assert float(heat_maps.loss(np.where(weight > 0, right, 9), target, weight)) > 1


@pytest.mark.parametrize("design", [heat_maps, boxes])
def test_covered_places_do_not_teach(design: ModuleType) -> None:
    target, weight = design.targets(scenes())
    output = np.random.default_rng(1).uniform(-3, 3, target.shape).astype(np.float32)

    with tensorflow.GradientTape() as tape:
        variable = tensorflow.Variable(output)
        value = design.loss(variable, target, np.zeros_like(weight))
    assert float(value) < 1e-4
    assert float(tensorflow.reduce_max(tensorflow.abs(tape.gradient(value, variable)))) < 1e-4


@pytest.mark.parametrize("design", DESIGNS)
def test_it_learns_and_goes_on_where_it_stopped(tmp_path: Path, design: str) -> None:
    some = scenes()
    target, weight = DESIGNS[design].targets(some)
    training = Training(design, 3e-3, seed=1)
    losses = [training.step(0.1, some.pictures, target, weight) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0]

    training.keep(tmp_path / "last.npz")
    again = Training(design, 3e-3, seed=2)
    again.resume(tmp_path / "last.npz")
    assert again.seen == training.seen == 96
    following = [one.step(0.2, some.pictures, target, weight) for one in (training, again)]
    assert following[0] == pytest.approx(following[1], rel=1e-4)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("design", DESIGNS)
def test_the_flatbuffer_is_what_the_product_reads(tmp_path: Path, design: str) -> None:
    some = scenes()
    training = Training(design, 1e-3, seed=3)
    training.keep(tmp_path / "last.npz")
    model = DESIGNS[design].network()
    restored(model, tmp_path / "last.npz", some)
    write_arrays(tmp_path / "weights.npz", {f"weight/{number}": one.numpy() for number, one in enumerate(model.weights)})
    same = DESIGNS[design].network()
    restored(same, tmp_path / "weights.npz", some)
    pictures = prepared(some.pictures[:1])
    assert (model(pictures).numpy() == same(pictures).numpy()).all()

    content = flatbuffer(model, some.pictures)
    parsed = parse_model(content)

    assert len(content) < 1_000_000
    assert multiply_adds(model) < 150_000_000
    assert {operator.code for operator in parsed.operators} <= {
        Code.CONV_2D,
        Code.DEPTHWISE_CONV_2D,
        Code.ADD,
        Code.RESIZE_NEAREST_NEIGHBOR,
        Code.RESHAPE,
        Code.CONCATENATION,
    }
    runner = tensorflow.lite.Interpreter(model_content=content)
    given, taken = runner.get_input_details(), runner.get_output_details()
    assert [one["dtype"] for one in (*given, *taken)] == [np.int8, np.int8]
    assert given[0]["quantization"] == (1 / 128, 0)
    assert tuple(given[0]["shape"]) == (1, SIDE, SIDE, 1)
