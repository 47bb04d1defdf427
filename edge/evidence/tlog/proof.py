"""A file that proves, without the log, that one entry is in it: the way from the entry to the root, and the checkpoint.

The text of C2SP tlog-proof: a heading, `extra` (opaque, signed by nobody), `index`, a hash a line, an empty line, the note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.evidence.tlog import canonical_base64
from edge.evidence.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, parse_decimal
from edge.evidence.tlog.merkle import HASH_BYTES, check_inclusion, inclusion_proof, root_of
from edge.evidence.tlog.note import MOST_NOTE_BYTES, NoteError, VerifierKey, parse_note

MOST_EXTRA_BYTES = 1 << 15
MOST_HASHES = 63
"""The height of the tallest tree whose size a checkpoint can say."""
_MOST_PROOF_BYTES = MOST_NOTE_BYTES + 2 * MOST_EXTRA_BYTES
_HEADING = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof that an entry is in a log.

    Attributes:
        index: Place of the entry in the log, from 0.
        hashes: From the leaf's neighbour up to the root's child; 32 bytes each.
        checkpoint: The note, as it is.
        extra: Whatever the maker wanted to go along, or None; nothing vouches for it.

    Raises:
        NoteError: `proofMalformed`, `noteMalformed`, `checkpointMalformed`.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a proof."""
        size = parse_checkpoint(parse_note(self.checkpoint).text).size
        if not 0 <= self.index < size:
            raise NoteError("proofMalformed", f"a log of {size} entries has no entry {self.index}")
        if len(self.hashes) > MOST_HASHES or any(len(value) != HASH_BYTES for value in self.hashes):
            raise NoteError(
                "proofMalformed", f"the way to the root has more than {MOST_HASHES} hashes, or one of the wrong length"
            )
        if self.extra is not None and not 1 <= len(self.extra) <= MOST_EXTRA_BYTES:
            raise NoteError("proofMalformed", f"{len(self.extra)} bytes go along; 1 to {MOST_EXTRA_BYTES} are allowed")

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        lines = [_HEADING]
        if self.extra is not None:
            lines.append(f"extra {canonical_base64.encode(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [canonical_base64.encode(value) for value in self.hashes]
        return "".join(f"{line}\n" for line in (*lines, "")).encode() + self.checkpoint


def make_proof(leaves: Sequence[bytes], index: int, checkpoint: bytes, extra: bytes | None = None) -> TlogProof:
    """The proof that leaf number `index` is in the log of which `checkpoint` is a note; its signatures are not verified here.

    Args:
        leaves: Leaf hashes of the log, at least as many as the checkpoint says.
        index: Which leaf, from 0.
        checkpoint: The bytes of the note.
        extra: Opaque bytes to go along, at least one, or None.

    Raises:
        NoteError: `proofWrong` when the leaves are not those of the checkpoint; otherwise as `TlogProof`.
    """
    state = parse_checkpoint(parse_note(checkpoint).text)
    if not 0 <= index < state.size:
        raise NoteError("proofMalformed", f"a log of {state.size} entries has no entry {index}")
    if len(leaves) < state.size or root_of(leaves[: state.size]) != state.root:
        raise NoteError("proofWrong", f"the leaves do not give the root of {state.origin[:200]} at size {state.size}")
    return TlogProof(index, tuple(inclusion_proof(leaves, index, state.size)), checkpoint, extra)


def parse_proof(raw: bytes) -> TlogProof:
    """The proof in a file, with nothing verified.

    Raises:
        NoteError: `proofMalformed`, `noteMalformed`, `checkpointMalformed` when it is not written as this module would write it.
    """
    if len(raw) > _MOST_PROOF_BYTES:
        raise NoteError("proofMalformed", f"the proof has {len(raw)} bytes; {_MOST_PROOF_BYTES} are allowed")
    head, _, checkpoint = raw.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise NoteError("proofMalformed", "the proof has a character that is not ASCII before its checkpoint") from error
    heading = lines.pop(0)
    extra = canonical_base64.decode(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    index = parse_decimal(lines.pop(0)[6:]) if lines and lines[0].startswith("index ") else None
    if heading != _HEADING or index is None or len(lines) > MOST_HASHES:
        raise NoteError("proofMalformed", "the proof does not begin with its heading and the index of the entry")
    hashes = tuple(canonical_base64.decode(line) or b"" for line in lines)
    proof = TlogProof(index, hashes, checkpoint, extra)
    if proof.content != raw:
        raise NoteError("proofMalformed", "the proof is not written as a proof is")
    return proof


def check_proof(proof: TlogProof, leaf: bytes, known: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint of the log that holds the entry with this leaf hash, signed by the log's known key.

    Raises:
        NoteError: As `open_checkpoint`; `proofWrong` when the proof does not lead from the leaf to the root.
    """
    state = open_checkpoint(proof.checkpoint, known)
    if not check_inclusion(leaf, proof.index, state.size, proof.hashes, state.root):
        raise NoteError("proofWrong", f"the proof does not lead from the entry to the root of {state.origin[:200]}")
    return state
