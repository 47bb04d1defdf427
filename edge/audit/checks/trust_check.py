"""Whether the export's log is one that the election authority vouches for. Everything hangs on the key that comes out here."""

from __future__ import annotations

from edge.audit.checks.question import Question
from edge.audit.content import key_document
from edge.audit.folder import ExportFolder, FileError
from edge.audit.layout import CHECKPOINT, ELECTION, PACKAGE, VERIFIER_KEY
from edge.audit.verification import Check
from edge.definition.package import ElectionPackage
from edge.evidence.keys.error import TrustError
from edge.evidence.keys.trust import TrustList
from edge.evidence.tlog.note import MOST_NOTE_BYTES, VerifierKey


def trusted_keys(trust: TrustList | None, origin: str) -> tuple[VerifierKey, ...]:
    """The key that the trust list has for a log; none if it has none."""
    try:
        return () if trust is None else (trust.key_of(origin),)
    except TrustError:
        return ()


def check_trust(folder: ExportFolder, trust: TrustList | None, origin: str) -> list[Check]:
    """Who vouches for the list, and whether the log is in it.

    Args:
        folder: The export.
        trust: The list; None if there was none.
        origin: The log's name as the export says.
    """
    authority, listed = Question("authority"), Question("trustList")
    if trust is None:
        return [
            authority.unanswered("No trust list was given: nothing says whose station this is."),
            listed.unanswered(f"Without a trust list no signature of the log {origin or '(unnamed)'} could be checked."),
        ]
    if trust.checked:
        names = ", ".join(f"{key.name} ({key.key_id.hex()})" for key in trust.signed_by)
        signed = authority.answered(f"The trust list for {trust.title} is signed by {names}.")
    else:
        names = ", ".join(trust.names)
        signed = authority.unanswered(
            f"The trust list for {trust.title} says that {names} signed it. That was not checked: no authority's key was given."
        )
    keys = trusted_keys(trust, origin)
    if not keys:
        listed.wrong("trustForeign", CHECKPOINT, f"the log {origin or '(unnamed)'} is not in the trust list")
        return [signed, listed.failed("The export is of none of the logs in the trust list.")]
    try:
        if folder.read(VERIFIER_KEY, MOST_NOTE_BYTES) != key_document(keys[0]):
            listed.wrong("keyForeign", VERIFIER_KEY, "is not the key that the trust list has for this log")
    except FileError as error:
        listed.findings.append(error.finding())
    return [signed, listed.answered(f"The log {origin} and its key {keys[0].key_id.hex()} are in the trust list.")]


def check_package_trusted(trust: TrustList | None, package: ElectionPackage | None) -> Check:
    """Whether the authority vouches for what the sheets were read with."""
    question = Question("packageTrusted")
    if trust is None or package is None:
        return question.unanswered("Whether the authority knows the election package was not checked.")
    identity, file = package.identity(), PACKAGE if package.election is None else ELECTION
    if identity != trust.ballot_hash:
        question.wrong("packageForeign", file, f"is for ballots {identity}, not for {trust.ballot_hash}")
    if not trust.packages:
        return question.unanswered("The trust list does not say with which election packages sheets may be read.")
    if package.sha256() not in trust.packages:
        question.wrong(
            "packageForeign", file, f"with its settings is package {package.sha256().hex()}, not one of the trust list"
        )
    return question.answered(f"The election package {package.sha256().hex()} is in the trust list.")
