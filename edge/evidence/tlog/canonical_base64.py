"""Base64 that has one spelling only: a second spelling of the same bytes would let a signed file be changed unnoticed."""

from __future__ import annotations

import base64


def encode(content: bytes) -> str:
    """Standard base64 with padding (RFC 4648, part 4)."""
    return base64.b64encode(content).decode("ascii")


def decode(text: str) -> bytes | None:
    """The bytes of a base64 text, or None when it is not exactly what `encode` gives for them."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:  # not base64, or not ASCII
        return None
    # The decoder forgives bits behind the last byte that are not zero.
    return content if encode(content) == text else None
