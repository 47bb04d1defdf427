"""The exports read again by the libraries that users have: pycocotools, TensorFlow, and Pascal VOC beside them.

They live in the environment of the models: `./dev models test` runs this. Elsewhere it is skipped.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.__main__ import main
from models.annotations import Annotated, bounds, clipped, read_annotations
from tests.tools.marked import DataSet, made

pytestmark = pytest.mark.filterwarnings("ignore")  # libraries warn about each other

_ELSEWHERE = "it is in the environment of the models: ./dev models test"
Bounds = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def tf() -> Any:  # noqa: ANN401  has no types
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return pytest.importorskip("tensorflow", reason=_ELSEWHERE)


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    return made(tmp_path)


def export(kind: str, data: DataSet, out: Path, *more: str) -> None:
    assert main([kind, str(data.annotations), "--images", str(data.images), "--out", str(out), *more]) == 0


def annotated(data: DataSet) -> tuple[Annotated, ...]:
    return read_annotations(data.annotations).images


def boxes_of(image: Annotated, *, also_doubtful: bool) -> dict[str, Bounds]:
    """Left, top, right and bottom of every box that is in the image, by name."""
    shapes = {box.name: clipped(box.corners, image.width, image.height) for box in image.boxes if box.found or also_doubtful}
    return {name: bounds(shape) for name, shape in shapes.items() if shape}


def examples(tf: Any, paths: list[Path]) -> dict[str, dict[str, Any]]:  # noqa: ANN401  has no types
    """All examples of some files by file name, each feature as a list, as a training pipeline parses them."""
    lists = {"image/object/class/text": tf.string, "image/object/box": tf.string, "image/object/form": tf.string}
    lists |= {f"image/object/bbox/{side}": tf.float32 for side in ("xmin", "ymin", "xmax", "ymax")}
    lists |= {f"image/object/{name}": tf.int64 for name in ("class/label", "difficult", "truncated")}
    single = {"image/encoded": tf.string, "image/format": tf.string, "image/filename": tf.string, "image/key/sha256": tf.string}
    single |= {"image/height": tf.int64, "image/width": tf.int64}
    features = {name: tf.io.VarLenFeature(kind) for name, kind in lists.items()}
    features |= {name: tf.io.FixedLenFeature([], kind) for name, kind in single.items()}
    found = {}
    for record in tf.data.TFRecordDataset([str(path) for path in paths]):
        parsed = tf.io.parse_single_example(record, features)
        one = {name: (tf.sparse.to_dense(value) if name in lists else value).numpy() for name, value in parsed.items()}
        found[one["image/filename"].decode()] = one
    return found


def test_tensorflow_reads_the_boxes_back(data: DataSet, tmp_path: Path, tf: Any) -> None:  # noqa: ANN401  has no types
    out = tmp_path / "set.tfrecord"
    export("tfrecord", data, out, "--shards", "2")
    paths = sorted(tmp_path.glob("set.tfrecord-*"))
    assert [path.name for path in paths] == ["set.tfrecord-00000-of-00002", "set.tfrecord-00001-of-00002"]
    found = examples(tf, paths)
    images = annotated(data)
    assert set(found) == {image.name for image in images}
    for image in images:
        one = found[image.name]
        assert (one["image/width"], one["image/height"]) == (image.width, image.height)
        assert one["image/key/sha256"].decode() == image.sha256
        sides = zip(*(one[f"image/object/bbox/{side}"] for side in ("xmin", "ymin", "xmax", "ymax")), strict=True)
        names = [name.decode() for name in one["image/object/box"]]
        scale = (image.width, image.height) * 2
        read = {name: tuple(np.array(box) * scale) for name, box in zip(names, sides, strict=True)}
        expected = boxes_of(image, also_doubtful=True)
        assert read.keys() == expected.keys()
        for name, box in expected.items():
            assert np.allclose(read[name], box, atol=1e-4)
        kinds = {box.name: box.kind for box in image.boxes}
        assert [text.decode() for text in one["image/object/class/text"]] == [kinds[name] for name in names]
        assert list(one["image/object/class/label"]) == [1 if kinds[name] == "field" else 2 for name in names]
        difficult = {box.name: not box.found for box in image.boxes}
        assert list(one["image/object/difficult"]) == [difficult[name] for name in names]
    assert list(found["plain.png"]["image/object/truncated"]) == [1, 0]
    assert "id: 2\n  name: 'label'" in (tmp_path / "set.tfrecord.pbtxt").read_text()


def test_tensorflow_decodes_the_images(data: DataSet, tmp_path: Path, tf: Any) -> None:  # noqa: ANN401  has no types
    export("tfrecord", data, tmp_path / "set")
    for name, one in examples(tf, [tmp_path / "set-00000-of-00001"]).items():
        pixels = tf.io.decode_image(one["image/encoded"], channels=3).numpy()
        original = np.asarray(Image.open(data.images / name)).astype(int)
        assert one["image/format"] == (b"jpeg" if name.endswith(".jpg") else b"png")
        assert np.abs(pixels - original).max() <= (3 if name.endswith(".jpg") else 0)


def test_a_tfrecord_export_that_was_stopped_goes_on(
    data: DataSet,
    tmp_path: Path,
    tf: Any,  # noqa: ANN401  has no types
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from models.commands import tfrecord  # noqa: PLC0415  patched here

    out = tmp_path / "set"
    real, calls = tfrecord.features, [0]

    def stopping(*arguments: Any) -> Any:  # noqa: ANN401  passes them on
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    arguments = ["tfrecord", str(data.annotations), "--images", str(data.images), "--out", str(out), "--shards", "3"]
    with monkeypatch.context() as patched:
        patched.setattr(tfrecord, "features", stopping)
        assert main(arguments) == 130
    assert not [path for path in tmp_path.iterdir() if "unfinished" in path.name]
    first = (tmp_path / "set-00000-of-00003").stat().st_mtime_ns
    assert main(arguments) == 0
    assert "3 images in 3 files, 2 of them written now, 1 were there" in capsys.readouterr().out
    assert (tmp_path / "set-00000-of-00003").stat().st_mtime_ns == first
    (tmp_path / "set-00001-of-00003").write_bytes(b"damaged")
    assert main(arguments) == 0
    assert "1 of them written now" in capsys.readouterr().out
    assert len(examples(tf, sorted(tmp_path.glob("set-*")))) == 3


def test_pycocotools_reads_the_boxes_back(data: DataSet, tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco", reason=_ELSEWHERE)
    export("coco", data, tmp_path / "coco.json")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO(str(tmp_path / "coco.json"))
    assert [one["name"] for one in coco.loadCats(coco.getCatIds())] == ["field", "label"]
    by_name = {one["file_name"]: one for one in coco.loadImgs(coco.getImgIds())}
    for image in annotated(data):
        found = coco.loadAnns(coco.getAnnIds(imgIds=by_name[image.name]["id"]))
        expected = boxes_of(image, also_doubtful=False)
        assert {one["box"] for one in found} == expected.keys()
        for one in found:
            left, top, width, height = one["bbox"]
            assert (left, top, left + width, top + height) == expected[one["box"]]
            mask = coco.annToMask(one)
            assert mask.shape == (image.height, image.width)
            assert abs(int(mask.sum()) - one["area"]) <= 0.1 * one["area"]
            rows, columns = np.nonzero(mask)
            around = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert np.abs(np.array(around) - expected[one["box"]]).max() <= 1


def test_pycocotools_judges_the_truth_as_perfect(data: DataSet, tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco", reason=_ELSEWHERE)
    evaluation_module = pytest.importorskip("pycocotools.cocoeval")
    export("coco", data, tmp_path / "coco.json")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco_module.COCO(str(tmp_path / "coco.json"))
        said = truth.loadRes(
            [
                {"image_id": one["image_id"], "category_id": one["category_id"], "bbox": one["bbox"], "score": 0.9}
                for one in json.loads((tmp_path / "coco.json").read_bytes())["annotations"]
            ]
        )
        evaluation = evaluation_module.COCOeval(truth, said, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)


def test_voc_says_the_same_as_the_others(data: DataSet, tmp_path: Path) -> None:
    export("voc", data, tmp_path / "voc")
    seen = {}
    for path in (tmp_path / "voc" / "Annotations").iterdir():
        root = ET.parse(path).getroot()  # noqa: S314  our own file
        boxes = {}
        for element in root.iter("object"):
            values = {one.tag: int(str(one.text)) for one in element.iterfind("bndbox/*")}
            name = str(element.findtext("attributes/box"))
            boxes[name] = (values["xmin"] - 1, values["ymin"] - 1, values["xmax"], values["ymax"])
        seen[str(root.findtext("source/image"))] = boxes
    for image in annotated(data):
        expected = boxes_of(image, also_doubtful=True)
        assert seen[image.name].keys() == expected.keys()
        for name, box in expected.items():
            difference = np.array(box) - seen[image.name][name]
            assert (difference[:2] >= 0).all()
            assert (difference[2:] <= 0).all()
            assert np.abs(difference).max() < 1


@pytest.mark.real
def test_a_real_sheet_goes_through_all_exports(tmp_path: Path, real_data: Path, tf: Any) -> None:  # noqa: ANN401  has no types
    images, annotations = tmp_path / "set" / "images", tmp_path / "boxes.jsonl"
    assert main(["ingest", str(real_data / "tally-sheets"), "--out", str(tmp_path / "set")]) == 0
    assert main(["boxes", str(images), "--form", "bo-2019-a1", "--out", str(annotations), "--workers", "1"]) == 0
    real = DataSet(images, annotations, ())
    found = annotated(real)
    assert len(found) == 3
    export("voc", real, tmp_path / "voc")
    export("coco", real, tmp_path / "coco.json")
    export("tfrecord", real, tmp_path / "set.tfrecord")
    assert len(list((tmp_path / "voc" / "Annotations").iterdir())) == 3
    records = examples(tf, [tmp_path / "set.tfrecord-00000-of-00001"])
    for image in found:
        names = [name.decode() for name in records[image.name]["image/object/box"]]
        assert names == list(boxes_of(image, also_doubtful=True))
        assert len(names) > 20
