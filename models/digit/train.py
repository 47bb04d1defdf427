"""Train the digit model and write it as an int8 flatbuffer.

    python -m models.digit.train --seed 5 --data ../shared/data

Everything comes from the seed and the data sets; their hashes and ours are printed. TensorFlow's sums on several cores may differ
in the last bit from run to run, so another run gives another file of the same quality: `SHA256SUMS` says which one is released.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tally.ink import clean_ink, model_inputs
from models.digit.acta import acta_patches, doubtful_cells, trains
from models.digit.cells import LABELS, Knobs
from models.digit.dataset import label_counts, made_inputs, moved
from models.digit.network import network
from models.digit.sources import Labelled, acta, mnist, sources_from, usps

_BATCH = 256
_PRINTED, _OWN = 36_000, 60_000
"""Cells of print and of our own pen paths beside those of all kinds."""
_SMOOTHING = 0.01
_REAL_COPIES = 40
"""Each real cell of the training half is moved this many ways."""


def training_set(data: Path, seed: int, made: int, jobs: int) -> Labelled:
    """Inputs uint8 (n, 28, 28) and labels (n,): MNIST as it is and moved, made-up cells, half of the real cells many times."""
    rng = np.random.default_rng(seed)
    digits, of_digits = mnist(data, "train")
    sources = sources_from((digits, of_digits), usps(data, "train"), jobs=jobs)
    parts = [(digits, of_digits), (moved(digits, rng), of_digits)]
    parts.append(made_inputs(sources, Knobs(), made, seed, jobs))
    parts.append(made_inputs(sources, Knobs(kinds=(0.5, 0.05, 0.05, 0.4), damage=1.5), made // 4, seed + 1, jobs))
    parts += _plain_hands(jobs)
    cells, labels = acta(data)
    chosen = np.setdiff1d(np.flatnonzero(trains(len(cells))), sorted(doubtful_cells()))
    clean = clean_ink(acta_patches(cells[chosen]))
    real, of_real = model_inputs(clean)[clean.ink > 0], labels[chosen][clean.ink > 0]
    parts += [(moved(real, rng), of_real) for _ in range(_REAL_COPIES)]
    return np.concatenate([inputs for inputs, _ in parts]), np.concatenate([labels for _, labels in parts])


def _plain_hands(jobs: int) -> list[Labelled]:
    """Print, and the forms of digits that MNIST lacks, little damaged: the ones with a flag three times."""
    easy = Knobs(kinds=(1, 0, 0, 0), own=0, type=1, damage=0.6, sans=True)
    printed = made_inputs(None, easy, _PRINTED, 9001, jobs)
    own = made_inputs(None, Knobs(kinds=(1, 0, 0, 0), own=1, type=0, bend=0.8, damage=0.6), _OWN, 9002, jobs)
    ones = own[1] == 1
    return [printed, own, (own[0][ones], own[1][ones]), (own[0][ones], own[1][ones])]


def train(inputs: NDArray[np.uint8], labels: NDArray[np.uint8], seed: int, epochs: float) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """A trained Keras model; its weights are a running mean over the last steps."""
    import tensorflow as tf  # noqa: PLC0415 - only here

    tf.keras.utils.set_random_seed(seed)
    model = network(LABELS)
    steps = int(len(inputs) * epochs) // _BATCH
    rate = tf.keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=3e-3, warmup_steps=steps // 20)
    optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=0.995)
    loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)

    def prepared(picture: Any, label: Any) -> tuple[Any, Any]:  # noqa: ANN401
        return tf.cast(picture, tf.float32)[..., None] / 255.0, tf.one_hot(label, LABELS)

    order = np.random.default_rng(seed).permutation(len(inputs))
    data = tf.data.Dataset.from_tensor_slices((inputs[order], labels[order])).shuffle(60_000, seed=seed).repeat()
    data = data.batch(_BATCH).map(prepared).prefetch(4)
    model.fit(data, steps_per_epoch=steps, epochs=1, verbose=2)
    optimizer.finalize_variable_values(model.trainable_variables)
    # Batch statistics of the mean weights, not of the last ones.
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.95
    for pictures, _ in data.take(150):
        model(pictures, training=True)
    return model


def flatbuffer(model: Any, samples: NDArray[np.uint8]) -> bytes:  # noqa: ANN401
    """The model in int8, input and output too; scales from `samples`, uint8 (n, 28, 28)."""
    import tensorflow as tf  # noqa: PLC0415 - only here

    def representative() -> Any:  # noqa: ANN401
        for number, sample in enumerate(samples):
            picture = sample.astype(np.float32)[None, ..., None] / 255.0
            if number == 0:
                # So that the input's scale is 1/255 exactly.
                picture[0, 0, 0, 0], picture[0, 0, 1, 0] = 0.0, 1.0
            yield [picture]

    fixed = tf.function(model).get_concrete_function(tf.TensorSpec((1, 28, 28, 1), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([fixed], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=5, help="of the training set")
    parser.add_argument("--start-seed", type=int, default=7, help="of the first weights and the order of training")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--made", type=int, default=140_000, help="made-up cells")
    parser.add_argument("--epochs", type=float, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("models/released/digit.tflite"))
    parser.add_argument("--set", type=Path, help="keeps the training set here (.npz) and uses it when it is there")
    arguments = parser.parse_args()

    for name in ("mnist", "usps", "acta-cells"):
        file = arguments.data / "digits" / f"{name}.npz"
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}")
    begun = time.monotonic()
    if arguments.set and arguments.set.is_file():
        with np.load(arguments.set) as kept:
            inputs, labels = kept["inputs"], kept["labels"]
    else:
        inputs, labels = training_set(arguments.data, arguments.seed, arguments.made, arguments.jobs)
        if arguments.set:
            np.savez(arguments.set, inputs=inputs, labels=labels)
    print(f"{len(inputs)} inputs after {time.monotonic() - begun:.0f} s, by label {label_counts(labels)}", flush=True)
    model = train(inputs, labels, arguments.start_seed, arguments.epochs)
    samples = inputs[np.random.default_rng(arguments.start_seed).choice(len(inputs), 1500, replace=False)]
    content = flatbuffer(model, samples)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(content)
    print(f"{hashlib.sha256(content).hexdigest()}  {arguments.out}: {len(content)} bytes after {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
