"""Detached signatures that the tool minisign verifies: Ed25519 over the BLAKE2b-512 of a file, and a comment that is signed too.

A signature file is four lines: an untrusted comment; base64 of "ED" ‖ key number ‖ signature; the trusted comment; base64 of the
signature over the first signature and the trusted comment. Form: https://jedisct1.github.io/minisign/
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.evidence.tlog import canonical_base64

MOST_SIGNATURE_FILE_BYTES = 4096
MOST_COMMENT_BYTES = 1000
"""Of UTF-8, so that the tool, which reads lines of at most 8192 bytes, never cuts one short."""

_UNTRUSTED = "untrusted comment: signature of a Scrutineer export"
_TRUSTED = "trusted comment: "
_KEY_TYPE = b"Ed"
_HASHED = b"ED"
_NUMBER_BYTES = 8
_PUBLIC_BYTES = 32
_SIGNATURE_BYTES = 64


class MinisignError(Exception):
    """A signature that is refused, and why.

    `code` is minisignMalformed, minisignKey (another key's, or no key) or minisignSignature; `detail` is a sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        """Keep the code and the detail apart; the text joins them."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def public_key_text(public: bytes) -> str:
    """The public key (32 bytes) as minisign takes it after `-P`: base64 of "Ed", the key's number and the key.

    Raises:
        MinisignError: `minisignKey` for a key of another length.
    """
    return canonical_base64.encode(_KEY_TYPE + _number(public) + public)


def parse_public_key(text: str) -> bytes:
    """The public key (32 bytes) in a text of `public_key_text`.

    Raises:
        MinisignError: `minisignKey`, also when the number in it is not ours for that key.
    """
    content = canonical_base64.decode(text)
    if content is None or len(content) != len(_KEY_TYPE) + _NUMBER_BYTES + _PUBLIC_BYTES:
        raise MinisignError("minisignKey", f"{text[:100]!r} is not a minisign public key")
    public = content[-_PUBLIC_BYTES:]
    if public_key_text(public) != text:
        raise MinisignError("minisignKey", f"{text[:100]!r} has a type or a number that is not ours")
    return public


def sign(content: bytes, private: Ed25519PrivateKey, trusted_comment: str) -> bytes:
    """The signature file for a file of this content.

    Args:
        content: All of the file.
        private: The key.
        trusted_comment: One line of printable characters, signed with the rest and shown by minisign.

    Raises:
        MinisignError: `minisignMalformed` for a comment that cannot stand in a line.
    """
    if not _is_comment(trusted_comment):
        raise MinisignError("minisignMalformed", "the trusted comment is not one printable line")
    signature = private.sign(_hash(content))
    bound = private.sign(signature + trusted_comment.encode())
    head = _HASHED + _number(private.public_key().public_bytes_raw()) + signature
    lines = (_UNTRUSTED, canonical_base64.encode(head), _TRUSTED + trusted_comment, canonical_base64.encode(bound))
    return "".join(f"{line}\n" for line in lines).encode()


def verify(content: bytes, signature_file: bytes, public: bytes) -> str:
    """The trusted comment of a signature file, once both its signatures hold for this content and this key (32 bytes).

    Only files as `sign` writes them are taken.

    Raises:
        MinisignError: `minisignMalformed`; `minisignKey` when the file names another key; `minisignSignature`.
    """
    number = _number(public)
    head, comment, bound = _parse(signature_file)
    if head[len(_HASHED) : -_SIGNATURE_BYTES] != number:
        raise MinisignError("minisignKey", f"the signature is by the key {head[2:10].hex()}, not by {number.hex()}")
    signature = head[-_SIGNATURE_BYTES:]
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, _hash(content))
        key.verify(bound, signature + comment.encode())
    except (InvalidSignature, ValueError) as error:
        raise MinisignError("minisignSignature", "the signature fits neither this file and comment nor this key") from error
    return comment


def _parse(signature_file: bytes) -> tuple[bytes, str, bytes]:
    """First signature with type and number, trusted comment, second signature."""
    if len(signature_file) > MOST_SIGNATURE_FILE_BYTES:
        raise MinisignError("minisignMalformed", f"the signature file has {len(signature_file)} bytes")
    try:
        lines = signature_file.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise MinisignError("minisignMalformed", "the signature file is not UTF-8") from error
    if len(lines) != 5 or lines[4] or lines[0] != _UNTRUSTED or not lines[2].startswith(_TRUSTED):
        raise MinisignError("minisignMalformed", "the signature file does not have the four lines of ours")
    head, comment, bound = canonical_base64.decode(lines[1]), lines[2].removeprefix(_TRUSTED), canonical_base64.decode(lines[3])
    if head is None or bound is None or not head.startswith(_HASHED) or not _is_comment(comment):
        raise MinisignError("minisignMalformed", "a line of the signature file is not as we write it")
    if len(head) != len(_HASHED) + _NUMBER_BYTES + _SIGNATURE_BYTES or len(bound) != _SIGNATURE_BYTES:
        raise MinisignError("minisignMalformed", "a signature has the wrong length")
    return head, comment, bound


def _number(public: bytes) -> bytes:
    """The eight bytes by which minisign tells keys apart; any would do, so they follow from the key."""
    if len(public) != _PUBLIC_BYTES:
        raise MinisignError("minisignKey", f"a public key has {_PUBLIC_BYTES} bytes, not {len(public)}")
    return hashlib.sha256(public).digest()[:_NUMBER_BYTES]


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content).digest()


def _is_comment(text: str) -> bool:
    # `isprintable` is false for line ends, other controls and lone surrogates; the tool cuts spaces off the end.
    return text.isprintable() and text == text.strip() and len(text.encode()) <= MOST_COMMENT_BYTES
