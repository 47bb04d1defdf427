"""Sheets held against each other: what is planted is found, and nothing among sheets that have nothing in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.audit import cross_sheet
from edge.audit.cross_sheet import Finding, Kind, Lack, RecordError, Sheet, compare_sheets, sheet_of
from edge.definition.form import load_form
from edge.tally.decide import decide_tally
from edge.tally.ink_hash import CELL_BITS, LEAST_CELLS, InkHash, distance, is_same_ink
from edge.tally.record import record
from tests.tally.test_record import CODE, as_read, refused
from tests.tally.test_rules import FORM
from tests.tally.test_suggestions import sheet as cells_of

CELLS = 30
Json = dict[str, Any]


def ink(rng: np.random.Generator, cells: int = CELLS, blank: float = 0.2) -> InkHash:
    """Somebody's writing in about four fifths of the cells."""
    return InkHash(tuple(None if rng.random() < blank else int(rng.integers(1 << CELL_BITS)) for _ in range(cells)))


def again(first: InkHash, rng: np.random.Generator, flips: float = 0.05) -> InkHash:
    """The same scanned again: some bits turn."""

    def turned(cell: int) -> int:
        return cell ^ sum(1 << bit for bit in range(CELL_BITS) if rng.random() < flips)

    return InkHash(tuple(None if cell is None else turned(cell) for cell in first.cells))


def sheet(number: int, writing: InkHash | None, **more: Any) -> Sheet:  # noqa: ANN401  any attribute
    """A sheet of a table of its own, unless more is said."""
    made = Sheet(
        f"records/{number}.json",
        f"{number}.png",
        f"{number:064x}",
        "three-rules",
        {"station": f"{number:05}"},
        {"votes.a": number, "votes.b": 7, "votes.blank": None},
        writing,
        Lack.INK_MISSING if writing is None else None,
    )
    return replace(made, **more)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def apart(rng: np.random.Generator) -> list[Sheet]:
    """Sheets with nothing in common."""
    return [sheet(number, ink(rng)) for number in range(200)]


def told(findings: tuple[Finding, ...]) -> list[tuple[str, tuple[int, ...], tuple[str, ...]]]:
    return [(str(finding.kind), finding.sheets, finding.differing) for finding in findings]


def test_nothing_is_found_among_sheets_with_nothing_in_common(apart: list[Sheet]) -> None:
    comparison = compare_sheets(apart)
    assert (comparison.findings, comparison.not_compared) == ((), ())
    assert comparison.pairs + comparison.pairs_apart == 200 * 199 // 2


def test_what_is_planted_is_found_and_nothing_else(apart: list[Sheet], rng: np.random.Generator) -> None:
    copied = sheet(200, again(apart[11].ink or InkHash(()), rng))
    rescanned = sheet(201, again(apart[12].ink or InkHash(()), rng), codes=apart[12].codes, values=apart[12].values)
    altered = sheet(202, ink(rng), codes=apart[13].codes, values=dict(apart[13].values) | {"votes.a": 99})
    twice = sheet(203, ink(rng), codes=apart[14].codes, values=apart[14].values)
    image = sheet(204, apart[15].ink, **{name: getattr(apart[15], name) for name in ("image_sha256", "codes", "values")})
    comparison = compare_sheets([*apart, copied, rescanned, altered, twice, image])
    assert told(comparison.findings) == [
        ("copiedInk", (11, 200), ("votes.a",)),
        ("sameInk", (12, 201), ()),
        ("sameImage", (15, 204), ()),
        ("otherNumbers", (13, 202), ("votes.a",)),
        ("sameNumbers", (14, 203), ()),
    ]
    first, second = comparison.findings[0].distances
    assert first == (0, CELL_BITS * (apart[11].ink or InkHash(())).inked)
    assert second == distance(apart[11].ink or InkHash(()), copied.ink or InkHash(()))
    assert comparison.findings[1].agreeing == 3


def test_an_altered_copy_is_found_by_the_rest_of_its_ink(rng: np.random.Generator) -> None:
    first = ink(rng, blank=0)
    other = ink(rng, blank=0)
    forged = InkHash((*other.cells[:4], *again(first, rng).cells[4:]))
    (finding,) = compare_sheets([sheet(0, first), sheet(1, forged)]).findings
    assert finding.kind is Kind.COPIED_INK


def test_a_code_that_was_not_read_makes_no_copy(rng: np.random.Generator) -> None:
    writing = ink(rng)
    comparison = compare_sheets([sheet(0, writing), sheet(1, writing, codes={})])
    assert told(comparison.findings) == [("sameInk", (0, 1), ("votes.a",))]
    assert [(left.source, left.lack) for left in comparison.not_compared] == [("records/1.json", Lack.CODE_UNREAD)]


def test_a_scan_that_came_again_stands_once_in_the_other_findings(rng: np.random.Generator) -> None:
    writing = ink(rng)
    one = sheet(0, writing)
    same = sheet(1, again(writing, rng), codes=one.codes, values=one.values)
    third = sheet(2, ink(rng), codes=one.codes, values=one.values)
    assert told(compare_sheets([one, same, third]).findings) == [("sameInk", (0, 1), ()), ("sameNumbers", (0, 1, 2), ())]
    assert told(compare_sheets([one, same]).findings) == [("sameInk", (0, 1), ())]


def test_only_what_both_read_is_compared(rng: np.random.Generator) -> None:
    code = {"station": "00417"}
    some = sheet(0, ink(rng), codes=code, values={"votes.a": 3, "votes.b": None})
    others = sheet(1, ink(rng), codes=code, values={"votes.b": None, "votes.c": 4})
    (finding,) = compare_sheets([some, others]).findings
    assert (finding.kind, finding.differing, finding.agreeing) == (Kind.SAME_NUMBERS, (), 1)
    blank = replace(others, values={"votes.b": 0})
    assert told(compare_sheets([some, blank]).findings) == [("otherNumbers", (0, 1), ("votes.b",))]


def test_other_forms_are_not_compared_but_for_their_images(rng: np.random.Generator) -> None:
    writing = ink(rng)
    one, other = sheet(0, writing), sheet(1, writing, form="another", codes={"station": "00000"})
    assert compare_sheets([one, other]).findings == ()
    assert told(compare_sheets([one, replace(other, image_sha256=one.image_sha256)]).findings) == [
        ("sameImage", (0, 1), ("votes.a",))
    ]
    longer = InkHash((*writing.cells, None))
    assert compare_sheets([one, sheet(1, longer)]).findings == ()


def test_who_cannot_be_compared_is_named(rng: np.random.Generator) -> None:
    thin = InkHash((5,) * (LEAST_CELLS - 1) + (None,) * CELLS)
    sheets = [
        sheet(0, None),
        sheet(1, None, ink_lack=Lack.INK_MALFORMED),
        sheet(2, thin, ink_lack=Lack.INK_TOO_LITTLE),
        sheet(3, thin, ink_lack=Lack.INK_TOO_LITTLE, codes={}),
        sheet(4, ink(rng)),
    ]
    comparison = compare_sheets(sheets)
    assert comparison.findings == ()
    assert [(left.source[8], str(left.lack)) for left in comparison.not_compared] == [
        ("0", "inkMissing"),
        ("1", "inkMalformed"),
        ("2", "inkTooLittle"),
        ("3", "codeUnread"),
        ("3", "inkTooLittle"),
    ]
    assert f"{LEAST_CELLS - 1} cells have writing, {LEAST_CELLS} are needed" in comparison.not_compared[2].detail


def test_pairs_with_little_writing_in_common_are_counted() -> None:
    left = InkHash((1,) * 20 + (None,) * 20)
    right = InkHash((None,) * 20 + (1,) * 20)
    comparison = compare_sheets([sheet(0, left), sheet(1, right), sheet(2, left)])
    assert (comparison.pairs, comparison.pairs_apart) == (1, 2)
    assert told(comparison.findings) == [("copiedInk", (0, 2), ("votes.a",))]


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_blocks_find_what_pair_by_pair_comparison_finds(seed: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    inks = [ink(rng, 20, 0.1) for _ in range(8)]
    for _ in range(8):
        inks.append(again(inks[int(rng.integers(len(inks)))], rng, flips=float(rng.choice((0.02, 0.14, 0.2)))))
    inks = [one for one in inks if one.inked >= LEAST_CELLS]
    neighbours = {number: {number} for number in range(len(inks))}
    few = 0
    for one, other in combinations(range(len(inks)), 2):
        same = is_same_ink(*distance(inks[one], inks[other]))
        few += same is None
        if same:
            joined = neighbours[one] | neighbours[other]
            for number in joined:
                neighbours[number] = joined
    expected = sorted({tuple(sorted(group)) for group in neighbours.values() if len(group) > 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_sheet, "_BLOCK", block)
        comparison = compare_sheets([sheet(number, writing) for number, writing in enumerate(inks)])
    assert [finding.sheets for finding in comparison.findings] == expected
    assert comparison.pairs_apart == few


def test_a_thousand_copies_are_one_finding(rng: np.random.Generator) -> None:
    writing = ink(rng)
    started = time.monotonic()
    comparison = compare_sheets([sheet(number, writing) for number in range(3000)])
    assert time.monotonic() - started < 60
    assert [(finding.kind, len(finding.sheets)) for finding in comparison.findings] == [(Kind.COPIED_INK, 3000)]


# Records.


@pytest.fixture(scope="module")
def good() -> Json:
    form = load_form(FORM + CODE)
    interpretation = as_read(form, cells_of())
    return record(interpretation, decide_tally(interpretation, form)) | {"inkHash": "1:" + ",".join(["0000ffff"] * 20)}


def test_a_record_tells_its_numbers_and_its_code(good: Json) -> None:
    found = sheet_of(good, "a.json", "a.png", "0" * 64)
    assert found.codes == {"station": "00417"}
    assert found.values["votes.a"] == 30
    assert found.values["closed"] == "16:05"
    assert "station" not in found.values
    assert (found.form, found.ink_lack) == ("three-rules", None)
    assert found.ink is not None
    assert found.ink.inked == 20


@pytest.mark.parametrize(
    ("hashed", "lack"),
    [(None, Lack.INK_MISSING), ("", Lack.INK_MALFORMED), (7, Lack.INK_MALFORMED), ("1:-", Lack.INK_TOO_LITTLE)],
)
def test_a_record_without_enough_ink_says_why(good: Json, hashed: object, lack: Lack) -> None:
    assert sheet_of(good | {"inkHash": hashed}, "a.json").ink_lack is lack


def test_a_record_of_an_earlier_version_has_no_ink(good: Json) -> None:
    earlier = {name: value for name, value in good.items() if name != "inkHash"}
    assert sheet_of(earlier, "a.json").ink_lack is Lack.INK_MISSING


def test_a_sheet_that_was_not_found_is_none() -> None:
    form = load_form(FORM + CODE)
    interpretation = refused(form)
    for document in (record(interpretation, decide_tally(interpretation, form)), {"kind": "refused", "sides": []}):
        with pytest.raises(RecordError) as error:
            sheet_of(document, "a.json")
        assert error.value.lack is Lack.FORM_UNREAD


Damage = Callable[[Json], object]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: None,
        lambda _: [],
        lambda good: good | {"kind": "ballot"},
        lambda good: good | {"form": "three-rules"},
        lambda good: good | {"form": {"name": 3}},
        lambda good: good | {"extent": 3},
        lambda good: {name: value for name, value in good.items() if name != "extent"},
        lambda good: good | {"fields": []},
        lambda good: good | {"fields": {"votes.a": True}},
        lambda good: good | {"fields": {"votes.a": [1]}},
        lambda good: good | {"fields": {str(number): 1 for number in range(50_000)}},
        lambda good: good | {"cells": {}},
        lambda good: good | {"cells": [3]},
        lambda good: good | {"cells": [{}] * 50_000},
    ],
)
def test_what_is_no_record_is_refused(good: Json, damage: Damage) -> None:
    with pytest.raises(RecordError) as error:
        sheet_of(damage(good), "a.json")
    assert error.value.lack is Lack.RECORD_MALFORMED


def test_a_cell_of_no_field_changes_nothing(good: Json) -> None:
    cells = [*good["cells"], {"field": ["votes.a"]}, {}]
    assert sheet_of(good | {"cells": cells}, "a.json") == sheet_of(good, "a.json")


def test_a_hash_that_is_none_is_refused(good: Json) -> None:
    with pytest.raises(RecordError):
        sheet_of(good, "a.json", "a.png", "ABC")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(values, st.dictionaries(st.sampled_from(("kind", "form", "extent", "fields", "cells", "inkHash")), values))
def test_any_document_is_a_sheet_or_refused(whole: object, parts: Json) -> None:
    form = load_form(FORM + CODE)
    interpretation = as_read(form, cells_of())
    base = record(interpretation, decide_tally(interpretation, form))
    for document in (whole, base | parts):
        try:
            found = sheet_of(document, "a.json")
        except RecordError:
            continue
        compare_sheets([found, found])
