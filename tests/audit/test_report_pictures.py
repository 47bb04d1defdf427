"""The pictures in the page are those of the export, with the marks where the record has them."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.audit import report_html
from edge.audit.layout import SHEET_FOLDERS
from edge.audit.report_html import Pictures
from edge.audit.report_page.picture import PictureError, picture, reduction_for
from edge.audit.report_page.sheet import SheetFiles, SheetWriter
from edge.audit.report_page.sheet_kinds import Group
from edge.audit.verification import Json, SheetVerdict
from edge.evidence.sheet_files import pages_of
from tests.audit.report_samples import (
    Parsed,
    all_kept,
    article_of,
    articles,
    cast,
    image_in,
    kept,
    page,
    png,
    with_record,
)


def _ink(verdict: SheetVerdict, number: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    folder = f"{SHEET_FOLDERS[verdict.kind]}/{verdict.id}/"
    files = {name.removeprefix(folder): content for name, content in kept()[2].items() if name.startswith(folder)}
    return pages_of(files)[number].bits


def test_a_doubtful_sheet_is_shown_pixel_for_pixel() -> None:
    shot = image_in(article_of(cast("hold")))
    assert np.array_equal(np.asarray(shot.convert("L")) == 0, _ink(cast("hold")) == 1)


@pytest.mark.parametrize("by", [2, 3, 4, 7])
def test_a_reduced_picture_has_the_means_of_blocks(by: int) -> None:
    ink = np.random.default_rng(by).integers(0, 2, (43, 61), np.uint8)
    made = picture(png(ink), upside_down=False, reduction=by)
    levels = np.asarray(Image.open(BytesIO(made.png)).convert("L"))
    assert (made.width, made.height) == (-(-61 // by), -(-43 // by)) == levels.shape[::-1]
    for row in range(made.height):
        for column in range(made.width):
            white = 1 - ink[row * by : (row + 1) * by, column * by : (column + 1) * by].astype(int)
            mean = 255 * white.mean()
            assert levels[row, column] == (0 if mean < 95.5 else 170 if mean < 207.5 else 255)


def test_a_page_that_came_in_upside_down_is_turned() -> None:
    ink = np.zeros((40, 30), np.uint8)
    ink[3:9, 2:4] = 1
    for by in (1, 3):
        made = picture(png(ink), upside_down=True, reduction=by)
        upright = picture(png(ink[::-1, ::-1]), upside_down=False, reduction=by)
        assert made == upright
    turned = with_record(cast("hold"), lambda record: [part.update(upsideDown=True) for part in record["pages"]])
    article = article_of(turned)
    assert np.array_equal(np.asarray(image_in(article).convert("L")) == 0, _ink(turned)[::-1, ::-1] == 1)
    assert "scanned upside down, shown upright" in Parsed(article).words


def test_marks_are_drawn_where_the_record_has_them() -> None:
    verdict = cast("hold")
    record = verdict.record or {}
    article = article_of(verdict).decode()
    front = next(part for part in record["pages"] if part["side"] == "front")
    assert f'viewBox="0 0 {front["width"]} {front["height"]}"' in article
    for score in record["scores"]:
        x, y, width, height = score["box"]
        assert re.search(rf'class="{score["verdict"]}" d="[^"]*M{x} {y}h{width}v{height}h-{width}z', article)
    marked = sum(score["verdict"] == "marked" for score in record["scores"])
    assert article.count(">X</text>") == marked
    assert marked > 3
    assert 'class="contest" d="M' in article


@pytest.mark.parametrize(("shift", "place"), [(-200, "after"), (0, "before")])
def test_a_letter_stands_where_the_name_does_not(shift: int, place: str) -> None:
    bubble = (cast("hold").record or {})["scores"][0]
    x, y, width, height = bubble["box"]
    option = {"optionId": bubble["optionId"], "box": [x + shift, y, 240, height]}

    def moved(record: Json) -> None:
        record["scores"] = [{**bubble, "verdict": "marked"}]
        front = next(part for part in record["pages"] if part["side"] == bubble["side"])
        front["contests"] = [{"contestId": bubble["contestId"], "box": [0, 0, 500, 500], "options": [option]}]

    drawn = article_of(with_record(cast("hold"), moved)).decode()
    at, kind = (x + width + 6, "marked after") if place == "after" else (x - 6, "marked")
    assert f'<g class="{kind}"><text x="{at}" y="{y + height}">X</text></g>' in drawn


def test_doubtful_bubbles_and_written_areas_have_letters() -> None:
    def doubtful(record: Json) -> None:
        bubble = record["scores"][0]
        first = {**bubble, "verdict": "marginal"}
        second = {**bubble, "verdict": "unreadable", "doubt": "missingPaper"}
        area = {"corners": [[2560, 5120], [25600, 5120], [25600, 10240], [2560, 10240]], "filled": True, "doubt": None}
        third = {**bubble, "verdict": "unmarked", "optionId": "write-in-0", "writeInArea": area}
        record["scores"] = [first, second, third]

    article = article_of(with_record(cast("hold"), doubtful))
    drawn = article.decode()
    assert all(f">{letter}</text>" in drawn for letter in "?!W")
    assert 'class="written" d="M10 20 100 20 100 40 10 40z"' in drawn
    words = Parsed(article).words
    assert "(marginal mark)" in words
    assert "(cannot be read; paper is missing here)" in words
    assert "W write-in 1 (a name is written and the oval is not filled)" in words


def test_pictures_of_plain_sheets_are_reduced_more_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = cast()
    fine = image_in(articles(page(all_kept()))[f"cast-{verdict.id}"])
    monkeypatch.setattr(report_html, "_MOST_FINE", 1)
    coarse = image_in(articles(page(all_kept()))[f"cast-{verdict.id}"])
    width = _ink(verdict).shape[1]
    assert (fine.width, coarse.width) == (-(-width // 3), -(-width // 4))
    held = cast("hold")
    assert image_in(articles(page(all_kept()))[f"cast-{held.id}"]).width == _ink(held).shape[1]


def test_doubtful_sheets_are_reduced_only_where_there_are_hundreds() -> None:
    def resolutions(wrong: int, held: int, returned: int, plain: int, pictures: Pictures = "all") -> tuple[int, ...]:
        counts = {Group.WRONG: wrong, Group.HELD: held, Group.RETURNED: returned, Group.PLAIN: plain}
        found = report_html._resolutions(counts, pictures)
        return found[Group.WRONG], found[Group.HELD], found[Group.RETURNED], found[Group.PLAIN]

    assert resolutions(0, 0, 0, 0) == (0, 0, 0, 66)
    assert resolutions(50, 100, 100, 1000) == (0, 0, 0, 66)
    assert resolutions(50, 101, 100, 1000) == (0, 66, 0, 50)
    assert resolutions(0, 0, 0, 1001) == (0, 0, 0, 50)
    assert resolutions(2000, 0, 0, 10) == (50, 0, 0, 66)
    assert resolutions(0, 600, 0, 2000) == (0, 66, 0, 50)
    assert resolutions(0, 600, 0, 2000, "doubtful")[1] == 0


def test_two_thousand_letter_sheets_stay_below_sixty_megabytes() -> None:
    writer = SheetWriter(kept()[0], dict.fromkeys(Group, report_html._COARSE_DPI))
    verdict = cast()
    front = kept()[2][f"sheets/{verdict.id}/scan-a.png"]
    # Both sides as full as the fuller one.
    article = writer.article(SheetFiles(verdict, {"A": front, "B": front}, pictures=True))
    assert 2000 * len(article.encode()) < 60_000_000


@pytest.mark.parametrize(
    ("dpi", "target", "by"), [(200, 66, 3), (300, 66, 4), (200, 50, 4), (300, 50, 6), (40, 50, 1), (2400, 50, 12)]
)
def test_the_reduction_follows_the_resolution(dpi: int, target: int, by: int) -> None:
    assert reduction_for(dpi, target) == by


def test_only_doubtful_sheets_are_shown_where_that_is_wished() -> None:
    found = articles(page(all_kept(), pictures="doubtful"))
    shown_ids = {name for name, article in found.items() if b"<img" in article}
    plain = {f"cast-{sheet.id}" for sheet in kept()[1] if sheet.record and sheet.record["disposition"]["kind"] == "accept"}
    assert len(plain) == 2
    assert shown_ids == set(found) - plain
    assert all("X " in Parsed(found[name]).words for name in plain)


def _bomb() -> bytes:
    raw = bytearray(png(np.zeros((8, 8), np.uint8)))
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    header = bytes(raw[12:29])
    raw[29:33] = (zlib.crc32(header)).to_bytes(4, "big")
    return bytes(raw)


BROKEN = [b"", b"not a picture", png(np.zeros((8, 8), np.uint8))[:50], png(np.zeros((8, 8), np.uint8), "L"), _bomb()]


@pytest.mark.parametrize("content", BROKEN)
def test_a_picture_that_does_not_decode_does_not_stop_the_page(content: bytes) -> None:
    with pytest.raises(PictureError):
        picture(content, upside_down=False, reduction=1)
    raw = page(all_kept(), read_file=lambda name: content if name.endswith("scan-a.png") else kept()[2][name])
    assert "cannot be shown" in Parsed(raw).words
    assert len(Parsed(raw).named("img")) == 5
    assert set(articles(raw)) == {f"{sheet.kind}-{sheet.id}" for sheet in kept()[1]}


@pytest.mark.parametrize("error", [OSError("gone"), KeyError("gone"), ValueError("gone")])
def test_a_picture_that_cannot_be_read_does_not_stop_the_page(error: Exception) -> None:
    def fails(_name: str) -> bytes:
        raise error

    raw = page(all_kept(), read_file=fails)
    assert "the export has no picture of it that can be read" in Parsed(raw).words
    assert Parsed(raw).named("img") == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_picture_is_shown_or_refused(data: st.DataObject) -> None:
    raw = bytearray(png(np.eye(24, dtype=np.uint8)))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = picture(bytes(raw), upside_down=data.draw(st.booleans()), reduction=data.draw(st.integers(1, 12)))
    except PictureError:
        return
    with Image.open(BytesIO(made.png)) as image:
        image.load()
        assert image.size == (made.width, made.height)


def test_nothing_is_drawn_on_a_picture_of_another_size() -> None:
    article = article_of(with_record(cast("hold"), lambda record: [part.update(width=800) for part in record["pages"]]))
    assert b"<svg" not in article
    assert "nothing is drawn on it" in Parsed(article).words


def test_several_processes_write_the_same_page(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = page(all_kept())
    monkeypatch.setattr(report_html, "_LEAST_FOR_POOL", 1)
    monkeypatch.setattr(report_html, "_AT_ONCE", 1)
    assert page(all_kept(), processes=2) == alone
