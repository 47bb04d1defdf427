"""Verifications of real sheets, their pages, and the pages taken apart: for the tests of the report."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from edge.audit.layout import SHEET_FOLDERS
from edge.audit.report_html import Pictures, write_html
from edge.audit.verification import Check, Finding, Json, Outcome, Repeat, SheetVerdict, Verification
from edge.definition.election import Election
from edge.evidence.archive import SheetKind
from edge.evidence.cdf.tally import tally
from tests.audit.archive_fake import archive

ROOT = base64.b64encode(hashlib.sha256(b"root").digest()).decode()
PASSED = Check("manifest", Outcome.PASSED, "All 12 files have the size and the hash that the manifest says.")
FAILED = Check(
    "sheets", Outcome.FAILED, "3 sheets were read again.", (Finding("readingDiffers", "sheets/x/record.json", "says otherwise"),)
)
OPEN = Check("authority", Outcome.NOT_CHECKED, "Nobody said who signs trust lists.")
LIMIT = Check("limitPaper", Outcome.NOT_CHECKED, "Whether the paper in the box is what was scanned.")
VOID = {"br", "img", "input", "link", "meta"}


class Parsed(HTMLParser):
    """The page as a browser's tokenizer sees it; every element has to be closed where it should be."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.verbatim: dict[str, str] = {}
        self.feed(raw.decode("utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.verbatim[self.open[-1]] = self.verbatim.get(self.open[-1], "") + data
        else:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())

    def named(self, name: str) -> list[dict[str, str]]:
        return [attributes for element, attributes in self.elements if element == name]

    def values(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


Files = dict[str, bytes]


@cache
def kept() -> tuple[Election, tuple[SheetVerdict, ...], Files]:
    """Three cast sheets, one of them held, and two that were returned: one of them was read, one was not."""
    made = archive(cast=3, returned=2)
    verdicts, files = [], Files()
    for kind in SheetKind:
        for sheet in made.sheets(kind):
            files |= {f"{SHEET_FOLDERS[kind]}/{sheet.id}/{name}": content for name, content in sheet.files.items()}
            verdicts.append(SheetVerdict(sheet.id, kind, Repeat.SAME, json.loads(sheet.files["record.json"])))
    return made.package.definition(), tuple(verdicts), files


def verification(
    sheets: Iterable[SheetVerdict] = (), checks: tuple[Check, ...] = (PASSED,), totals: Json | None = None
) -> Verification:
    return Verification(
        "scrutineer-0001-77",
        "scan.example.org/0001/aa",
        "closed",
        77,
        ROOT,
        checks,
        tuple(sheets),
        totals,
        "scrutineer-edge 0.1.0",
    )


def page(
    verified: Verification,
    election: Election | None = None,
    read_file: Callable[[str], bytes] | None = None,
    pictures: Pictures = "all",
    processes: int = 1,
) -> bytes:
    out = BytesIO()
    write_html(verified, election or kept()[0], read_file or kept()[2].__getitem__, out, pictures, processes)
    return out.getvalue()


def all_kept() -> Verification:
    election, sheets, _ = kept()
    totals = tally(election, [sheet.record or {} for sheet in sheets if sheet.kind is SheetKind.CAST]).to_json()
    return verification(sheets, (PASSED, OPEN, LIMIT), totals)


def articles(raw: bytes) -> dict[str, bytes]:
    """The sheets of a page by the ids of their articles."""
    found = re.findall(rb'<article id="([^"]*)".*?</article>', raw, re.DOTALL)
    return dict(zip((name.decode() for name in found), re.findall(rb"<article .*?</article>", raw, re.DOTALL), strict=True))


def article_of(verdict: SheetVerdict) -> bytes:
    return articles(page(verification([verdict])))[f"{verdict.kind}-{verdict.id}"]


def with_record(verdict: SheetVerdict, change: Callable[[Json], object]) -> SheetVerdict:
    record = copy.deepcopy(verdict.record)
    assert record is not None
    change(record)
    return replace(verdict, record=record)


def cast(disposition: str = "accept") -> SheetVerdict:
    return next(
        sheet
        for sheet in kept()[1]
        if sheet.kind is SheetKind.CAST and sheet.record is not None and sheet.record["disposition"]["kind"] == disposition
    )


def image_in(article: bytes, number: int = 0) -> Image.Image:
    sources = [attributes["src"] for attributes in Parsed(article).named("img")]
    image = Image.open(BytesIO(base64.b64decode(sources[number].removeprefix("data:image/png;base64,"))))
    image.load()
    return image


def png(ink: np.ndarray[Any, np.dtype[np.uint8]], mode: str = "1") -> bytes:
    file = BytesIO()
    Image.fromarray(np.where(ink, np.uint8(0), np.uint8(255))).convert(mode).save(file, "PNG")
    return file.getvalue()
