"""A small ballot box by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.evidence.ballot_box import PAGE, BallotBox, make_box

SLOTS, SLOT = 8, 4 * PAGE
NUMBER, KEY = bytes(range(16)), bytes(range(32))
IDENTITY_BYTES, SETTLED_BYTES = 77, 45
"""What is written of the two pages: a nonce, a kind, an id (and a hash of the sheet), a tag."""


def made(folder: Path, slots: int = SLOTS) -> Path:
    """The file of a new box."""
    path = folder / "box.slots"
    make_box(path, NUMBER, slots, SLOT, lambda: None)
    return path


@contextmanager
def opened(path: Path, number: bytes = NUMBER, key: bytes = KEY) -> Iterator[BallotBox]:
    """A box, closed in the end."""
    box = BallotBox(path, number, key)
    try:
        yield box
    finally:
        box.close()


def at(slot: int) -> int:
    """Where a slot begins."""
    return PAGE + slot * SLOT
