"""`scrutineer keys enrol`: what a station gives to the authority before an election."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from edge.commands.error import CommandError
from edge.evidence.keys.enrolment import Enrolment, fingerprint, parse_enrolment
from edge.evidence.keys.error import EnrolmentError

if TYPE_CHECKING:
    from typing import TextIO


def run_enrol(enrolment: bytes) -> int:
    """Write an enrolment to stdout, and what it says to stderr; give the exit status.

    Args:
        enrolment: What `edge.evidence.keys.enrolment.make_enrolment` gave.

    Raises:
        CommandError: `enrolmentMalformed`, `enrolmentSignature`, before anything is written.
    """
    try:
        read = parse_enrolment(enrolment)
    except EnrolmentError as error:
        raise CommandError(error.code, error.detail) from error
    write_file(enrolment)
    advice = "Write the fingerprint down here, at the station: an official compares it with the one that `trust sign` shows."
    facts = [("election", f"{read.ballot_hash} {read.title}"), ("package", read.package.hex()), *station_facts(read)]
    write_facts([*facts, ("", advice)], sys.stderr)
    return 0


def station_facts(enrolment: Enrolment) -> list[tuple[str, str]]:
    """What an official compares for each station."""
    return [
        ("log", enrolment.log.name),
        ("  fingerprint", fingerprint(enrolment.log)),
        ("  software", enrolment.software.hex()),
    ]


def write_file(content: bytes) -> None:
    """Write the bytes of a file to stdout, whatever its encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def write_facts(facts: Iterable[tuple[str, str]], stream: TextIO) -> None:
    """Write named facts as a table, one a line; what does not show or cannot be written there is replaced."""
    encoding = stream.encoding or "utf-8"
    for name, text in facts:
        line = "".join(character if character.isprintable() else "?" for character in f"{name:<15}{text}".rstrip())
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
