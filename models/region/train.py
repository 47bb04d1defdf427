"""Train a design and keep its weights.

    python -m models.region.train --design heat-maps --scenes build/scenes/train --held build/scenes/held \
        --out build/region/heat-maps --minutes 35

Writes `last.npz` (weights, running means of them, the optimizer's state, how far it came) every few minutes and when told to
stop; the same command goes on from there. At the end writes `weights.npz`: the running means, with batch statistics of their own.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from models.region import boxes, heat_maps
from models.region.batches import SceneSet, augmented, batches, read_scenes

DESIGNS: dict[str, ModuleType] = {"heat-maps": heat_maps, "boxes": boxes}
_KEEP = 0.998
"""Of the running mean of the weights in each step."""
_WARM = 0.03
_STATISTICS = 60
"""Batches that the batch statistics of the mean weights are taken from."""


def prepared(pictures: Any) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """Pictures uint8 (n, 256, 256) as the networks take them: float (n, 256, 256, 1), (value - 128) / 128."""
    import tensorflow as tf  # noqa: PLC0415 - only training needs it

    return (tf.cast(pictures, tf.float32)[..., None] - 128.0) / 128.0


class Training:
    """A network, its optimizer, the running means of its weights, and how far it came.

    Args:
        design: Key of DESIGNS.
        rate: Highest learning rate.
        seed: Of the first weights.
    """

    def __init__(self, design: str, rate: float, seed: int) -> None:
        import tensorflow as tf  # noqa: PLC0415 - only training needs it

        tf.keras.utils.set_random_seed(seed)
        self.design = DESIGNS[design]
        self.model = self.design.network()
        self.highest = rate
        self.optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=0.01, clipnorm=5.0)
        self.optimizer.build(self.model.trainable_variables)
        self.means = [tf.Variable(one, trainable=False) for one in self.model.trainable_variables]
        self.seen = 0
        self.spent = 0.0
        self._step = tf.function(self._plain_step)
        self._judge = tf.function(self._plain_judge)

    def _plain_step(self, pictures: Any, target: Any, weight: Any) -> Any:  # noqa: ANN401
        import tensorflow as tf  # noqa: PLC0415

        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            value = self.design.loss(self.model(prepared(pictures), training=True), target, weight)
        self.optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        done = tf.cast(self.optimizer.iterations, tf.float32)
        for mean, variable in zip(self.means, variables, strict=True):
            # Young means forget faster, or they would hold the first, random weights.
            mean.assign_add((variable - mean) * (1 - tf.minimum(_KEEP, done / (done + 10))))
        return value

    def _plain_judge(self, pictures: Any, target: Any, weight: Any) -> Any:  # noqa: ANN401
        return self.design.loss(self.model(prepared(pictures), training=False), target, weight)

    def step(self, progress: float, pictures: Any, target: Any, weight: Any) -> float:  # noqa: ANN401
        """One step at a progress of 0 to 1; the loss."""
        fall = (1 + np.cos(np.pi * max(0.0, progress - _WARM) / (1 - _WARM))) / 2
        self.optimizer.learning_rate.assign(self.highest * min(progress / _WARM, 1) * max(fall, 0.01))
        self.seen += len(pictures)
        return float(self._step(pictures, target, weight))

    def held_loss(self, scenes: SceneSet, size: int = 50) -> float:
        """Mean loss on scenes as they are."""
        parts = [scenes.part(np.arange(begin, begin + size)) for begin in range(0, len(scenes.pictures) - size + 1, size)]
        return float(np.mean([self._judge(part.pictures, *self.design.targets(part)) for part in parts]))

    def _state(self) -> dict[str, list[Any]]:
        return {"weight": self.model.weights, "mean": self.means, "optimizer": list(self.optimizer.variables)}

    def keep(self, path: Path) -> None:
        """Write everything to go on from: whole or not at all."""
        arrays = {f"{name}/{number}": one.numpy() for name, many in self._state().items() for number, one in enumerate(many)}
        write_arrays(path, arrays | {"seen": np.array(self.seen), "spent": np.array(self.spent)})

    def resume(self, path: Path) -> None:
        """Take up what `keep` wrote."""
        with np.load(path) as kept:
            for name, many in self._state().items():
                for number, one in enumerate(many):
                    one.assign(kept[f"{name}/{number}"])
            self.seen, self.spent = int(kept["seen"]), float(kept["spent"])


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """An .npz file, written beside its place and then moved there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(beside, path)  # noqa: PTH105 - says that it replaces


def restored(model: Any, path: Path, scenes: SceneSet, seed: int = 11) -> None:  # noqa: ANN401
    """Give a model the weights of `weights.npz`; or the means in `last.npz`, with their batch statistics from `scenes`."""
    import tensorflow as tf  # noqa: PLC0415 - only training needs it

    with np.load(path) as kept:
        for number, one in enumerate(model.weights):
            one.assign(kept[f"weight/{number}"])
        if "mean/0" not in kept:
            return
        for number, one in enumerate(model.trainable_variables):
            one.assign(kept[f"mean/{number}"])
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.95
    rng = np.random.default_rng(seed)
    count = len(scenes.pictures)
    update = tf.function(lambda pictures: model(prepared(pictures), training=True))
    for _ in range(_STATISTICS):
        update(augmented(scenes.part(rng.choice(count, min(count, 48), replace=False)), rng).pictures)


def _ahead(made: Iterator[Any], depth: int = 4) -> Iterator[Any]:
    """The same, made in a thread of its own while the network computes."""
    waiting: queue.Queue[Any] = queue.Queue(depth)

    def work() -> None:
        for one in made:
            waiting.put(one)

    threading.Thread(target=work, daemon=True).start()
    while True:
        yield waiting.get()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--design", choices=tuple(DESIGNS), default="heat-maps")
    parser.add_argument("--scenes", type=Path, required=True, help="scenes to train with")
    parser.add_argument("--held", type=Path, required=True, help="scenes to watch the loss on")
    parser.add_argument("--out", type=Path, required=True)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="how long, all runs together")
    length.add_argument("--epochs", type=float, help="how often each scene is seen")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep-minutes", type=float, default=3)
    arguments = parser.parse_args()

    import tensorflow as tf  # noqa: PLC0415 - after the help

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    scenes, held = read_scenes(arguments.scenes), read_scenes(arguments.held, most=400)
    training = Training(arguments.design, arguments.rate, arguments.seed)
    last = arguments.out / "last.npz"
    if last.is_file():
        training.resume(last)
    print(f"{len(scenes.pictures)} scenes, {training.model.count_params()} weights, begun at {training.seen} seen", flush=True)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())

    _run(training, scenes, held, arguments, stopped)
    training.keep(last)
    if stopped.is_set():
        print(f"stopped at {training.seen} seen; the same command goes on", flush=True)
        return
    restored(training.model, last, scenes)
    write_arrays(
        arguments.out / "weights.npz", {f"weight/{number}": one.numpy() for number, one in enumerate(training.model.weights)}
    )
    print(f"{training.seen} seen in {training.spent:.0f} s; loss of the means on held scenes {training.held_loss(held):.4f}")


def _run(training: Training, scenes: SceneSet, held: SceneSet, arguments: argparse.Namespace, stopped: threading.Event) -> None:
    """Steps until it has gone on for long enough, or is told to stop."""
    # Another seed after each stop: what was seen before is not seen again in the same order.
    made = batches(scenes, arguments.batch, np.random.default_rng((arguments.seed, training.seen)))
    fed = _ahead((batch.pictures, *training.design.targets(batch)) for batch in made)
    clock = told = kept = time.monotonic()
    losses: list[float] = []
    while not stopped.is_set():
        now = time.monotonic()
        training.spent, clock = training.spent + now - clock, now
        if arguments.minutes:
            progress = training.spent / (60 * arguments.minutes)
        else:
            progress = training.seen / (arguments.epochs * len(scenes.pictures))
        if progress >= 1:
            break
        losses.append(training.step(progress, *next(fed)))
        if now - told > 20:
            rate = len(losses) * arguments.batch / (now - told)
            print(f"{training.spent:6.0f} s  {training.seen:8d} seen  {rate:5.0f}/s  loss {np.mean(losses):.4f}", flush=True)
            losses, told = [], now
        if now - kept > 60 * arguments.keep_minutes:
            training.keep(arguments.out / "last.npz")
            print(f"kept; loss on held scenes {training.held_loss(held):.4f}", flush=True)
            kept = now


if __name__ == "__main__":
    main()
