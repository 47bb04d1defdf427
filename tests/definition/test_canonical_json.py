"""Canonical JSON is what the library for RFC 8785 writes, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.canonical_json import canonical_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
DOCUMENTS = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=30
)


@given(DOCUMENTS)
def test_it_is_rfc_8785(document: Any) -> None:  # noqa: ANN401  any JSON
    assert canonical_bytes(document) == rfc8785.dumps(document)


def test_names_beyond_the_basic_plane_are_sorted_by_utf_16_units() -> None:
    assert canonical_bytes({"\uff00": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\uff00":1}'.encode()


def test_control_characters_are_escaped_in_lower_case() -> None:
    assert canonical_bytes('\x00\x1b\x1f\x7f\b\t\n\f\r"\\/') == b'"\\u0000\\u001b\\u001f\x7f\\b\\t\\n\\f\\r\\"\\\\/"'


def test_a_lone_surrogate_is_no_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical_bytes("\ud800")
