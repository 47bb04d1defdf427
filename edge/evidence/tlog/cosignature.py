"""Cosignatures: a witness says that, at a time, a checkpoint was the largest and consistent one it had seen of a log.

A line of type 0x04 as C2SP tlog-cosignature v1.0 has it: eight bytes of time and an Ed25519 signature over the time and the text.
The name is not signed, so every witness needs a key of its own, and none of them one that signs notes of another kind.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.evidence.tlog.checkpoint import parse_checkpoint
from edge.evidence.tlog.note import (
    COSIGNATURE,
    MOST_TIME,
    TIME_BYTES,
    Note,
    NoteError,
    NoteSignature,
    VerifierKey,
    add_signature,
    parse_note,
    timed_message,
)

_COSIGNATURE_BYTES = TIME_BYTES + 64


def cosigner_key(name: str, private: Ed25519PrivateKey) -> VerifierKey:
    """The public key under which a witness's cosignatures are verified.

    Raises:
        NoteError: `keyMalformed` for a name that a key cannot have.
    """
    return VerifierKey(name, COSIGNATURE, private.public_key().public_bytes_raw())


def cosign(text: str, private: Ed25519PrivateKey, name: str, time_s: int) -> NoteSignature:
    """The line that cosigns a checkpoint. The caller has seen that the checkpoint extends the last one it cosigned.

    Args:
        text: The text of the checkpoint's note.
        private: The witness's key.
        name: The witness's name.
        time_s: Now, in whole seconds since 1970.

    Raises:
        NoteError: `checkpointMalformed` for another text; `keyMalformed`; `cosignatureMalformed` for a time no line can hold.
    """
    parse_checkpoint(text)
    if not 0 <= time_s <= MOST_TIME:
        raise NoteError("cosignatureMalformed", f"{time_s} cannot be the time of a cosignature")
    signature = private.sign(timed_message(time_s, text.encode()))
    return NoteSignature(name, cosigner_key(name, private).key_id, time_s.to_bytes(TIME_BYTES, "big") + signature)


def add_cosignature(raw: bytes, private: Ed25519PrivateKey, name: str, time_s: int) -> bytes:
    """The checkpoint's note with a cosignature beneath; its other signatures are not verified here.

    Raises:
        NoteError: As `cosign`; `noteMalformed`, also when this witness has cosigned the note before.
    """
    line = cosign(parse_note(raw).text, private, name, time_s)
    return add_signature(raw, line.name, line.key_id, line.signature)


def check_cosignature(text: str, line: NoteSignature, key: VerifierKey) -> int:
    """The time, in seconds since 1970, at which the witness of `key` cosigned the checkpoint.

    Raises:
        NoteError: `cosignatureMalformed` when the line is not a cosignature by that key's name and id; `noteSignature`;
            `checkpointMalformed`.
    """
    parse_checkpoint(text)
    if key.algorithm != COSIGNATURE or (line.name, line.key_id) != (key.name, key.key_id):
        raise NoteError("cosignatureMalformed", f"the line of {line.name[:200]} is not a cosignature by {key.text}")
    if len(line.signature) != _COSIGNATURE_BYTES:
        raise NoteError(
            "cosignatureMalformed", f"the cosignature has {len(line.signature)} bytes instead of {_COSIGNATURE_BYTES}"
        )
    if not key.verify(text.encode(), line.signature):
        raise NoteError("noteSignature", f"the cosignature of {key.name} does not fit the checkpoint")
    return int.from_bytes(line.signature[:TIME_BYTES], "big")


def cosignatures_of(note: Note) -> tuple[tuple[VerifierKey, int], ...]:
    """Witness and time, in seconds since 1970, of each verified cosignature of a checkpoint that came from `open_note`.

    Raises:
        NoteError: `checkpointMalformed`.
    """
    keys = {(key.name, key.key_id): key for key in note.verified_by if key.algorithm == COSIGNATURE}
    lines = [line for line in note.signatures if (line.name, line.key_id) in keys]
    return tuple(
        (keys[line.name, line.key_id], check_cosignature(note.text, line, keys[line.name, line.key_id])) for line in lines
    )
