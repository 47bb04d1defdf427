"""`scrutineer-models tfrecord ANNOTATIONS --images DIR --out FILE --shards N`: annotations as TFRecord.

The files are `FILE-00000-of-0000N` and so on, each of `tf.train.Example`s in the layout of TensorFlow's object detection, with
`FILE.pbtxt`, the label map. Boxes are parts of width and height. One whose lines were not found is `difficult`. Each file is put
in place whole; `FILE.done.json` notes which ones are, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from edge.commands.error import CommandError
from edge.commands.read import write_whole
from models.annotations import KINDS, Annotated, bounds, clipped, read_annotations
from models.commands.arguments import Commands, whole
from models.images import as_jpeg_or_png
from models.lazy_tensorflow import tensorflow
from models.progress import Progress
from models.sums import sha256_of

_VERSION = 1
Features = dict[str, list[int] | list[float] | list[bytes]]


def add_parser(commands: Commands) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "tfrecord",
        help="write annotations as TFRecord (needs TensorFlow)",
        description="Write the images that have boxes and their annotations as TFRecord files of tf.train.Example.",
        epilog="exit status: 0 written, 2 wrong use, no TensorFlow, or an image that changed since, 130 interrupted",
        allow_abbrev=False,
    )
    parser.add_argument("annotations", metavar="ANNOTATIONS", type=Path, help="the file that boxes wrote")
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="the folder of images that it was made from")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="begin of the names of the files")
    parser.add_argument("--shards", metavar="N", type=whole(1, 9999), default=1, help="how many files (1)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files.

    Raises:
        CommandError: something that was given cannot be used.
    """
    tf = tensorflow()
    annotations = read_annotations(arguments.annotations)
    out: Path = arguments.out
    made_of = {"annotations": annotations.sha256, "shards": arguments.shards, "version": _VERSION}
    notes = out.with_name(f"{out.name}.done.json")
    done = _done(notes, made_of)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise CommandError("fileUnwritable", f"{str(out)!r}: {getattr(error, 'strerror', None) or error}") from error
    written = images = 0
    with Progress(sys.stderr) as progress:
        progress.begin("writing", len(annotations.images), "images")
        for shard in range(arguments.shards):
            path = out.with_name(f"{out.name}-{shard:05}-of-{arguments.shards:05}")
            chosen = annotations.images[shard :: arguments.shards]
            if path.name not in done or not path.is_file() or sha256_of(path) != done[path.name]:
                for number in _write(tf, path, chosen, arguments.images):
                    progress.show(images + number)
                done[path.name] = sha256_of(path)
                write_whole(notes, json.dumps({"madeOf": made_of, "done": done}, indent=1).encode() + b"\n")
                written += 1
            images += len(chosen)
            progress.show(images)
    write_whole(out.with_name(f"{out.name}.pbtxt"), label_map().encode("ascii"))
    told = f"{images} images in {arguments.shards} files, {written} of them written now, {arguments.shards - written} were there"
    print(f"{told}; {annotations.empty} images without boxes left out")
    return 0


def features(image: Annotated, encoded: bytes, kind: str) -> Features:
    """The features of an image by name."""
    inside = [(box, clipped(box.corners, image.width, image.height)) for box in image.boxes]
    shown = [(box, bounds(shape), bounds(box.corners)) for box, shape in inside if shape]
    name = image.name.encode("utf-8", "backslashreplace")
    return {
        "image/height": [image.height],
        "image/width": [image.width],
        "image/filename": [name],
        "image/source_id": [name],
        "image/key/sha256": [image.sha256.encode()],
        "image/encoded": [encoded],
        "image/format": [kind.encode()],
        "image/object/bbox/xmin": [part[0] / image.width for _, part, _ in shown],
        "image/object/bbox/ymin": [part[1] / image.height for _, part, _ in shown],
        "image/object/bbox/xmax": [part[2] / image.width for _, part, _ in shown],
        "image/object/bbox/ymax": [part[3] / image.height for _, part, _ in shown],
        "image/object/class/text": [box.kind.encode() for box, _, _ in shown],
        "image/object/class/label": [KINDS.index(box.kind) + 1 for box, _, _ in shown],
        "image/object/difficult": [int(not box.found) for box, _, _ in shown],
        "image/object/truncated": [int(part != all_of_it) for _, part, all_of_it in shown],
        "image/object/form": [box.form.encode() for box, _, _ in shown],
        "image/object/box": [box.name.encode("utf-8", "backslashreplace") for box, _, _ in shown],
    }


def label_map() -> str:
    """The classes and their numbers, as text protobuf."""
    return "".join(f"item {{\n  id: {number}\n  name: '{kind}'\n}}\n" for number, kind in enumerate(KINDS, 1))


def _done(notes: Path, made_of: dict[str, Any]) -> dict[str, str]:
    """The files that an earlier run over the same annotations finished, and their hashes."""
    try:
        found = json.loads(notes.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict) or found.get("madeOf") != made_of or not isinstance(found.get("done"), dict):
        return {}
    return {str(name): str(sha256) for name, sha256 in found["done"].items()}


def _write(tf: ModuleType, path: Path, images: Sequence[Annotated], folder: Path) -> Iterator[int]:
    """Write one file; after each image, how many are in it. TensorFlow's errors of writing come as `fileUnwritable`."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with tf.io.TFRecordWriter(str(unfinished)) as writer:
            for number, image in enumerate(images, 1):
                writer.write(_example(tf, features(image, *as_jpeg_or_png(folder, image))))
                yield number
        unfinished.replace(path)
    except (OSError, tf.errors.OpError) as error:
        raise CommandError("fileUnwritable", f"{str(path)!r}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _example(tf: ModuleType, named: Features) -> bytes:
    train = tf.train
    made = {}
    for name, values in named.items():
        if name.startswith("image/object/bbox/"):
            made[name] = train.Feature(float_list=train.FloatList(value=values))
        elif any(isinstance(value, bytes) for value in values):
            made[name] = train.Feature(bytes_list=train.BytesList(value=values))
        else:
            made[name] = train.Feature(int64_list=train.Int64List(value=values))
    return bytes(train.Example(features=train.Features(feature=made)).SerializeToString())
