"""What the model tells whoever runs it, in the order in which it happens."""

from __future__ import annotations

from dataclasses import dataclass

from hil.scanner.paper import Place


@dataclass(frozen=True, slots=True)
class Said:
    """An answer or an event; `body` without its frame."""

    body: bytes

    @property
    def event(self) -> str | None:
        """The two characters of an event; None for an answer."""
        return self.body[1:].decode("ascii") if self.body[:1] == b"#" else None


@dataclass(frozen=True, slots=True)
class Pixels:
    """A piece of the image; `offset`: its first byte's place in the image."""

    data: memoryview
    offset: int


@dataclass(frozen=True, slots=True)
class ImageOver:
    """No more pixels of this image come."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A command will be carried out next; `body` as in its packet."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Moved:
    """A sheet has come to a place."""

    sheet: str
    place: Place


@dataclass(frozen=True, slots=True)
class Presence:
    """The scanner's USB side came up (True), or went down (False) and forgot what was to be read."""

    online: bool


Notice = Said | Pixels | ImageOver | Heard | Moved | Presence
