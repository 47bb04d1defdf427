"""The manifest: what is written is read again, and what was torn or forged is left out."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ingest.manifest import Entry, Manifest, is_file_name, parse_line

GOOD = Entry("http://a.org/ñ", "a.png", "0" * 64, 12, "image/png", "2026-11-21T10:00:00Z", 1)
BAD = Entry("http://a.org/b", None, None, None, None, "2026-11-21T10:00:00Z", 3, "httpStatus", "404")

texts = st.text()
there = st.builds(
    Entry,
    texts,
    texts.filter(is_file_name),
    st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    st.integers(0, 1 << 40),
    texts,
    texts,
    st.integers(0, 100),
)
missing = st.builds(
    Entry, texts, st.none(), st.none(), st.none(), st.none(), texts, st.integers(0, 100), texts, texts | st.none()
)


@given(there | missing)
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    line = entry.line()
    assert line.isascii()
    assert "\n" not in line
    assert parse_line(line) == entry


@given(there | missing, st.data())
def test_a_torn_line_is_no_entry(entry: Entry, data: st.DataObject) -> None:
    line = entry.line()
    assert parse_line(line[: data.draw(st.integers(0, len(line) - 1))]) is None


@given(
    st.text()
    | st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner)).map(
        json.dumps
    )
)
def test_any_line_is_an_entry_or_none(line: str) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"file": "../a.png"},
        {"file": ".a.png"},
        {"file": "a/b.png"},
        {"file": "a\\b.png"},
        {"file": ""},
        {"file": None},
        {"sha256": "0" * 63},
        {"sha256": "A" * 64},
        {"sha256": None},
        {"bytes": True},
        {"bytes": 1.0},
        {"mediaType": 1},
        {"address": None},
        {"tries": "1"},
        {"error": "httpStatus"},
        {"detail": "x"},
        {"more": 1},
    ],
)
def test_a_forged_line_is_no_entry(changed: dict[str, Any]) -> None:
    assert parse_line(GOOD.line()) == GOOD
    assert parse_line(json.dumps(asdict(GOOD) | changed)) is None


def test_nesting_without_end_is_no_entry() -> None:
    assert parse_line("[" * 100_000) is None
    assert parse_line("1" * 10_000) is None


def test_the_last_line_of_an_address_counts(tmp_path: Path) -> None:
    first = Manifest(tmp_path)
    first.add(replace(GOOD, address=BAD.address))
    first.add(GOOD)
    first.add(BAD)
    again = Manifest(tmp_path)
    assert again.entries == {GOOD.address: GOOD, BAD.address: BAD}
    assert again.torn == 0
    again.close([GOOD.address, "http://a.org/unknown"])
    assert (tmp_path / "manifest.jsonl").read_text().splitlines() == [GOOD.line(), BAD.line()]


@given(st.integers(0, len(BAD.line())))
def test_a_line_after_a_torn_one_stands_on_its_own(cut: int) -> None:

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "manifest.jsonl").write_text(f"{GOOD.line()}\n{BAD.line()[:cut]}")
        manifest = Manifest(folder)
        other = replace(GOOD, address="other")
        manifest.add(other)
        assert Manifest(folder).entries.items() >= {GOOD.address: GOOD, "other": other}.items()
