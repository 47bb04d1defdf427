"""Signed notes: a text and lines of signatures beneath it, as C2SP signed-note v1.0.0 has them.

A note is the text, an empty line, and lines of "— name base64(key id ‖ signature)". The last empty line parts them, so the text
may hold empty lines of its own. The text means nothing until a known key has signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.evidence.tlog import canonical_base64

ED25519 = 0x01
"""Signature type: Ed25519 over the text."""
COSIGNATURE = 0x04
"""Signature type: Ed25519 over a time and the text (C2SP tlog-cosignature v1.0)."""

MOST_NOTE_BYTES = 1 << 20
MOST_SIGNATURES = 64
"""The format asks for at least 16."""

TIME_BYTES = 8
MOST_TIME = (1 << 63) - 1
"""Seconds since 1970 that a cosignature can say."""

_ECDSA = 0x02
_KEY_ID_BYTES = 4
_ED25519_BYTES = 32
_DASH = "— "


class NoteError(Exception):
    """A note, a key or a checkpoint that is refused, and why.

    `code` is noteMalformed, noteSignature (a known key's signature fails), noteUnsigned (no known key signed), keyMalformed,
    checkpointMalformed, checkpointOrigin, cosignatureMalformed, proofMalformed or proofWrong; `detail` is a sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        """Keep the code and the detail apart; the text joins them."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name under which it signs.

    Attributes:
        name: Not empty, without spaces and plus signs.
        algorithm: The signature type, one byte. Types other than `ED25519` and `COSIGNATURE` are kept and never verify.
        public: The key; 32 bytes for the two types that are known here.

    Raises:
        NoteError: `keyMalformed`.
    """

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        """Refuse what cannot be a key."""
        if not _is_name(self.name):
            raise NoteError("keyMalformed", f"{self.name!r} cannot be the name of a key")
        if not 0 < self.algorithm <= 255 or not self.public:
            raise NoteError("keyMalformed", f"the key of {self.name} has no type or no content")
        if self.is_checkable and len(self.public) != _ED25519_BYTES:
            raise NoteError("keyMalformed", f"the key of {self.name} has {len(self.public)} bytes instead of {_ED25519_BYTES}")

    @property
    def is_checkable(self) -> bool:
        """Whether signatures of this type can be verified here."""
        return self.algorithm in {ED25519, COSIGNATURE}

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before this key's signatures."""
        if self.algorithm == _ECDSA:  # the one type whose id covers the key alone
            return hashlib.sha256(self.public).digest()[:_KEY_ID_BYTES]
        named = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as a line: name, key id in hex, base64 of type and key, joined by plus signs."""
        return f"{self.name}+{self.key_id.hex()}+{canonical_base64.encode(bytes([self.algorithm]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key that a line holds, without the end of the line.

        Raises:
            NoteError: `keyMalformed`, also when the key id is not that of the key.
        """
        name, _, rest = text.partition("+")
        _, _, encoded = rest.partition("+")
        content = canonical_base64.decode(encoded)
        if not content:
            raise NoteError("keyMalformed", f"{text[:200]!r} is not a name, a key id and a key")
        key = cls(name, content[0], content[1:])
        if key.text != text:
            raise NoteError("keyMalformed", f"the key id in {text[:200]!r} is not that of the key, which is {key.key_id.hex()}")
        return key

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature`, without key id, is this key's over `message`, the bytes of a note's text."""
        if self.algorithm == COSIGNATURE:
            if len(signature) < TIME_BYTES:
                return False
            time = int.from_bytes(signature[:TIME_BYTES], "big")
            if time > MOST_TIME:
                return False
            message, signature = timed_message(time, message), signature[TIME_BYTES:]
        elif self.algorithm != ED25519:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer(Protocol):
    """Whatever can sign notes: a key in memory, or one in a chip that does not give it away."""

    @property
    def verifier(self) -> VerifierKey:
        """The public key and the name."""

    def sign(self, message: bytes) -> bytes:
        """The signature, without key id, over the bytes of a note's text."""


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """An Ed25519 key in memory that signs notes under a name.

    Raises:
        NoteError: `keyMalformed` for a name that a key cannot have.
    """

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    verifier: VerifierKey = field(init=False)

    def __post_init__(self) -> None:
        """Work out the public key once."""
        public = self.private.public_key().public_bytes_raw()
        object.__setattr__(self, "verifier", VerifierKey(self.name, ED25519, public))

    def sign(self, message: bytes) -> bytes:
        """Sign the bytes of a note's text; 64 bytes."""
        return self.private.sign(message)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: whose it says to be, and the signature without the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, with its LF."""
        return f"{_DASH}{self.name} {canonical_base64.encode(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was read.

    Attributes:
        text: The signed text; ends in LF.
        signatures: Every line, also those of unknown keys, in the note's order.
        verified_by: The known keys whose signatures were verified; empty after `parse_note`.
    """

    text: str
    signatures: tuple[NoteSignature, ...]
    verified_by: tuple[VerifierKey, ...] = ()


def timed_message(time: int, text: bytes) -> bytes:
    """What a cosigner signs: the time in whole seconds since 1970 before the text of the note."""
    return b"cosignature/v1\ntime %d\n" % time + text


def sign_note(text: str, *signers: Signer) -> bytes:
    """A note of `text`, which ends in LF, signed by one or more keys in the order given.

    Raises:
        NoteError: `noteMalformed` for a text that cannot be one, and for no or too many signers.
    """
    message = _text_bytes(text)
    signatures = [NoteSignature(s.verifier.name, s.verifier.key_id, s.sign(message)) for s in signers]
    return _checked(text, signatures)


def add_signature(raw: bytes, name: str, key_id: bytes, signature: bytes) -> bytes:
    """The note with one more line beneath; nothing is verified.

    Raises:
        NoteError: `noteMalformed`, also when the line cannot be one or the key id is there already under this name.
    """
    note = parse_note(raw)
    return _checked(note.text, [*note.signatures, NoteSignature(name, key_id, signature)])


def parse_note(raw: bytes) -> Note:
    """The parts of a note, with no signature verified.

    Raises:
        NoteError: `noteMalformed` when it is not written as this module would write it.
    """
    if len(raw) > MOST_NOTE_BYTES:
        raise NoteError("noteMalformed", f"the note has {len(raw)} bytes; {MOST_NOTE_BYTES} are allowed")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("noteMalformed", f"the note is not UTF-8 at byte {error.start}") from error
    if any(character < " " and character != "\n" for character in whole):
        raise NoteError("noteMalformed", "the note has a control character")
    head, gap, tail = whole.rpartition("\n\n")
    if not gap:
        raise NoteError("noteMalformed", "no empty line parts text and signatures")
    lines = tail.split("\n")
    if lines.pop():
        raise NoteError("noteMalformed", "the note does not end with its last line")
    if not 1 <= len(lines) <= MOST_SIGNATURES:
        raise NoteError("noteMalformed", f"the note has {len(lines)} signature lines; 1 to {MOST_SIGNATURES} are allowed")
    signatures = tuple(_signature(number, line) for number, line in enumerate(lines, 1))
    return Note(head + "\n", signatures)


def open_note(raw: bytes, known: Iterable[VerifierKey]) -> Note:
    """A note whose text may be believed as far as its `verified_by` are.

    Lines of unknown keys, and of keys of a type that cannot be verified here, say nothing and are passed over. Every line of
    every other known key has to hold, also when a key has two.

    Raises:
        NoteError: `noteMalformed`; `noteSignature`; `noteUnsigned`; `keyMalformed` when two known keys cannot be told apart.
    """
    by_id: dict[tuple[str, bytes], VerifierKey] = {}
    for key in known:
        if by_id.setdefault((key.name, key.key_id), key) != key:
            raise NoteError("keyMalformed", f"two different known keys are named {key.name} and have the id {key.key_id.hex()}")
    note = parse_note(raw)
    message = note.text.encode()
    verified: list[VerifierKey] = []
    for line in note.signatures:
        signer = by_id.get((line.name, line.key_id))
        if signer is None or not signer.is_checkable:
            continue
        if not signer.verify(message, line.signature):
            raise NoteError("noteSignature", f"the signature of {line.name} ({line.key_id.hex()}) does not fit the text")
        if signer not in verified:
            verified.append(signer)
    if not verified:
        names = ", ".join(line.name for line in note.signatures)
        raise NoteError("noteUnsigned", f"none of the known keys has signed; the note says that it is signed by {names[:500]}")
    return Note(note.text, note.signatures, tuple(verified))


def _is_name(name: str) -> bool:
    """Whether a key may have this name: no Unicode spaces, no plus, nothing that could not stand in a note."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return bool(name) and not any(character.isspace() or character < " " or character == "+" for character in name)


def _text_bytes(text: str) -> bytes:
    if not text.endswith("\n"):
        raise NoteError("noteMalformed", "the text does not end its last line")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("noteMalformed", "the text cannot be written in UTF-8") from error


def _signature(number: int, line: str) -> NoteSignature:
    parts = line.removeprefix(_DASH).split(" ")
    content = canonical_base64.decode(parts[1]) if line.startswith(_DASH) and len(parts) == 2 and _is_name(parts[0]) else None
    if content is None or len(content) <= _KEY_ID_BYTES:
        raise NoteError("noteMalformed", f"signature line {number} is not a dash, a name and a signature")
    return NoteSignature(parts[0], content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:])


def _checked(text: str, signatures: list[NoteSignature]) -> bytes:
    """The bytes of a note, once reading them has given the same parts back."""
    if len({(line.name, line.key_id) for line in signatures}) < len(signatures):
        raise NoteError("noteMalformed", "one key would sign twice")
    raw = _text_bytes(f"{text}\n{''.join(line.line for line in signatures)}")
    if parse_note(raw) != Note(text, tuple(signatures)):
        raise NoteError("noteMalformed", "the parts do not make a note")
    return raw
