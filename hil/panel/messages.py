"""What the emulated pin factory and the emulated panel say to each other: one JSON object a line.

The factory begins with one `Line` for every line it has, then tells every change. The panel tells what its contacts do. Times are
those of CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from edge.station.config_sections import MAX_BCM

MAX_LINE = 200
"""Bytes of a message with its newline."""
MAX_MS = 1 << 53
"""An end to times, far beyond any machine's."""


class MessageError(ValueError):
    """Bytes that are no message."""


@dataclass(frozen=True, slots=True)
class Line:
    """From the factory: a line of the chip is, or has become, like this.

    Attributes:
        number: BCM number.
        level: True = high; None = released: the line is an input.
        at_ms: when, in milliseconds.
    """

    number: int
    level: bool | None
    at_ms: int

    def to_bytes(self) -> bytes:
        """The message with its newline."""
        return _encoded({"line": self.number, "level": self.level, "at_ms": self.at_ms})


@dataclass(frozen=True, slots=True)
class Contact:
    """From the panel: a contact closes its line to ground, or opens again."""

    number: int
    closed: bool

    def to_bytes(self) -> bytes:
        """The message with its newline."""
        return _encoded({"contact": self.number, "closed": self.closed})


def parse_message(raw: bytes) -> Line | Contact:
    """Read one message.

    Args:
        raw: one line, with or without its newline.

    Raises:
        MessageError: if it is none, or longer than `MAX_LINE`.
    """
    if len(raw) > MAX_LINE:
        raise MessageError("too long")
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MessageError("not JSON") from error
    match message:
        case {"line": number, "level": bool() | None as level, "at_ms": at_ms, **rest} if not rest:
            return Line(_whole(number, MAX_BCM), level, _whole(at_ms, MAX_MS))
        case {"contact": number, "closed": bool() as closed, **rest} if not rest:
            return Contact(_whole(number, MAX_BCM), closed)
        case _:
            raise MessageError("not a message")


def _whole(value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise MessageError("a number is out of range")
    return value


def _encoded(message: dict[str, int | bool | None]) -> bytes:
    return json.dumps(message).encode() + b"\n"


class LineBuffer:
    """Cuts a stream into lines without ever holding more than one line's length of an unfinished one."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without their newlines.

        Raises:
            MessageError: if a line is longer than `MAX_LINE`.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) >= MAX_LINE:
            raise MessageError("too long")
        return lines
