"""Checkpoints: a log's name, size and root in the text of a note, as C2SP tlog-checkpoint v1.0.0 has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.evidence.tlog import canonical_base64
from edge.evidence.tlog.merkle import EMPTY_ROOT, HASH_BYTES
from edge.evidence.tlog.note import ED25519, NoteError, VerifierKey, open_note

MOST_SIZE = (1 << 63) - 1
"""The most entries that a log can say to have; other verifiers keep sizes in signed 64 bits."""
_MOST_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log at one size.

    Attributes:
        origin: Name of the log; not empty.
        size: Number of entries.
        root: Root of the tree of the entries; 32 bytes.
        extensions: Further lines, not empty ones; we write none.

    Raises:
        NoteError: `checkpointMalformed`.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be a checkpoint."""
        if not 0 <= self.size <= MOST_SIZE:
            raise NoteError("checkpointMalformed", f"{self.size} cannot be the size of a log")
        if len(self.root) != HASH_BYTES:
            raise NoteError("checkpointMalformed", f"the root has {len(self.root)} bytes instead of {HASH_BYTES}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise NoteError("checkpointMalformed", "the log has no entries and its root is not that of the empty tree")
        if not all(_is_line(line) for line in (self.origin, *self.extensions)):
            raise NoteError("checkpointMalformed", "a line is empty or has a character that no note can have")

    @property
    def text(self) -> str:
        """The text of the note: a line each for origin, size and root in base64, then the extensions."""
        lines = (self.origin, str(self.size), canonical_base64.encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in the text of a note.

    Raises:
        NoteError: `checkpointMalformed` when the text is not exactly a checkpoint's.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise NoteError("checkpointMalformed", "the text does not have the three lines of a checkpoint")
    origin, size, encoded, *extensions = lines
    number = parse_decimal(size)
    if number is None:
        raise NoteError("checkpointMalformed", f"{size[:40]!r} is not a size in decimal")
    root = canonical_base64.decode(encoded)
    if root is None:
        raise NoteError("checkpointMalformed", "the root is not base64")
    return Checkpoint(origin, number, root, tuple(extensions))


def open_checkpoint(raw: bytes, known: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that the log itself has signed: a known Ed25519 key whose name is the origin.

    Raises:
        NoteError: As `open_note`; `checkpointMalformed`; `checkpointOrigin` when only keys of other names have signed.
    """
    note = open_note(raw, known)
    checkpoint = parse_checkpoint(note.text)
    if not any(key.algorithm == ED25519 and key.name == checkpoint.origin for key in note.verified_by):
        names = ", ".join(key.name for key in note.verified_by)
        raise NoteError(
            "checkpointOrigin", f"the checkpoint of {checkpoint.origin[:200]} is signed by {names[:500]}, not by the log"
        )
    return checkpoint


def parse_decimal(text: str) -> int | None:
    """A size or an index in ASCII decimal without leading zeros, or None when the text is anything else."""
    if len(text) > _MOST_DIGITS or not text.isdecimal() or str(int(text)) != text:
        return None
    return int(text)


def _is_line(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return bool(line) and all(character >= " " for character in line)
