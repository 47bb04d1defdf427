"""Judge the digit model as released: TFLite's reference kernels on digits that did not train.

    python -m models.digit.evaluate --data ../shared/data

Writes `digit.json` (labels, the margin that accepts, the calibrated confidence of each margin) and `SHA256SUMS` beside the model,
and `evaluation.json` and `reliability.png` here. The margin is chosen on MNIST's test digits and on the real
cells that did not train, of which none may be accepted wrongly; made-up cells show what is beyond it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tally.ink import clean_ink, model_inputs
from models.digit.acta import acta_patches, doubtful_cells, trains
from models.digit.cells import EMPTY, UNREADABLE, Knobs
from models.digit.dataset import made_inputs
from models.digit.sources import Labelled, acta, mnist, sources_from, usps
from models.sums import write_sums

LABEL_NAMES = [*"0123456789", "empty", "dash", "unreadable"]
MOST_WRONG = 0.00075
"""Of MNIST's test digits that are accepted: three quarters of what is allowed, since the next election's are others."""
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Judged:
    """What the model says to a set: truth (n,), label (n,) and margin (n,)."""

    truth: NDArray[np.int64]
    label: NDArray[np.int64]
    margin: NDArray[np.int64]

    def accepted(self, least: int) -> NDArray[np.bool_]:
        """A cell that is called unreadable is held, whatever its margin."""
        return (self.margin >= least) & (self.label != UNREADABLE)

    def report(self, least: int) -> dict[str, Any]:
        """Figures with a threshold."""
        accepted = self.accepted(least)
        wrong = accepted & (self.label != self.truth)
        readable = self.truth != UNREADABLE
        return {
            "cells": len(self.truth),
            "right": int((self.label == self.truth).sum()),
            "accuracy": _share((self.label == self.truth).sum(), len(self.truth)),
            "readable": int(readable.sum()),
            "readable_accuracy": _share(((self.label == self.truth) & readable).sum(), readable.sum()),
            "accepted": int(accepted.sum()),
            "accepted_share_of_readable": _share((accepted & readable).sum(), readable.sum()),
            "wrong_accepted": int(wrong.sum()),
            "wrong_accepted_readable": int((wrong & readable).sum()),
            "wrong_share_of_accepted": _share(wrong.sum(), accepted.sum()),
            "unreadable": int((~readable).sum()),
            "unreadable_accepted": int((accepted & ~readable).sum()),
        }


def _share(part: Any, whole: Any) -> float:  # noqa: ANN401 - counts of NumPy or Python
    return round(float(part) / float(whole), 6) if whole else 0.0


def reference_scores(content: bytes, inputs: NDArray[np.uint8], jobs: int) -> NDArray[np.int8]:
    """Scores int8 (n, 13) of TFLite's reference kernels for uint8 (n, 28, 28)."""
    pieces = np.array_split(inputs, max(1, len(inputs) // 500))
    with ProcessPoolExecutor(jobs) as pool:
        return np.concatenate(list(pool.map(partial(_piece_scores, content), pieces)))


def _piece_scores(content: bytes, inputs: NDArray[np.uint8]) -> NDArray[np.int8]:
    import tensorflow as tf  # noqa: PLC0415 - the processes that judge need it alone

    runner = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    runner.allocate_tensors()
    give, take = runner.get_input_details()[0]["index"], runner.get_output_details()[0]["index"]
    scores = np.empty((len(inputs), len(LABEL_NAMES)), np.int8)
    for number, picture in enumerate(inputs):
        runner.set_tensor(give, (picture.astype(np.int16) - 128).astype(np.int8)[None, ..., None])
        runner.invoke()
        scores[number] = runner.get_tensor(take)[0]
    return scores


def judged(content: bytes, cells: Labelled, jobs: int) -> Judged:
    """What the model says; of equal scores the first label counts."""
    scores = reference_scores(content, cells[0], jobs).astype(np.int64)
    best = np.sort(scores, axis=1)
    return Judged(cells[1].astype(np.int64), scores.argmax(axis=1), best[:, -1] - best[:, -2])


def held_out(data: Path, made: int, jobs: int) -> dict[str, Labelled]:
    """The sets: `choose` and `calibrate` give the confidence, the others judge."""
    digits, of_digits = mnist(data, "test")
    zips, of_zips = usps(data, "test")
    first = sources_from((digits[::2], of_digits[::2]), jobs=jobs)
    second = sources_from((digits[1::2], of_digits[1::2]), jobs=jobs)
    plain = Knobs(kinds=(1, 0, 0, 0), type=0, enlarged=1)
    common = Knobs(enlarged=0.6, bend=0.5)
    heavy = Knobs(kinds=(0.72, 0.06, 0.06, 0.16), enlarged=0.6, bend=0.5, damage=1.8)
    cells, labels = acta(data)
    odd = np.flatnonzero(~trains(len(cells)))
    readable = np.setdiff1d(odd, sorted(doubtful_cells()))
    return {
        "choose": made_inputs(first, plain, made, 7001, jobs),
        "calibrate": made_inputs(first, common, made, 7002, jobs),
        "mnist_test": (digits, of_digits),
        "mnist_test_in_cells": made_inputs(second, plain, made, 7003, jobs),
        "all_kinds": made_inputs(second, common, made, 7004, jobs),
        "heavy_damage": made_inputs(second, heavy, made, 7005, jobs),
        "usps_test": _as_cells(zips, of_zips),
        "acta_odd_readable": (model_inputs(clean_ink(acta_patches(cells[readable]))), labels[readable]),
        "acta_odd_all": (model_inputs(clean_ink(acta_patches(cells[odd]))), labels[odd]),
    }


def _as_cells(digits: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Labelled:
    """Pictures of digits as if each were a cell."""
    patches = np.zeros((len(digits), 96, 96), np.uint8)
    patches[:, 20:76, 20:76] = digits.repeat(2, axis=1).repeat(2, axis=2)
    return model_inputs(clean_ink(patches)), labels


def chosen_margin(plain: Judged, real: Judged) -> int:
    """Least margin with few enough wrong among the accepted as MNIST has them, and none among the real ones.

    Made-up cells do not choose: some are bent or cut beyond what anybody would write, so that their labels are no truth.
    """
    for least in range(1, 256):
        if _wrong(plain, least) <= MOST_WRONG * plain.accepted(least).sum() and not _wrong(real, least):
            return least
    return 255


def _wrong(one: Judged, least: int) -> int:
    return int((one.accepted(least) & (one.label != one.truth)).sum())


def calibrated(sets: list[Judged]) -> list[int]:
    """Probability that the label is right for each margin 0 to 255, never falling, in parts per 10,000.

    Pools adjacent margins while a higher one does worse (isotonic regression); one wrong reading is added to each pool, so that
    nothing is ever certain.
    """
    margins = np.concatenate([one.margin for one in sets])
    right = np.concatenate([one.label == one.truth for one in sets])
    pools: list[list[float]] = []
    for margin in range(256):
        here = margins == margin
        pools.append([float(right[here].sum()), float(here.sum()), 1.0])
        while len(pools) > 1 and (pools[-1][1] == 0 or pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]):
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    table = [int(10_000 * good / (count + 1)) for good, count, width in pools for _ in range(int(width))]
    return np.maximum.accumulate(table).tolist()


def drawn_reliability(path: Path, sets: dict[str, Judged], confidence: list[int], least: int) -> list[dict[str, float]]:
    """The reliability curve, and the same as a table."""
    import matplotlib as mpl  # noqa: PLC0415 - only to draw

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    table = np.array(confidence) / 10_000
    edges = [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0001]
    pooled = [sets[name] for name in ("all_kinds", "heavy_damage", "acta_odd_all")]
    said = np.concatenate([table[one.margin] for one in pooled])
    right = np.concatenate([one.label == one.truth for one in pooled])
    rows = []
    for low, high in pairwise(edges):
        here = (said >= low) & (said < high)
        if here.any():
            rows.append(
                {
                    "said": round(float(said[here].mean()), 4),
                    "right": round(float(right[here].mean()), 4),
                    "cells": int(here.sum()),
                }
            )
    figure, (left, right_side) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    left.plot([row["said"] for row in rows], [row["right"] for row in rows], marker="o")
    left.set(xlabel="confidence that was said", ylabel="share that was right", title="Reliability, held-out cells")
    for name in ("mnist_test_in_cells", "all_kinds", "heavy_damage", "acta_odd_readable"):
        one = sets[name]
        steps = np.arange(0, 200, 2)
        taken = [one.accepted(int(step)) for step in steps]
        share = [take.mean() for take in taken]
        wrong = [max((take & (one.label != one.truth)).sum() / max(take.sum(), 1), 1e-5) for take in taken]
        right_side.plot(share, wrong, label=name.replace("_", " "))
    right_side.axhline(0.001, color="0.5", linestyle="--", linewidth=1)
    right_side.set(
        xlabel="share of cells accepted",
        ylabel="wrong among the accepted",
        yscale="log",
        title=f"Margins 0 to 199; {least} is used",
    )
    right_side.legend()
    figure.savefig(path, dpi=100, metadata={"Software": None})
    return rows


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--released", type=Path, default=Path("models/released"))
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--made", type=int, default=2500, help="cells of each made-up set")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()

    content = (arguments.released / "digit.tflite").read_bytes()
    sets = {
        name: judged(content, cells, arguments.jobs)
        for name, cells in held_out(arguments.data, arguments.made, arguments.jobs).items()
    }
    least = chosen_margin(sets["mnist_test"], sets["acta_odd_readable"])
    confidence = calibrated([sets["choose"], sets["calibrate"]])
    card = {"labels": LABEL_NAMES, "accept_margin": least, "confidence": confidence, "input_zero": -128}
    (arguments.released / "digit.json").write_text(json.dumps(card) + "\n", encoding="ascii")
    reliability = drawn_reliability(arguments.out / "reliability.png", sets, confidence, least)
    readable = sets["acta_odd_readable"]
    evaluation = {
        "model_sha256": hashlib.sha256(content).hexdigest(),
        "model_bytes": len(content),
        "accept_margin": least,
        "sets": {name: one.report(least) for name, one in sets.items()},
        "acta_digits_only": _digits_only(readable).report(least),
        "acta_wrong": _wrong_cells(arguments.data, readable),
        "reliability": reliability,
    }
    (arguments.out / "evaluation.json").write_text(json.dumps(evaluation, indent=1) + "\n", encoding="ascii")
    write_sums(arguments.released)
    print(json.dumps(evaluation, indent=1))


def _digits_only(one: Judged) -> Judged:
    digit = one.truth < EMPTY
    return Judged(one.truth[digit], one.label[digit], one.margin[digit])


def _wrong_cells(data: Path, readable: Judged) -> list[list[int]]:
    """Number, truth, label and margin of the real cells that are read wrongly."""
    count = len(acta(data)[1])
    numbers = np.setdiff1d(np.flatnonzero(~trains(count)), sorted(doubtful_cells()))
    wrong = np.flatnonzero(readable.label != readable.truth)
    return [[int(part[place]) for part in (numbers, readable.truth, readable.label, readable.margin)] for place in wrong]


if __name__ == "__main__":
    main()
