"""The trust list: which logs are those of the authority's own stations.

The authority makes it of the stations' enrolments and publishes it; an auditor gets it, and the authority's key, another way than
on the stick with the records. It is a signed note, and its text is a policy file as C2SP tlog-policy has it, for other tools:

    # scrutineer trust list v1
    # election <ballot hash> <title>
    # package <SHA-256>              none or more: what the stations read sheets with
    log <verifier key>               one or more, sorted by name
    quorum none
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import AnyStr

from edge.evidence.keys.enrolment import BALLOT_HASH_PATTERN, NAME_PATTERN, Enrolment, fingerprint, log_label_pattern, one_line
from edge.evidence.keys.error import TrustError
from edge.evidence.keys.weak_points import is_weak
from edge.evidence.tlog.note import ED25519, NoteError, Signer, VerifierKey, add_signature, open_note, parse_note, sign_note

__all__ = ["TrustError", "TrustList", "countersign", "make_trust_list", "open_trust_list"]

MOST_LOGS = 4096

_HEAD = "# scrutineer trust list v1"
_SHAPE = re.compile(
    rf"""{_HEAD}
# election (?P<ballot_hash>{BALLOT_HASH_PATTERN}) (?P<title>[^\n]+)
(?P<packages>(?:\# package [0-9a-f]{{64}}\n)*)(?P<logs>(?:log [^\n]+\n)+)quorum none
"""
)


@dataclass(frozen=True, slots=True)
class TrustList:
    """A trust list.

    Attributes:
        ballot_hash: The election's, 20 lower-case hex digits.
        title: The election's.
        packages: SHA-256 of the election packages that may be used, 32 bytes each, sorted; empty = the list does not say.
        logs: The keys of the logs, sorted by name; each name is a log's origin and stands once.
        signed_by: Which of the given authorities have signed it, in the note's order.
        names: Every name that the note gives for a signer, believed or not, in its order.
        checked: Whether authorities were given at all. If not, nothing says who made the list.
    """

    ballot_hash: str
    title: str
    packages: tuple[bytes, ...]
    logs: tuple[VerifierKey, ...]
    signed_by: tuple[VerifierKey, ...] = ()
    names: tuple[str, ...] = ()
    checked: bool = False

    @property
    def text(self) -> str:
        """The text of its note."""
        packages = "".join(f"# package {package.hex()}\n" for package in self.packages)
        logs = "".join(f"log {log.text}\n" for log in self.logs)
        return f"{_HEAD}\n# election {self.ballot_hash} {self.title}\n{packages}{logs}quorum none\n"

    def key_of(self, origin: str) -> VerifierKey:
        """The key of the log of that name.

        Raises:
            TrustError: `trustForeign`.
        """
        for log in self.logs:
            if log.name == origin:
                return log
        raise TrustError("trustForeign", f"the log {origin[:300]!r} is not in the trust list for {self.title}")


def make_trust_list(enrolments: Iterable[Enrolment], signer: Signer) -> bytes:
    """The trust list of these enrolments, signed.

    Raises:
        TrustError: `trustMismatch` for no enrolment, one given twice, different elections or packages, one key for two devices;
            `trustMalformed` for more than a list holds.
    """
    chosen = _list_of(list(enrolments))
    try:
        raw = sign_note(chosen.text, signer)
    except NoteError as error:
        raise TrustError("trustMalformed", error.detail) from error
    _parse(raw)
    return raw


def countersign(raw: bytes, signer: Signer, enrolments: Iterable[Enrolment] = ()) -> bytes:
    """The same list with one more signature. Whether the earlier ones hold is for whoever opens the list.

    Args:
        raw: The list.
        signer: Another official's key.
        enrolments: If there are any, the list has to be the one that they make.

    Raises:
        TrustError: `trustMalformed`; `trustSigned` when the key has signed it already; `trustMismatch`.
    """
    listed, verifier = _parse(raw), signer.verifier
    given = list(enrolments)
    if given and (made := _list_of(given)).text != listed.text:
        raise TrustError("trustMismatch", f"the list is not that of the enrolments: {_difference(listed, made)}")
    if any((line.name, line.key_id) == (verifier.name, verifier.key_id) for line in parse_note(raw).signatures):
        raise TrustError("trustSigned", f"{verifier.name} ({verifier.key_id.hex()}) has signed the list already")
    try:
        return add_signature(raw, verifier.name, verifier.key_id, signer.sign(listed.text.encode()))
    except NoteError as error:
        raise TrustError("trustMalformed", error.detail) from error


def open_trust_list(raw: bytes, authorities: Iterable[VerifierKey]) -> TrustList:
    """A trust list. It may be believed as far as those in `signed_by` are; a caller who wants all of several has to look there.

    Args:
        raw: The list.
        authorities: Keys that were had another way than the list. Without any the list is only read, and `checked` is False.

    Raises:
        TrustError: `trustMalformed`; `trustSignature` and `trustUnsigned` where authorities are given; nothing else, whatever
            the bytes are.
    """
    known = tuple(authorities)
    listed = _parse(raw)
    if not known:
        return listed
    weak = [key.name for key in known if key.algorithm != ED25519 or is_weak(key.public)]
    if weak:
        raise TrustError("trustUnsigned", f"the key given for {weak[0]} is not an Ed25519 key that proves anything")
    try:
        signed_by = open_note(raw, known).verified_by
    except NoteError as error:
        if error.code == "noteSignature":
            raise TrustError("trustSignature", error.detail) from error
        raise TrustError("trustUnsigned", error.detail) from error
    return replace(listed, signed_by=signed_by, checked=True)


def _parse(raw: bytes) -> TrustList:
    """A list as far as it can be read without knowing who signs."""
    try:
        note = parse_note(raw)
        shape = _SHAPE.fullmatch(note.text)
        if shape is None:
            raise TrustError("trustMalformed", "its lines are not those of a trust list of version 1")
        packages = tuple(bytes.fromhex(line.removeprefix("# package ")) for line in shape["packages"].splitlines())
        lines = shape["logs"].removesuffix("\n").split("\n")
        if len(lines) > MOST_LOGS:
            raise TrustError("trustMalformed", f"it has {len(lines)} logs; {MOST_LOGS} are allowed")
        logs = tuple(VerifierKey.parse(line.removeprefix("log ")) for line in lines)
    except NoteError as error:
        raise TrustError("trustMalformed", error.detail) from error
    for log in logs:
        if log.algorithm != ED25519 or is_weak(log.public):
            raise TrustError("trustMalformed", f"the key of {log.name[:300]!r} is not an Ed25519 key that proves anything")
        if re.fullmatch(NAME_PATTERN + log_label_pattern(shape["ballot_hash"]), log.name) is None:
            raise TrustError("trustMalformed", f"the log {log.name[:300]!r} is not named after a device and this election")
    if not _is_sorted([log.name for log in logs]) or not _is_sorted(packages):
        raise TrustError("trustMalformed", "its logs or packages are not sorted, or one stands twice")
    title = shape["title"]
    if title != one_line(title):
        raise TrustError("trustMalformed", f"the title {title[:300]!r} is not one short line")
    listed = TrustList(shape["ballot_hash"], title, packages, logs, names=tuple(line.name for line in note.signatures))
    if listed.text != note.text:
        raise TrustError("trustMalformed", "it is not written as a trust list is")
    return listed


def _is_sorted(values: Sequence[AnyStr]) -> bool:
    """Whether each is greater than the one before it."""
    return all(before < after for before, after in itertools.pairwise(values))


def _list_of(enrolments: Sequence[Enrolment]) -> TrustList:
    """The list of these enrolments, unsigned."""
    if not enrolments:
        raise TrustError("trustMismatch", "a trust list needs at least one enrolment")
    first = enrolments[0]
    by_name: dict[str, Enrolment] = {}
    by_key: dict[bytes, Enrolment] = {}
    for one in enrolments:
        both = f"{first.log.name} and {one.log.name}"
        if (one.ballot_hash, one.title) != (first.ballot_hash, first.title):
            raise TrustError(
                "trustMismatch",
                f"{both} are for different elections: {first.ballot_hash} {first.title!r} and {one.ballot_hash} {one.title!r}",
            )
        if one.package != first.package:
            raise TrustError(
                "trustMismatch", f"{both} have different election packages: {first.package.hex()} and {one.package.hex()}"
            )
        if (same := by_name.setdefault(one.log.name, one)) is not one:
            keys = f"{fingerprint(same.log)} and {fingerprint(one.log)}"
            raise TrustError("trustMismatch", f"{one.log.name} is enrolled twice, with the keys {keys}")
        if (same := by_key.setdefault(one.log.public, one)).device != one.device:
            raise TrustError("trustMismatch", f"{same.device} and {one.device} have the same key: one is a copy of the other")
    logs = tuple(by_name[name].log for name in sorted(by_name))
    return TrustList(first.ballot_hash, first.title, (first.package,), logs)


def _difference(listed: TrustList, made: TrustList) -> str:
    """What a person should look at first."""
    if (listed.ballot_hash, listed.title) != (made.ballot_hash, made.title):
        return f"it is for {listed.ballot_hash} {listed.title!r}, they are for {made.ballot_hash} {made.title!r}"
    if listed.packages != made.packages:
        return f"it names the packages {[one.hex() for one in listed.packages]}, they have {[one.hex() for one in made.packages]}"
    missing = sorted({log.text for log in made.logs} - {log.text for log in listed.logs})
    more = sorted({log.text for log in listed.logs} - {log.text for log in made.logs})
    return f"it lacks {missing or 'nothing'}, and has {more or 'nothing'} that they do not have"
