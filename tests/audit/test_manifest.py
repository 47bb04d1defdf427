"""The manifest: one way to write it, and every other way is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from edge.audit.manifest import (
    FileFacts,
    Manifest,
    ManifestError,
    build_manifest,
    check_names,
    is_safe_part,
    parse_manifest,
)

CHECKPOINT = b"scan.example.org/1/ab\n3\nAAAA\n\n\xe2\x80\x94 scan.example.org/1/ab AAAA\n"
FILES = (
    FileFacts.of("log/vkey", b"key"),
    FileFacts.of("README.txt", b"read me"),
    FileFacts.of("log/tile/0/000.p/3", b"\x00" * 96),
)


def made() -> Manifest:
    return build_manifest("scan.example.org/1/ab", "interim", 3, CHECKPOINT, FILES)


def changed(**parts: object) -> bytes:
    fields: dict[str, Any] = json.loads(made().to_bytes()) | parts
    return rfc8785.dumps(fields)


def refused(raw: bytes) -> str:
    with pytest.raises(ManifestError) as told:
        parse_manifest(raw)
    return told.value.code


def test_a_manifest_is_canonical_json_with_the_files_in_the_order_of_their_names() -> None:
    manifest = build_manifest("o", "closed", 1, b"c\n", [FileFacts.of("b", b""), FileFacts.of("a", b"x")])
    a = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    b = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert manifest.to_bytes().decode() == (
        f'{{"checkpoint":"c\\n","files":[{{"name":"a","sha256":"{a}","size":1}},{{"name":"b","sha256":"{b}","size":0}}],'
        '"kind":"closed","origin":"o","size":1,"version":1}'
    )


def test_a_manifest_reads_back_as_it_was() -> None:
    manifest = made()
    assert parse_manifest(manifest.to_bytes()) == manifest
    assert [facts.name for facts in manifest.files] == ["README.txt", "log/tile/0/000.p/3", "log/vkey"]


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": "final"},
        {"kind": ["closed"]},
        {"size": -1},
        {"size": True},
        {"size": "3"},
        {"origin": None},
        {"checkpoint": 5},
        {"files": {}},
        {"files": [5]},
        {"files": [{"name": "a", "sha256": "00" * 32}]},
        {"files": [{"name": "a", "sha256": "AB" * 32, "size": 1}]},
        {"files": [{"name": "a", "sha256": "ab" * 31, "size": 1}]},
        {"files": [{"name": "a", "sha256": "ab" * 32, "size": 1 << 32}]},
        {"files": [{"name": 1, "sha256": "ab" * 32, "size": 1}]},
        {"files": [{"name": "a", "sha256": "ab" * 32, "size": 1, "more": 1}]},
        {"files": [{"name": "b", "sha256": "ab" * 32, "size": 1}, {"name": "a", "sha256": "ab" * 32, "size": 1}]},
        {"files": [{"name": "a", "sha256": "ab" * 32, "size": 1}] * 2},
        {"files": [{"name": "MANIFEST.json", "sha256": "ab" * 32, "size": 1}]},
        {"files": [{"name": "MANIFEST.json.minisig", "sha256": "ab" * 32, "size": 1}]},
        {"more": 1},
    ],
)
def test_another_shape_is_refused(parts: dict[str, Any]) -> None:
    assert refused(changed(**parts)) == "manifestMalformed"


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/", "a//b", ".", "a/./b", "C:/a", "a\\b", "a\n", "aux", "log/com1.txt", "a" * 101]
)
def test_a_name_that_could_do_harm_is_refused(name: str) -> None:
    assert refused(changed(files=[{"name": name, "sha256": "ab" * 32, "size": 1}])) == "manifestName"


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_named_as_such(version: object) -> None:
    assert refused(changed(version=version)) == "manifestVersion"


def test_a_second_spelling_of_the_same_manifest_is_refused() -> None:
    raw = made().to_bytes()
    others = [raw + b"\n", b" " + raw, raw.replace(b'"size":3', b'"size":3.0'), raw.replace(b'"size":3', b'"size":3e0')]
    others += [raw.replace(b'{"checkpoint', b'{"kind":"interim","checkpoint'), raw.replace(b"README", rb"\u0052EADME")]
    others += [raw.replace(b'"size":3', b'"size":%d' % (1 << 53)), raw.replace(b'"size":3', b'"size":' + b"9" * 5000)]
    others += [raw.decode().encode("utf-16"), raw.replace(b'"version":1', b'"version":true')]
    for other in others:
        assert other != raw
        assert refused(other) in {"manifestMalformed", "manifestVersion"}


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(ManifestError):
        assert parse_manifest(raw).to_bytes() == raw


@given(st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_gives_another_manifest_or_none(place: int, bit: int) -> None:
    raw = bytearray(made().to_bytes())
    raw[place % len(raw)] ^= 1 << bit
    with suppress(ManifestError):
        assert parse_manifest(bytes(raw)) != made()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["version", "origin", "kind", "size", "checkpoint", "files"]), json_values)
def test_any_json_in_any_place_is_read_or_refused(part: str, value: object) -> None:
    try:
        raw = changed(**{part: value})
    except rfc8785.CanonicalizationError:
        return
    with suppress(ManifestError):
        assert parse_manifest(raw).to_bytes() == raw


@pytest.mark.parametrize(
    "names",
    [
        ["a", "A"],
        ["log/a", "LOG/b"],
        ["log", "log/a"],
        ["log/a", "Log"],
        ["sheets/x/a", "sheets/X/b"],
        ["a b"],
        ["é"],
        ["a."],
        [".a"],
        [""],
        ["/".join("abcdefghi")],
        [f"{'a' * 90}/{'b' * 90}"],
    ],
)
def test_names_that_no_stick_could_hold_are_refused(names: list[str]) -> None:
    with pytest.raises(ManifestError, match="manifestName"):
        check_names(names)


def test_names_of_exports_are_allowed() -> None:
    check_names(["README.txt", "log/tile/0/x001/x234/067.p/12", "sheets/7ab808a3-0ef6-45cf-9121-71805295ae90/scan-a-kept-1.png"])
    assert is_safe_part("scrutineer-0001-6134a28da6755b5a178b-test-17")
    assert not is_safe_part("NUL.txt")
    assert is_safe_part("nullable")
