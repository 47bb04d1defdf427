"""Canonical JSON (RFC 8785) of documents without fractions: the form of all that is hashed, signed or compared byte for byte."""

from __future__ import annotations

import json
from typing import Any

import rfc8785


def canonical_bytes(document: Any) -> bytes:  # noqa: ANN401  any JSON
    """The document as canonical bytes, UTF-8.

    For text, whole numbers below 2**53, truth values, null, lists and objects the standard library's encoder writes what RFC 8785
    asks for, ten times as fast as `rfc8785` does, with one exception: it sorts names by code points, where RFC 8785 sorts UTF-16
    units. They differ only beyond the basic plane, and such documents go the other way. A test holds both against each other.

    Args:
        document: Without floating-point numbers; names of objects are text.

    Raises:
        ValueError: a text that is no Unicode (a lone surrogate).
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    if text.isascii() or max(text) <= "\uffff":
        return text.encode()
    return rfc8785.dumps(document)
