"""What a station gives to the authority before an election: its key for this election's log, and what it will work with.

It is a signed note by the very key that it names, which proves that whoever gives it holds that key. It does not prove whose
station it is: the official compares the fingerprint on paper with the one that the station shows.

    scrutineer enrolment v1
    log <verifier key; its name is the log's>
    minisign <the same key as minisign writes it>
    device <name>
    election <ballot hash> <title>
    software <SHA-256>
    package <SHA-256>
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from edge.definition.election import BALLOT_HASH_BYTES
from edge.evidence.keys.error import EnrolmentError
from edge.evidence.keys.weak_points import is_weak
from edge.evidence.tlog.minisign import public_key_text
from edge.evidence.tlog.note import ED25519, NoteError, Signer, VerifierKey, open_note, parse_note, sign_note

__all__ = ["Enrolment", "EnrolmentError", "fingerprint", "make_enrolment", "one_line", "parse_enrolment"]

MOST_ENROLMENT_BYTES = 8192
MOST_DEVICE_NAME = 128
MOST_TITLE = 200
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*"
"""Names of devices and authorities: plain ASCII, since two names that look alike would be compared by eye."""
BALLOT_HASH_PATTERN = f"[0-9a-f]{{{2 * BALLOT_HASH_BYTES}}}"

_HEAD = "scrutineer enrolment v1"
_SHAPE = re.compile(
    rf"""{_HEAD}
log (?P<log>[^\n]+)
minisign [^\n]+
device (?P<device>{NAME_PATTERN})
election (?P<ballot_hash>{BALLOT_HASH_PATTERN}) (?P<title>[^\n]+)
software (?P<software>[0-9a-f]{{64}})
package (?P<package>[0-9a-f]{{64}})
"""
)
_NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Controls, signs that turn the direction of writing, halves of characters: none shows, and some change what the rest shows."""
_FINGERPRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An enrolment that its own key has signed.

    Attributes:
        log: The key; its name is the log's origin: the device's name, `/`, the ballot hash, and perhaps `-` and more (`-test`).
        device: The device's name, at most 128 characters of `NAME_PATTERN`.
        ballot_hash: The election's, 20 lower-case hex digits.
        title: The election's, one line of at most 200 characters.
        software: SHA-256 over the station's software, 32 bytes.
        package: SHA-256 over the election package, 32 bytes.
    """

    log: VerifierKey
    device: str
    ballot_hash: str
    title: str
    software: bytes
    package: bytes

    @property
    def text(self) -> str:
        """The text of its note."""
        return (
            f"{_HEAD}\nlog {self.log.text}\nminisign {public_key_text(self.log.public)}\ndevice {self.device}\n"
            f"election {self.ballot_hash} {self.title}\nsoftware {self.software.hex()}\npackage {self.package.hex()}\n"
        )


def make_enrolment(
    signer: Signer, *, device: str, ballot_hash: str, title: str, software_sha256: bytes, package_sha256: bytes
) -> bytes:
    """The enrolment of a device for an election.

    Args:
        signer: The log's key, under the log's name.
        device: The device's name.
        ballot_hash: 20 hex digits in lower case.
        title: The election's title; is made one short line.
        software_sha256: `edge.evidence.software.software_sha256()`.
        package_sha256: `ElectionPackage.sha256()`.

    Raises:
        EnrolmentError: `enrolmentMalformed` when these do not make an enrolment.
    """
    enrolment = Enrolment(signer.verifier, device, ballot_hash, one_line(title), software_sha256, package_sha256)
    try:
        raw = sign_note(enrolment.text, signer)
    except NoteError as error:
        raise EnrolmentError("enrolmentMalformed", error.detail) from error
    parse_enrolment(raw)  # holds all of it against the rules
    return raw


def parse_enrolment(raw: bytes) -> Enrolment:
    """The enrolment in these bytes, once it is proven that its own key, and none besides, has signed it.

    Raises:
        EnrolmentError: `enrolmentMalformed`, `enrolmentSignature`; nothing else, whatever the bytes are.
    """
    if len(raw) > MOST_ENROLMENT_BYTES:
        raise EnrolmentError("enrolmentMalformed", f"an enrolment has at most {MOST_ENROLMENT_BYTES} bytes, not {len(raw)}")
    try:
        note = parse_note(raw)
        shape = _SHAPE.fullmatch(note.text)
        if shape is None:
            raise EnrolmentError("enrolmentMalformed", "its lines are not those of an enrolment of version 1")
        log = VerifierKey.parse(shape["log"])
    except NoteError as error:
        raise EnrolmentError("enrolmentMalformed", error.detail) from error
    if log.algorithm != ED25519 or is_weak(log.public):
        raise EnrolmentError("enrolmentMalformed", f"the key of {log.name} is not an Ed25519 key that proves anything")
    hashes = bytes.fromhex(shape["software"]), bytes.fromhex(shape["package"])
    enrolment = Enrolment(log, shape["device"], shape["ballot_hash"], shape["title"], *hashes)
    _check(enrolment, note.text)
    if len(note.signatures) != 1:
        raise EnrolmentError("enrolmentMalformed", f"an enrolment has one signature, not {len(note.signatures)}")
    try:
        open_note(raw, [log])
    except NoteError as error:
        raise EnrolmentError("enrolmentSignature", f"the key that it names has not signed it: {error.detail}") from error
    return enrolment


def fingerprint(key: VerifierKey) -> str:
    """A key for comparison by eye: the first 16 bytes of the SHA-256 of its text, in hex and groups of four digits.

    `printf %s '<verifier key>' | sha256sum` begins with the same digits.
    """
    digits = hashlib.sha256(key.text.encode()).digest()[:_FINGERPRINT_BYTES].hex()
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def one_line(title: str) -> str:
    """A title as one line of at most 200 characters, with nothing in it that does not show; `untitled` when nothing is left."""
    words = " ".join(_NOT_SHOWN.sub(" ", title).split())
    if len(words) > MOST_TITLE:
        words = f"{words[: MOST_TITLE - 1].rstrip()}…"
    return words or "untitled"


def log_label_pattern(ballot_hash: str) -> str:
    """The pattern of what follows the device's name in the name of a log of that election."""
    return rf"/{ballot_hash}(?:-[a-z0-9]+)*"


def _check(enrolment: Enrolment, text: str) -> None:
    """Refuse parts that do not belong together."""
    log, device = enrolment.log, enrolment.device
    if len(device) > MOST_DEVICE_NAME:
        raise EnrolmentError(
            "enrolmentMalformed", f"a device's name has at most {MOST_DEVICE_NAME} characters, not {len(device)}"
        )
    if re.fullmatch(re.escape(device) + log_label_pattern(enrolment.ballot_hash), log.name) is None:
        raise EnrolmentError(
            "enrolmentMalformed",
            f"the log {log.name[:300]!r} is not named after its device {device} and its election {enrolment.ballot_hash}",
        )
    if enrolment.title != one_line(enrolment.title):
        raise EnrolmentError("enrolmentMalformed", f"the title {enrolment.title[:300]!r} is not one short line")
    if enrolment.text != text:
        raise EnrolmentError("enrolmentMalformed", "the minisign key is not the log's key")
