"""Keys, entries and changed copies that the tests of this room share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.merkle import leaf_hash, root_of
from edge.evidence.tlog.note import Ed25519Signer, sign_note

ORIGIN = "scan.example.org/0001/interop"
WITNESS = "witness.example.org/laptop"
TIME_S = 1_893_456_000
LOG_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest())
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"witness").digest())
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"other").digest())
LOG = Ed25519Signer(ORIGIN, LOG_KEY)
OTHER = Ed25519Signer("other.example.org", OTHER_KEY)


def leaves_of(size: int) -> list[bytes]:
    """Leaf hashes of `size` entries, no two alike."""
    return [leaf_hash(b"entry %d" % number) for number in range(size)]


def checkpoint_of(leaves: list[bytes]) -> bytes:
    """The note of the log's checkpoint."""
    return sign_note(Checkpoint(ORIGIN, len(leaves), root_of(leaves)).text, LOG)


def flips(raw: bytes) -> Iterator[bytes]:
    """Every copy of `raw` with a single bit changed."""
    for place in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            yield bytes(changed)
