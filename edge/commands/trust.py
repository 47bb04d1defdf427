"""`scrutineer trust`: the authority's key, and the list of stations that it vouches for."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from pathlib import Path

from edge.commands.error import CommandError
from edge.commands.keys import station_facts, write_facts, write_file
from edge.evidence.keys.authority_key import is_authority_name, load_authority_key, make_authority_key
from edge.evidence.keys.enrolment import MOST_ENROLMENT_BYTES, Enrolment, fingerprint, parse_enrolment
from edge.evidence.keys.error import EnrolmentError, KeyFileError, TrustError
from edge.evidence.keys.trust import TrustList, countersign, make_trust_list, open_trust_list
from edge.evidence.tlog.note import MOST_NOTE_BYTES, NoteError, VerifierKey

EXIT_CHECKED = 0
EXIT_NOT_CHECKED = 3


def run_trust_make_key(arguments: argparse.Namespace) -> int:
    """Make an authority's key; write what is to be published to stdout, and give the exit status.

    Args:
        arguments: `file` (the path of the new file), `name` (the authority's name).

    Raises:
        CommandError: `badUse`, and the codes of `KeyFileError`.
    """
    path: Path = arguments.file
    if not is_authority_name(arguments.name):
        raise CommandError(
            "badUse", f"--name takes letters, digits, dots and hyphens, such as authority.example.org, not {arguments.name!r}"
        )
    try:
        verifier = make_authority_key(path, arguments.name)
    except KeyFileError as error:
        raise CommandError(error.code, error.detail) from error
    write_file(f"{verifier.text}\n".encode())
    facts = [
        ("authority", verifier.name),
        ("fingerprint", fingerprint(verifier)),
        ("private key", str(path)),
        ("", "Publish the line above, the verifier key, on paper or wherever auditors trust it."),
        ("", "Keep the file where nobody else reaches it, best on a machine without a network, and keep a copy in a safe."),
    ]
    write_facts(facts, sys.stderr)
    return 0


def run_trust_sign(arguments: argparse.Namespace) -> int:
    """Sign a trust list: a new one of enrolments, or one that there is; write it to stdout, and what was signed to stderr.

    Args:
        arguments: `key` (the path of the authority's key), `enrolments` (paths), `add` (the path of a list that gets one more
            signature, or None; then the enrolments, if any, have to be those of the list).

    Returns:
        The exit status.

    Raises:
        CommandError: `badUse`, `fileNotFound`, `fileUnreadable`, and the codes of `KeyFileError`, `EnrolmentError` and
            `TrustError`; nothing is written then.
    """
    if not arguments.enrolments and arguments.add is None:
        raise CommandError("badUse", "trust sign takes enrolments, or --add and a list, or both")
    enrolments = [_enrolment(path) for path in arguments.enrolments]
    listed = None if arguments.add is None else _read_file(arguments.add, MOST_NOTE_BYTES)
    try:
        signer = load_authority_key(arguments.key)
        signed = make_trust_list(enrolments, signer) if listed is None else countersign(listed, signer, enrolments)
        read = open_trust_list(signed, [signer.verifier])
    except (KeyFileError, TrustError) as error:
        raise CommandError(error.code, error.detail) from error
    write_file(signed)
    facts = _list_facts(read) if listed is not None and not enrolments else _enrolled_facts(read, enrolments)
    facts.append(("signed by", f"{signer.name}, fingerprint {fingerprint(signer.verifier)}"))
    facts += [("also signed by", f"{name} (not checked here)") for name in read.names[:-1]]
    facts.append(
        ("", "Compare each fingerprint with the one that was written down at the station. If one differs, destroy the list.")
    )
    write_facts(facts, sys.stderr)
    return 0


def run_trust_show(arguments: argparse.Namespace) -> int:
    """Write to stdout what a trust list says and who has signed it; give the exit status.

    Args:
        arguments: `file` (the path of the list), `authority` (verifier keys as text, or None).

    Returns:
        0 every given authority has signed it, 3 one of them has not, or none was given.

    Raises:
        CommandError: `badUse`, `fileNotFound`, `fileUnreadable`, and the codes of `TrustError`.
    """
    known = [_authority(text) for text in arguments.authority or ()]
    raw = _read_file(arguments.file, MOST_NOTE_BYTES)
    try:
        read = open_trust_list(raw, known)
    except TrustError as error:
        raise CommandError(error.code, error.detail) from error
    facts = _list_facts(read)
    facts += [("signed by", f"{key.name}, fingerprint {fingerprint(key)}") for key in read.signed_by]
    lacking = [key for key in known if key not in read.signed_by]
    facts += [("not signed by", f"{key.name}, fingerprint {fingerprint(key)}") for key in lacking]
    if not read.checked:
        facts += [("claimed by", name) for name in read.names]
        facts.append(("NOT CHECKED", "no authority's key was given (--authority): anyone can have made this list"))
    write_facts(facts, sys.stdout)
    return EXIT_CHECKED if read.checked and not lacking else EXIT_NOT_CHECKED


def _list_facts(read: TrustList) -> list[tuple[str, str]]:
    facts = [("election", f"{read.ballot_hash} {read.title}"), *(("package", package.hex()) for package in read.packages)]
    for log in read.logs:
        facts += [("log", log.name), ("  fingerprint", fingerprint(log))]
    return facts


def _enrolled_facts(read: TrustList, enrolments: list[Enrolment]) -> list[tuple[str, str]]:
    facts = [("election", f"{read.ballot_hash} {read.title}"), *(("package", package.hex()) for package in read.packages)]
    for enrolment in sorted(enrolments, key=lambda one: one.log.name):
        facts += station_facts(enrolment)
    if len({enrolment.software for enrolment in enrolments}) > 1:
        facts.append(("NOTE", "the stations do not all run the same software"))
    return facts


def _enrolment(path: Path) -> Enrolment:
    content = _read_file(path, MOST_ENROLMENT_BYTES)
    try:
        return parse_enrolment(content)
    except EnrolmentError as error:
        raise CommandError(error.code, f"{str(path)!r}: {error.detail}") from error


def _authority(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except NoteError as error:
        raise CommandError("badUse", f"--authority takes a verifier key as `trust make-key` wrote it: {error.detail}") from error


def _read_file(path: Path, limit: int) -> bytes:
    """The bytes of a file, at most one more than the limit, which whoever parses them refuses."""
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CommandError("fileUnreadable", f"{str(path)!r} is not a regular file")
            return file.read(limit + 1)
    except FileNotFoundError as error:
        raise CommandError("fileNotFound", f"there is no file {str(path)!r}") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error
