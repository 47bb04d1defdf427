"""Records of tally sheets that differ in the second reader's runtime, and in nothing else, are the same."""

from __future__ import annotations

from typing import Any

import pytest

from edge.audit.checks.same_record import is_same_record
from edge.definition.canonical_json import canonical_bytes

DEVICE: dict[str, Any] = {
    "fields": {"a": 7},
    "cells": [{"digit": 7, "second": True, "accepted": True}, {"digit": None, "second": None, "accepted": False}],
    "reader": {
        "model": "digit",
        "sha256": "00",
        "arithmetic": "1",
        "runtime": "tflite-runtime",
        "version": "2.14.0",
        "resolver": "reference",
    },
}


def changed(**parts: object) -> dict[str, Any]:
    """The record of a machine with another runtime, with some of its parts changed."""
    reader = DEVICE["reader"] | {"runtime": "ai-edge-litert", "version": "2.1.0"} | parts.pop("reader", {})
    return {**DEVICE, "reader": reader, **parts}


def same(kept: dict[str, Any], again: dict[str, Any]) -> bool:
    return is_same_record(canonical_bytes(kept), canonical_bytes(again))


def test_another_runtime_makes_no_other_record() -> None:
    assert same(DEVICE, DEVICE)
    assert same(DEVICE, changed())
    assert same(DEVICE, changed(reader={"resolver": "builtin"}))
    assert same(DEVICE, changed(cells=[cell | {"second": False} for cell in DEVICE["cells"]]))


@pytest.mark.parametrize(
    "parts",
    [
        {"fields": {"a": 1}},
        {"reader": {"model": "another"}},
        {"reader": {"sha256": "01"}},
        {"reader": {"arithmetic": "2"}},
        {"cells": DEVICE["cells"][:1]},
        {"cells": [DEVICE["cells"][0] | {"digit": 1}, DEVICE["cells"][1]]},
        {"cells": [DEVICE["cells"][0] | {"accepted": False}, DEVICE["cells"][1]]},
        {"more": 1},
    ],
)
def test_everything_else_is_compared(parts: dict[str, Any]) -> None:
    assert not same(DEVICE, changed(**parts))


def test_with_the_same_runtime_the_second_reader_is_compared_too() -> None:
    assert not same(DEVICE, DEVICE | {"cells": [cell | {"second": False} for cell in DEVICE["cells"]]})


@pytest.mark.parametrize(
    "kept",
    [b"", b"[]", b"null", b'"text"', b"{}", b'{"reader":null}', b"[" * 100_000, canonical_bytes(DEVICE) + b"\n"],
)
def test_what_is_no_record_in_canonical_json_is_not_the_same(kept: bytes) -> None:
    assert not is_same_record(kept, canonical_bytes(changed()))


def test_a_ballots_record_is_compared_byte_for_byte() -> None:
    assert same({"votes": {}}, {"votes": {}})
    assert not same({"votes": {}}, {"votes": {"a": []}})
