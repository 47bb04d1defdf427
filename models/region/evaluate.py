"""Judge the designs on held-out scenes, choose the thresholds, and write the released card.

    python -m models.region.evaluate --held build/scenes/held --heat-maps build/region/heat-maps --boxes build/region/boxes

Each folder holds `weights.npz` of `train` and `model.tflite` of `convert`. Scenes with even numbers choose the thresholds and
the confidence, those with odd numbers judge. What the heat maps say is decoded by the product's own code. Writes
`released/region.json`, `released/region.tflite` and `released/SHA256SUMS`, and `evaluation.json` here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.regions import Region, RegionCard
from models.digit.evaluate import Judged, calibrated
from models.region.batches import SceneSet, read_scenes
from models.region.convert import multiply_adds, operators
from models.region.matching import FAINT, LABELS, detector_boxes, matches, region_boxes, regions_of, true_boxes
from models.region.precision import mean_precision
from models.region.targets import FORMS
from models.region.train import DESIGNS, prepared, restored
from models.sums import write_sums

HERE = Path(__file__).parent
LIKELY = 5_000
"""Parts per 10,000 from which a region counts: what is there more likely than not is worth an exact look, which then decides."""
_CORNER_LOGITS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Output:
    """How an int8 output stands for numbers."""

    scale: float
    zero: int

    def score(self, value: float) -> int:
        """The int8 nearest to a number."""
        return int(np.clip(round(value / self.scale) + self.zero, -128, 127))

    def value(self, scores: NDArray[np.int8]) -> NDArray[np.float32]:
        """Numbers from int8."""
        return (scores.astype(np.float32) - self.zero) * np.float32(self.scale)

    def rounded(self, values: NDArray[np.float32]) -> NDArray[np.int8]:
        """int8 from numbers."""
        return np.clip(np.rint(values / self.scale) + self.zero, -128, 127).astype(np.int8)


def interpreter(content: bytes, reference: bool = False) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """A runtime's interpreter with one thread: its usual kernels, or the reference ones."""
    import tensorflow as tf  # noqa: PLC0415 - only here

    kinds = tf.lite.experimental.OpResolverType
    runner = tf.lite.Interpreter(
        model_content=content, num_threads=1, experimental_op_resolver_type=kinds.BUILTIN_REF if reference else kinds.AUTO
    )
    runner.allocate_tensors()
    return runner


def output_of(runner: Any) -> Output:  # noqa: ANN401
    """Scale and zero of an interpreter's only output."""
    scale, zero = runner.get_output_details()[0]["quantization"]
    return Output(float(scale), int(zero))


def int8_outputs(runner: Any, pictures: NDArray[np.uint8]) -> NDArray[np.int8]:  # noqa: ANN401
    """Outputs int8 (n, ...) for uint8 (n, 256, 256)."""
    give, take = runner.get_input_details()[0]["index"], runner.get_output_details()[0]["index"]
    outputs = []
    for picture in pictures:
        runner.set_tensor(give, (picture.astype(np.int16) - 128).astype(np.int8)[None, ..., None])
        runner.invoke()
        outputs.append(runner.get_tensor(take)[0])
    return np.stack(outputs)


def float_outputs(design: str, weights: Path, scenes: SceneSet) -> NDArray[np.float32]:
    """Outputs of the Keras model float32 (n, ...)."""
    model = DESIGNS[design].network()
    restored(model, weights, scenes)
    pieces = np.array_split(scenes.pictures, max(1, len(scenes.pictures) // 64))
    return np.concatenate([model(prepared(piece), training=False).numpy() for piece in pieces])


def plain_card(output: Output, corner_threshold: int) -> RegionCard:
    """A card whose confidence is the score itself plus 128, and whose threshold lets everything faint through."""
    step = round(1e6 * output.scale)
    return RegionCard(FORMS, output.score(FAINT), corner_threshold, output.zero, step, tuple(range(256)))


def chosen_card(scores: NDArray[np.int8], output: Output, scenes: SceneSet) -> dict[str, Any]:
    """The released card's content, from scenes that do not judge."""
    tried = {}
    for logit in _CORNER_LOGITS:
        card = plain_card(output, output.score(logit))
        tried[card.corner_threshold] = matches(regions_of(scores, card, scenes), scenes)
    # The corners that a registration is seeded with: what counts is how far off they are, not the very best. Of thresholds that
    # are as good the highest, for a corner that is called seen should be.
    errors = {threshold: float(np.minimum(one.errors, 0.1).mean()) for threshold, one in tried.items()}
    corner = max(threshold for threshold, error in errors.items() if error <= 1.01 * min(errors.values()))
    one = tried[corner]
    judged = Judged(np.ones(len(one.right), np.int64), one.right.astype(np.int64), one.score.astype(np.int64))
    confidence = calibrated([judged])
    return {
        "forms": list(FORMS),
        "threshold": int(np.searchsorted(confidence, LIKELY)) - 128,
        "corner_threshold": corner,
        "zero_point": output.zero,
        "step_parts_per_million": round(1e6 * output.scale),
        "confidence": confidence,
    }


def milliseconds(content: bytes, picture: NDArray[np.uint8], reference: bool) -> float:
    """Median of 30 runs."""
    runner = interpreter(content, reference)
    spent = []
    for _ in range(30):
        begun = time.perf_counter()
        int8_outputs(runner, picture[None])
        spent.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(spent), 1)


def with_threshold(card: dict[str, Any]) -> RegionCard:
    """A card that decodes as the released one, its confidence the score itself plus 128."""
    return RegionCard(
        FORMS,
        card["threshold"],
        card["corner_threshold"],
        card["zero_point"],
        card["step_parts_per_million"],
        tuple(range(256)),
    )


def by_kind(found: list[tuple[Region, ...]], scenes: SceneSet) -> dict[str, Any]:
    """Reports for all scenes and for each kind of scene."""
    report = {"all": matches(found, scenes).report()}
    for kind in sorted(set(scenes.kinds.tolist())):
        mine = np.flatnonzero(scenes.kinds == kind)
        part = matches([found[number] for number in mine], scenes.part(mine)).report()
        report[kind] = {"scenes": len(mine)} | part
    return report


def judged_heat_maps(folder: Path, choose: SceneSet, judge: SceneSet) -> tuple[dict[str, Any], dict[str, Any]]:
    """The released card's content, and figures: `design` as of the rival, the others at the card's threshold and around it."""
    content = (folder / "model.tflite").read_bytes()
    runner = interpreter(content)
    output = output_of(runner)
    card = chosen_card(int8_outputs(runner, choose.pictures), output, choose)
    used = with_threshold(card)
    faint = replace(used, threshold=output.score(FAINT))
    true = true_boxes(judge)
    scores = {"int8": int8_outputs(runner, judge.pictures)}
    scores["float"] = output.rounded(float_outputs("heat-maps", folder / "weights.npz", judge))
    design = common_figures("heat-maps", folder, judge)
    for name, one in scores.items():
        design |= _named(mean_precision(region_boxes(regions_of(one, faint, judge), judge), true, LABELS), name)
    sample = slice(0, 12)
    apart = int8_outputs(interpreter(content, reference=True), judge.pictures[sample]).astype(int) - scores["int8"][sample]
    at_confidence = {}
    for least in (1000, 2500, 5000, 7500, 9000, 9500):
        threshold = int(np.searchsorted(card["confidence"], least)) - 128
        if threshold <= 127:
            found = regions_of(scores["int8"], replace(used, threshold=threshold), judge)
            at_confidence[f"{least / 100:g} %"] = {"threshold": threshold} | matches(found, judge).report()
    return card, {
        "most_steps_from_reference_kernels": int(np.abs(apart).max()),
        "design": design,
        "kinds": by_kind(regions_of(scores["int8"], used, judge), judge),
        "kinds_float": by_kind(regions_of(scores["float"], used, judge), judge),
        "at_confidence": at_confidence,
        "reliability": reliability(regions_of(scores["int8"], faint, judge), judge, card["confidence"]),
    }


def _named(figures: dict[str, float], name: str) -> dict[str, float]:
    return {f"{key}_{name}": value for key, value in figures.items()}


def reliability(found: list[tuple[Region, ...]], scenes: SceneSet, confidence: list[int]) -> list[dict[str, float]]:
    """How often regions were right against the confidence that is said, on scenes that did not calibrate."""
    one = matches(found, scenes)
    said = np.array(confidence)[one.score.astype(np.int64)] / 10_000
    rows = []
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 0.99), (0.99, 1.0)):
        here = (said >= low) & (said < high)
        if here.any():
            rows.append(
                {
                    "said": round(float(said[here].mean()), 4),
                    "right": round(float(one.right[here].mean()), 4),
                    "regions": int(here.sum()),
                }
            )
    return rows


def judged_boxes(folder: Path, judge: SceneSet) -> dict[str, Any]:
    """Figures of the box detector."""
    runner = interpreter((folder / "model.tflite").read_bytes())
    true = true_boxes(judge)
    values = {"int8": output_of(runner).value(int8_outputs(runner, judge.pictures))}
    values["float"] = float_outputs("boxes", folder / "weights.npz", judge)
    figures = common_figures("boxes", folder, judge)
    for name, one in values.items():
        figures |= _named(mean_precision(detector_boxes(one, judge), true, LABELS), name)
    return figures


def common_figures(design: str, folder: Path, scenes: SceneSet) -> dict[str, Any]:
    """What can be said of any flatbuffer, and how many scenes its network was trained with."""
    content = (folder / "model.tflite").read_bytes()
    with np.load(folder / "last.npz") as kept:
        seen = int(kept["seen"])
    return {
        "bytes": len(content),
        "multiply_adds": multiply_adds(DESIGNS[design].network()),
        "operators": ", ".join(operators(content)),
        "trained_with": seen,
        "ms_one_thread": milliseconds(content, scenes.pictures[0], reference=False),
        "ms_reference_kernels": milliseconds(content, scenes.pictures[0], reference=True),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--heat-maps", type=Path, required=True)
    parser.add_argument("--boxes", type=Path)
    parser.add_argument("--released", type=Path, default=Path("models/released"))
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()

    scenes = read_scenes(arguments.held)
    numbers = np.arange(len(scenes.pictures))
    choose, judge = scenes.part(numbers[::2]), scenes.part(numbers[1::2])
    card, figures = judged_heat_maps(arguments.heat_maps, choose, judge)
    content = (arguments.heat_maps / "model.tflite").read_bytes()
    designs = {"heat-maps": figures.pop("design")}
    if arguments.boxes:
        designs["boxes"] = judged_boxes(arguments.boxes, judge)
    evaluation = {
        "model_sha256": hashlib.sha256(content).hexdigest(),
        "model_bytes": len(content),
        "scenes_that_choose": len(choose.pictures),
        "scenes_that_judge": len(judge.pictures),
        **{name: value for name, value in card.items() if isinstance(value, int)},
        "designs": designs,
        **figures,
    }
    (arguments.released / "region.tflite").write_bytes(content)
    (arguments.released / "region.json").write_text(json.dumps(card) + "\n", encoding="ascii")
    write_sums(arguments.released)
    (arguments.out / "evaluation.json").write_text(json.dumps(evaluation, indent=1) + "\n", encoding="ascii")
    print(json.dumps(evaluation, indent=1))


if __name__ == "__main__":
    main()
