"""Tally sheets held against each other: two for one table, a sheet that was copied, a scan that came twice.

Takes what records say and gives groups of sheets that a person has to look at. Nothing is decided here, and no sheet is left out
without being named. Only sheets of one form are compared; identical images are found whatever the form.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tally.ink_hash import CELL_BITS, LEAST_CELLS, MOST_CELLS, SAME_PARTS, InkHash, InkHashError, distance
from edge.tally.record import KIND

MOST_NAMES = MOST_CELLS
"""Fields, and cells, of a record that is looked at."""
_BLOCK = 2048
"""Sheets a side of a block of pairs: 2048 x 2048 results of 4 bytes."""
_SHA256 = re.compile(r"[0-9a-f]{64}")

Value = int | str | None


class Kind(StrEnum):
    """What a group of sheets has in common, the gravest first."""

    COPIED_INK = "copiedInk"
    """The same handwriting under different codes: a sheet that was copied or used again."""
    SAME_INK = "sameInk"
    """The same handwriting under one code, or where no code was read: one sheet scanned again."""
    SAME_IMAGE = "sameImage"
    """The very same image file."""
    OTHER_NUMBERS = "otherNumbers"
    """One code on sheets written apart that say different numbers."""
    SAME_NUMBERS = "sameNumbers"
    """One code on sheets written apart that say the same, as far as both were read."""


class Lack(StrEnum):
    """Why a sheet could not be compared, wholly or in part."""

    RECORD_UNREADABLE = "recordUnreadable"
    """The record cannot be read as a file, or is no JSON."""
    RECORD_MALFORMED = "recordMalformed"
    """It is no record of a tally sheet."""
    IMAGE_UNREAD = "imageUnread"
    """It says that the image could not be read."""
    FORM_UNREAD = "formUnread"
    """It says that no form was found in the image."""
    CODE_UNREAD = "codeUnread"
    """No code was read, or the image shows none: not compared by code."""
    INK_MISSING = "inkMissing"
    """It has no ink hash: not compared by ink."""
    INK_MALFORMED = "inkMalformed"
    """Its ink hash is none: not compared by ink."""
    INK_TOO_LITTLE = "inkTooLittle"
    """Too few cells have writing: not compared by ink."""


class RecordError(ValueError):
    """A document from which no sheet can be taken.

    Attributes:
        lack: What is wrong.
        detail: One sentence.
    """

    def __init__(self, lack: Lack, detail: str) -> None:
        super().__init__(lack, detail)
        self.lack = lack
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is compared of one sheet.

    Attributes:
        source: Where the record lies, for people.
        image: Name of the image, or None.
        image_sha256: Lower-case hex hash of the image file, or None.
        form: Name of the form.
        codes: Codes that were read, by their names.
        values: Fields with cells that were read, by their names; None for blank paper.
        ink: The ink hash, or None.
        ink_lack: Why there is none.
    """

    source: str
    image: str | None
    image_sha256: str | None
    form: str
    codes: Mapping[str, str]
    values: Mapping[str, Value]
    ink: InkHash | None
    ink_lack: Lack | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Sheets that have something in common.

    Attributes:
        kind: What.
        sheets: Their numbers in what was given, at least two, ascending.
        differing: Names of the fields that two of them read differently, sorted.
        agreeing: How many fields at least two of them read, and all of those alike.
        distances: Of the ink of each to that of the first: bits that differ, bits compared. Empty where the ink was not
            what brought them together.
    """

    kind: Kind
    sheets: tuple[int, ...]
    differing: tuple[str, ...]
    agreeing: int
    distances: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A record, and why it was left out of the comparison or of a part of it."""

    source: str
    lack: Lack
    detail: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out.

    Attributes:
        sheets: Those that were given.
        findings: The gravest first.
        not_compared: Sheets that were left out of a part.
        pairs: Pairs whose ink was compared.
        pairs_apart: Pairs, of sheets that each have enough writing, with too few cells in which both have some. They are taken
            for different sheets.
    """

    sheets: tuple[Sheet, ...]
    findings: tuple[Finding, ...]
    not_compared: tuple[NotCompared, ...]
    pairs: int
    pairs_apart: int


def sheet_of(document: Any, source: str, image: str | None = None, image_sha256: str | None = None) -> Sheet:  # noqa: ANN401  any JSON
    """The sheet that a record tells of.

    Args:
        document: A record as `edge.tally.record.record` gives it, read from a file that may be damaged or hostile.
        source: Where it lies.
        image: Name of the image.
        image_sha256: Its hash.

    Raises:
        RecordError: it is no such record, or tells of no sheet.
    """
    record = _mapping(document, "a record")
    if record.get("kind") == "refused":
        raise RecordError(Lack.FORM_UNREAD, "neither side is a form")
    if record.get("kind") != KIND:
        raise RecordError(Lack.RECORD_MALFORMED, f"it is no record of a {KIND}")
    form = _mapping(record.get("form"), "form").get("name")
    if not isinstance(form, str):
        raise RecordError(Lack.RECORD_MALFORMED, "the form has no name")
    if "extent" not in record or not isinstance(record["extent"], str | None):
        raise RecordError(Lack.RECORD_MALFORMED, "extent is missing or no text")
    if record["extent"] is None:
        raise RecordError(Lack.FORM_UNREAD, f"{form} was not found in the image")
    if image_sha256 is not None and _SHA256.fullmatch(image_sha256) is None:
        raise RecordError(Lack.RECORD_MALFORMED, "the image's hash is no SHA-256")
    # A code is a field without cells.
    with_cells = {str(_mapping(cell, "a cell").get("field")) for cell in _items(record.get("cells"), "cells")}
    fields = _mapping(record.get("fields"), "fields")
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, int | str | None):
            raise RecordError(Lack.RECORD_MALFORMED, f"the value of {name!a} is no number, text or null")
    ink, lack = _ink(record.get("inkHash"))
    return Sheet(
        source,
        image,
        image_sha256,
        form,
        {name: value for name, value in fields.items() if name not in with_cells and isinstance(value, str)},
        {name: value for name, value in fields.items() if name in with_cells},
        ink,
        lack,
    )


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(value) > MOST_NAMES:
        raise RecordError(Lack.RECORD_MALFORMED, f"{what} is missing, too large, or no object")
    return value


def _items(value: object, what: str) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > MOST_NAMES:
        raise RecordError(Lack.RECORD_MALFORMED, f"{what} is missing, too large, or no list")
    return value


def _ink(text: object) -> tuple[InkHash | None, Lack | None]:
    if text is None:
        return None, Lack.INK_MISSING
    try:
        ink = InkHash.parse(text) if isinstance(text, str) else None
    except InkHashError:
        ink = None
    if ink is None:
        return None, Lack.INK_MALFORMED
    return ink, None if ink.inked >= LEAST_CELLS else Lack.INK_TOO_LITTLE


def compare_sheets(sheets: Sequence[Sheet]) -> Comparison:
    """Hold sheets against each other; findings name them by their place in what is given."""
    found: list[Finding] = []
    # Of scans of one piece of paper the first stands for all when codes are compared: what they have in common is told.
    first = _Groups(len(sheets))
    for numbers in _by(sheets, lambda sheet: [sheet.image_sha256] if sheet.image_sha256 is not None else []):
        first.unite(numbers)
        found.append(_finding(Kind.SAME_IMAGE, sheets, numbers))
    single = [number for number in range(len(sheets)) if first.of(number) == number]
    near, pairs, apart = _near_ink(sheets, single)
    for numbers in near:
        first.unite(numbers)
        codes = {(name, code) for number in numbers for name, code in sheets[number].codes.items()}
        copied = len(codes) > len({name for name, _ in codes})
        found.append(_finding(Kind.COPIED_INK if copied else Kind.SAME_INK, sheets, numbers, by_ink=True))
    for numbers in _by(sheets, lambda sheet: [(sheet.form, name, code) for name, code in sheet.codes.items()]):
        apart_ones = {first.of(number) for number in numbers}
        if len(apart_ones) > 1:
            finding = _finding(Kind.OTHER_NUMBERS, sheets, numbers)
            found.append(finding if finding.differing else _finding(Kind.SAME_NUMBERS, sheets, numbers))
    order = list(Kind)
    found.sort(key=lambda finding: (order.index(finding.kind), finding.sheets))
    return Comparison(tuple(sheets), tuple(found), tuple(_lacks(sheets)), pairs, apart)


def _by(sheets: Sequence[Sheet], keys: Callable[[Sheet], Sequence[object]]) -> Iterator[list[int]]:
    """Numbers of the sheets that share a key, for each key of two or more, once for each set of sheets."""
    groups: dict[object, list[int]] = defaultdict(list)
    for number, sheet in enumerate(sheets):
        for key in keys(sheet):
            groups[key].append(number)
    told = set()
    for numbers in groups.values():
        if len(numbers) > 1 and tuple(numbers) not in told:
            told.add(tuple(numbers))
            yield numbers


def _finding(kind: Kind, sheets: Sequence[Sheet], numbers: Sequence[int], *, by_ink: bool = False) -> Finding:
    said: dict[str, set[Value]] = defaultdict(set)
    times: dict[str, int] = defaultdict(int)
    for number in numbers:
        for name, value in sheets[number].values.items():
            said[name].add(value)
            times[name] += 1
    distances = []
    if by_ink:
        inks = [ink for number in numbers if (ink := sheets[number].ink) is not None]
        distances = [distance(inks[0], ink) for ink in inks]
    return Finding(
        kind,
        tuple(numbers),
        tuple(sorted(name for name, values in said.items() if len(values) > 1)),
        sum(len(values) == 1 and times[name] > 1 for name, values in said.items()),
        tuple(distances),
    )


def _lacks(sheets: Sequence[Sheet]) -> Iterator[NotCompared]:
    told = {
        Lack.INK_MISSING: "the record has no ink hash: it was made by an earlier version",
        Lack.INK_MALFORMED: "the record's ink hash cannot be read",
    }
    for sheet in sheets:
        if not sheet.codes:
            yield NotCompared(sheet.source, Lack.CODE_UNREAD, "no code was read: not compared by code")
        if sheet.ink_lack is not None:
            inked = sheet.ink.inked if sheet.ink is not None else 0
            detail = told.get(sheet.ink_lack, f"{inked} cells have writing, {LEAST_CELLS} are needed")
            yield NotCompared(sheet.source, sheet.ink_lack, f"{detail}: not compared by ink")


class _Groups:
    """Numbers in groups that grow together, each named by its smallest."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def of(self, number: int) -> int:
        """The smallest of a number's group."""
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def unite(self, numbers: Sequence[int]) -> None:
        """Make one group of the groups of some numbers."""
        tops = {self.of(number) for number in numbers}
        least = min(tops)
        for top in tops:
            self._above[top] = least


def _near_ink(sheets: Sequence[Sheet], numbers: Sequence[int]) -> tuple[list[list[int]], int, int]:
    """Groups of sheets with the same ink, and how many pairs were compared and how many have too little in common.

    Hashes of one form and one number of cells are compared, each with each.
    """
    alike: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number in numbers:
        ink = sheets[number].ink
        if ink is not None and sheets[number].ink_lack is None:
            alike[sheets[number].form, len(ink.cells)].append(number)
    groups = _Groups(len(sheets))
    total = sum(len(members) * (len(members) - 1) // 2 for members in alike.values())
    apart = 0
    for members in alike.values():
        signs, there = _matrices([ink for number in members if (ink := sheets[number].ink) is not None])
        for start in range(0, len(members), _BLOCK):
            for other in range(start, len(members), _BLOCK):
                near, few = _near_block(signs, there, start, other)
                rows, columns = members[start : start + _BLOCK], members[other : other + _BLOCK]
                _unite_block(groups, near, rows, columns)
                apart += few
    found: dict[int, list[int]] = defaultdict(list)
    for number in numbers:
        found[groups.of(number)].append(number)
    return [members for members in found.values() if len(members) > 1], total - apart, apart


def _matrices(inks: Sequence[InkHash]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Bits of the hashes as 1 and -1, 0 for a cell without: int8 (n, 32 * cells); and which cells have some: int8 (n, cells)."""
    there = np.array([[cell is not None for cell in ink.cells] for ink in inks], np.int8)
    words = np.array([[cell or 0 for cell in ink.cells] for ink in inks], ">u4")
    bits = np.unpackbits(words.view(np.uint8), axis=1).view(np.int8)
    return (2 * bits - 1) * np.repeat(there, CELL_BITS, axis=1), there


def _near_block(signs: NDArray[np.int8], there: NDArray[np.int8], start: int, other: int) -> tuple[NDArray[np.bool_], int]:
    """Which of the pairs of two blocks have the same ink, and how many have too few cells in common."""
    # Sums of products of 1, 0 and -1: exact, for they stay below 2**24.
    rows, columns = slice(start, start + _BLOCK), slice(other, other + _BLOCK)
    cells = there[rows].astype(np.float32) @ there[columns].astype(np.float32).T
    agreement = signs[rows].astype(np.float32) @ signs[columns].astype(np.float32).T
    differing = (cells * CELL_BITS - agreement) / 2
    few = cells < LEAST_CELLS
    near = ~few & (differing * SAME_PARTS <= cells * CELL_BITS)
    # A block with itself has each pair twice; a sheet has enough in common with itself.
    return near, int(few.sum()) // (2 if start == other else 1)


def _unite_block(groups: _Groups, near: NDArray[np.bool_], rows: Sequence[int], columns: Sequence[int]) -> None:
    """Unite the sheets of a block that are near each other.

    Everyone joins one neighbour of another group until there is none, so that a thousand copies take a few rounds and not a
    million steps.
    """
    while near.any():
        for down, across in zip(range(len(rows)), near.argmax(axis=1).tolist(), strict=True):
            if near[down, across]:
                groups.unite((rows[down], columns[across]))
        for down, across in zip(near.argmax(axis=0).tolist(), range(len(columns)), strict=True):
            if near[down, across]:
                groups.unite((rows[down], columns[across]))
        row_groups = np.array([groups.of(number) for number in rows])
        column_groups = np.array([groups.of(number) for number in columns])
        near = near & (row_groups[:, np.newaxis] != column_groups[np.newaxis, :])
