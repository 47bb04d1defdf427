"""Pascal VOC and COCO: the files say what the annotations say, to any reader, and an export that was stopped goes on."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from edge.commands.read import write_whole
from models.__main__ import main
from models.annotations import Annotated, Box
from models.commands.voc import annotation_xml, decimal
from models.images import without_app1
from tests.tools.marked import ASKEW, DataSet, encoded, made


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    return made(tmp_path)


def export(kind: str, data: DataSet, out: Path, *more: str) -> int:
    return main([kind, str(data.annotations), "--images", str(data.images), "--out", str(out), *more])


def texts(element: ET.Element, path: str) -> list[str | None]:
    return [one.text for one in element.findall(path)]


def test_voc_has_the_boxes_in_its_own_pixels(data: DataSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "voc"
    assert export("voc", data, out) == 0
    assert capsys.readouterr().out == "3 images, 3 of them written now, 0 were there; 1 without boxes left out\n"
    names = {"a____b", "plain", *(path.stem for path in (out / "Annotations").iterdir() if path.stem.startswith("plain-"))}
    assert len(names) == 3
    assert {path.stem for path in (out / "JPEGImages").iterdir()} == names
    root = ET.parse(out / "Annotations" / "a____b.xml").getroot()  # noqa: S314  our own file
    assert texts(root, "filename") == ["a____b.jpg"]
    assert texts(root, "source/image") == ["a & <b>.jpg"]
    assert [texts(root, f"size/{name}") for name in ("width", "height", "depth")] == [["240"], ["210"], ["3"]]
    assert texts(root, "object/name") == ["field", "label"]
    assert texts(root, "object/attributes/box") == ['votes.<yes> & "no"', "label:0"]
    boxes = [[int(str(one.text)) for one in bndbox] for bndbox in root.findall("object/bndbox")]
    # Pixel columns 10 up to 60.5 are the 11th to the 61st.
    assert boxes == [[11, 21, 61, 41], [99, 51, 150, 81]]
    polygon = [float(str(one.text)) for one in root.findall("object/polygon")[1]]
    assert polygon == [value for corner in ASKEW for value in corner]
    other = ET.parse(out / "Annotations" / "plain.xml").getroot()  # noqa: S314  as above
    assert texts(other, "object/attributes/box") == ["votes.no", "total"]
    assert texts(other, "object/truncated") == ["1", "0"]
    assert texts(other, "object/difficult") == ["0", "1"]
    assert [one.text for one in other.findall("object/bndbox/xmin")] == ["1", "151"]


def test_voc_lists_name_every_image_once(data: DataSet, tmp_path: Path) -> None:
    out = tmp_path / "voc"
    assert export("voc", data, out, "--validation", "50") == 0
    lists = {path.stem: path.read_text().splitlines() for path in (out / "ImageSets" / "Main").iterdir()}
    stems = sorted(path.stem for path in (out / "JPEGImages").iterdir())
    assert sorted(lists["trainval"]) == stems
    assert sorted(lists["train"] + lists["val"]) == stems
    by_stem = dict(one.split() for one in lists["field_trainval"])
    assert by_stem["a____b"] == "1"
    assert sorted(by_stem.values()) == ["-1", "1", "1"]
    assert sorted(one.split()[1] for one in lists["label_trainval"]) == ["-1", "0", "1"]
    assert {len(one.split()) for name, entries in lists.items() if "_" in name for one in entries} == {2}


def test_voc_images_have_the_pixels_of_the_boxes_whatever_a_reader_turns(data: DataSet, tmp_path: Path) -> None:
    out = tmp_path / "voc"
    export("voc", data, out)
    original = np.asarray(Image.open(data.images / "a & <b>.jpg"))
    with Image.open(out / "JPEGImages" / "a____b.jpg") as image:
        assert np.array_equal(np.asarray(image), original)
        assert ImageOps.exif_transpose(image).size == (240, 210)
        assert not image.getexif()
    with Image.open(out / "JPEGImages" / "plain.jpg") as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image).astype(int) - np.asarray(Image.open(data.images / "plain.png"))).max() < 30


def test_a_voc_export_that_was_stopped_goes_on(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "voc"
    export("voc", data, tmp_path / "whole")
    left = [3]

    def stopping(path: Path, content: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        write_whole(path, content)

    with monkeypatch.context() as patched:
        patched.setattr("models.commands.voc.write_whole", stopping)
        assert export("voc", data, out) == 130
    capsys.readouterr()
    assert export("voc", data, out) == 0
    assert "2 of them written now, 1 were there" in capsys.readouterr().out
    assert contents(out) == contents(tmp_path / "whole")
    assert export("voc", data, out) == 0
    assert "0 of them written now, 3 were there" in capsys.readouterr().out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_coco_has_polygons_and_boxes(data: DataSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "coco.json"
    assert export("coco", data, out) == 0
    assert capsys.readouterr().out == "3 images, 3 boxes; 3 boxes that were not found, and 1 images without any, left out\n"
    found: dict[str, Any] = json.loads(out.read_bytes())
    assert [(one["id"], one["name"]) for one in found["categories"]] == [(1, "field"), (2, "label")]
    assert next((one["id"], one["file_name"], one["width"]) for one in found["images"]) == (1, "a & <b>.jpg", 240)
    first, second, third = found["annotations"]
    assert first["bbox"] == [10, 20, 50.5, 20.00390625]
    assert first["area"] == 50.5 * 20.00390625
    assert second["segmentation"] == [[value for corner in ASKEW for value in corner]]
    assert (third["image_id"], third["category_id"], third["box"]) == (2, 1, "votes.no")
    assert third["bbox"] == [0, 100, 30, 30]


@pytest.mark.parametrize("kind", ["voc", "coco"])
def test_an_image_that_is_another_one_is_refused(
    kind: str, data: DataSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data.images / "plain.png").write_bytes(encoded("PNG", 9))
    assert export(kind, data, tmp_path / "out") == 2
    assert "imageChanged" in capsys.readouterr().err
    (data.images / "plain.png").unlink()
    assert export(kind, data, tmp_path / "out") == 2
    assert "imageChanged" in capsys.readouterr().err


@example("a\r\nb", "\t", "\x85\u2028")
@given(st.text(), st.text(), st.text())
def test_any_name_comes_through_xml(name: str, form: str, box: str) -> None:
    image = Annotated(name, "0" * 64, 100, 100, (Box(form, box, "field", ((1, 1), (9, 1), (9, 9), (1, 9)), found=True),))
    root = ET.fromstring(annotation_xml(image, "stem"))  # noqa: S314  our own text
    shown = (root.findtext("source/image"), root.findtext("object/attributes/form"), root.findtext("object/attributes/box"))
    for given_, found in zip((name, form, box), shown, strict=True):
        assert len(found or "") == len(given_)
        if given_.isprintable() and given_.isascii():
            assert found == given_
    assert root.findtext("object/name") == "field"


@given(st.integers(-(1 << 24), 1 << 24))
def test_every_place_has_all_its_digits(number: int) -> None:
    assert float(decimal(number / 256)) == number / 256
    assert "e" not in decimal(number / 256)


@given(st.binary(max_size=200))
def test_any_bytes_are_cut_without_an_error(data: bytes) -> None:
    assert len(without_app1(b"\xff\xd8\xff" + data)) <= len(data) + 3


@pytest.mark.parametrize("cut", [0, 1, 5, 30, 100])
def test_what_cannot_be_followed_is_kept(cut: int) -> None:
    whole = encoded("JPEG", 1)
    assert without_app1(whole[: len(whole) - cut]) == whole[: len(whole) - cut]
    turned = encoded("JPEG", 1, orientation=3)
    assert Image.open(io.BytesIO(turned)).getexif()[274] == 3
    assert without_app1(turned) == without_app1(without_app1(turned))
    assert len(without_app1(turned)) < len(turned)
