"""Invented stations and authorities with fixed keys, for tests."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from edge.evidence.keys.enrolment import Enrolment, make_enrolment, parse_enrolment
from edge.evidence.tlog.note import Ed25519Signer

BALLOT_HASH = "3a5f00112233445566aa"
TITLE = "Municipal election, Lower Example"
PACKAGE = bytes(range(32))
SOFTWARE = bytes(range(32, 64))


def device_signer(number: int, ballot_hash: str = BALLOT_HASH, *, key: int | None = None, more: str = "") -> Ed25519Signer:
    """The key of a log of the device with that number; `key` = the number of the device whose key it uses instead."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([number if key is None else key]) * 32)
    return Ed25519Signer(f"{device_name(number)}/{ballot_hash}{more}", private)


def device_name(number: int) -> str:
    return f"scan.example.org/{number:04}"


def authority(name: str = "authority.example.org", key: int = 200) -> Ed25519Signer:
    return Ed25519Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([key]) * 32))


def enrolment_bytes(
    number: int,
    *,
    ballot_hash: str = BALLOT_HASH,
    title: str = TITLE,
    package: bytes = PACKAGE,
    software: bytes = SOFTWARE,
    key: int | None = None,
    more: str = "",
) -> bytes:
    """The enrolment of the device with that number."""
    return make_enrolment(
        device_signer(number, ballot_hash, key=key, more=more),
        device=device_name(number),
        ballot_hash=ballot_hash,
        title=title,
        software_sha256=software,
        package_sha256=package,
    )


def enrolment(
    number: int,
    *,
    ballot_hash: str = BALLOT_HASH,
    title: str = TITLE,
    package: bytes = PACKAGE,
    key: int | None = None,
    more: str = "",
) -> Enrolment:
    return parse_enrolment(
        enrolment_bytes(number, ballot_hash=ballot_hash, title=title, package=package, key=key, more=more),
    )


def flipped(raw: bytes, bit: int) -> bytes:
    """The bytes with one bit turned."""
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def damaged(raw: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with a piece cut out and another put in: near enough to the real thing to reach every check."""
    place = st.integers(0, len(raw))
    pieces = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\n", b"\n\n", b" ", b"+", b"log ", b"\xe2\x80\x94 "]))
    copied = st.builds(lambda a, b: raw[min(a, b) : max(a, b)], place, place)
    join: Callable[[int, int, bytes], bytes] = lambda a, b, piece: raw[: min(a, b)] + piece + raw[max(a, b) :]  # noqa: E731  with its type
    return st.builds(join, place, place, st.one_of(pieces, copied))
