"""`scrutineer status`: ask the station on this machine how it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.commands.error import CommandError
from edge.station.config_sections import RUNTIME_DIRECTORY
from edge.station.signals import Signal
from edge.station.status import StatusDocument, StatusError, follow_status, read_status

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

DEFAULT_SOCKET = RUNTIME_DIRECTORY / "status.sock"
EXIT_WORKING = 0
EXIT_NEEDS_A_PERSON = 3

_NEED_A_PERSON = frozenset(
    {Signal.REVIEW, Signal.WHEREABOUTS, Signal.JAMMED, Signal.COVER_OPEN, Signal.FAULT, Signal.DISCONNECTED}
)


def run(arguments: argparse.Namespace) -> int:
    """Print how the station is, and give the exit status: 0 it waits or works, 3 it needs a person.

    Args:
        arguments: `socket` (a path, or None for the usual one), `follow` (print every change until the station ends), `json`.

    Raises:
        CommandError: `statusUnreachable`, `statusUnreadable`.
    """
    path: Path = arguments.socket or DEFAULT_SOCKET
    needs_a_person = False
    try:
        for document in follow_status(path) if arguments.follow else [read_status(path)]:
            print_document(document, json=arguments.json)
            needs_a_person = document.signal in _NEED_A_PERSON
    except StatusError as error:
        raise CommandError(error.code, error.detail) from error
    return EXIT_NEEDS_A_PERSON if needs_a_person else EXIT_WORKING


def print_document(document: StatusDocument, *, json: bool) -> None:
    """Write one document to stdout, as the station sent it or as a table."""
    text = document.to_json() + "\n" if json else status_table(document) + "\n\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def status_table(document: StatusDocument) -> str:
    """The document as a person reads it, without a line break at the end."""
    lit = [name for name, is_lit in document.lamps.items() if is_lit]
    state = document.state if document.reason is None else f"{document.state} ({document.reason})"
    rows = [
        ("state", f"{state}, for {_length(document.since_ms)}"),
        ("", document.sentence),
        ("panel", f"{document.signal}; lit: {', '.join(lit) or 'nothing'}"),
        ("polls", document.polls),
        ("accepted", f"{document.count} sheets" + (f", {document.tally_sheets} tally sheets" * bool(document.tally_sheets))),
        ("scanner", _facts(document.scanner) or "none"),
        ("last sheet", _facts(document.last_sheet) or "none"),
        ("problems", ", ".join(document.problems) or "none"),
        ("software", f"{document.software}, running for {_length(document.uptime_ms)}"),
    ]
    return "\n".join(f"{_printable(name):<12}{_printable(text)}".rstrip() for name, text in rows)


def _facts(values: Mapping[str, object] | None) -> str:
    return ", ".join(f"{name} {_fact(value)}" for name, value in (values or {}).items())


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return _joined(value)
    return "none" if value is None else str(value)


def _joined(values: Iterable[object]) -> str:
    return " ".join(str(value) for value in values) or "none"


def _printable(text: str) -> str:
    """A station's words cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _length(milliseconds: int) -> str:
    """A length of time, in the two units that say enough: 3 s, 4 min 10 s, 2 h 5 min, 3 d 2 h."""
    seconds = max(0, milliseconds) // 1000
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    if minutes:
        return f"{minutes} min {seconds % 60} s"
    return f"{seconds} s"
