"""Public keys that prove nothing: the points of small order of Ed25519's curve.

For such a key anyone can make signatures that OpenSSL accepts: for the neutral point, on every message. A key pair is never like
this by chance; an all-zero file is.
"""

from __future__ import annotations

_PRIME = (1 << 255) - 19
_ORDER_EIGHT = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_HEIGHTS = frozenset({0, 1, _PRIME - 1, _ORDER_EIGHT, _PRIME - _ORDER_EIGHT})
"""The y of the eight points whose order divides 8 (RFC 8032, 5.1: the curve's cofactor)."""


def is_weak(public: bytes) -> bool:
    """Whether an Ed25519 public key (32 bytes) is of small order, however it is spelled."""
    without_sign = int.from_bytes(public, "little") & ((1 << 255) - 1)
    return without_sign % _PRIME in _HEIGHTS
