"""All that an export is made of, as the evidence gives it: read-only, the same for the station's own and for a test's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.definition.package import ElectionPackage
from edge.evidence.tlog.note import VerifierKey


class SheetKind(StrEnum):
    """What became of a kept sheet."""

    CAST = "cast"
    """A ballot that is in the box and counts."""
    RETURNED = "returned"
    """It went back by a decision of the station or of a person; it counts nowhere."""
    TALLY = "tally"
    """A tally sheet that is in the box. It carries no voter: the log names its record, in the order in which it came."""


def kinds_of(package: ElectionPackage) -> tuple[SheetKind, ...]:
    """The kinds of which there are sets: tally sheets only where forms are read."""
    return tuple(kind for kind in SheetKind if kind is not SheetKind.TALLY or package.forms)


@dataclass(frozen=True, slots=True)
class StoredSheet:
    """A kept sheet. `id`: a random UUID version 4 in its usual text form; `files`: see `edge.evidence.sheet_files`."""

    id: str
    kind: SheetKind
    files: Mapping[str, bytes]


class Archive(Protocol):
    """The evidence of one election on one device, at one moment.

    Attributes:
        origin: The log's name, and the name of the key that signs it.
        verifier: That key.
        software: Who made it all, as `scrutineer-edge 0.1.0`.
        package: What the sheets were read with.
        entries: The log's entries in order, canonical JSON each.
        leaves: Their leaf hashes.
        checkpoints: Every signed checkpoint by its size; the one of the log's present size is among them.
        closed: Whether the polls are closed for good; only then there are sheets.
    """

    @property
    def origin(self) -> str:
        """The log's name."""

    @property
    def verifier(self) -> VerifierKey:
        """The key that signs the log."""

    @property
    def software(self) -> str:
        """Software that made it all."""

    @property
    def package(self) -> ElectionPackage:
        """What the sheets were read with."""

    @property
    def entries(self) -> Sequence[bytes]:
        """The log's entries in order."""

    @property
    def leaves(self) -> Sequence[bytes]:
        """Their leaf hashes."""

    @property
    def checkpoints(self) -> Mapping[int, bytes]:
        """Every signed checkpoint by its size."""

    @property
    def closed(self) -> bool:
        """Whether the polls are closed for good."""

    def sheets(self, kind: SheetKind) -> Iterator[StoredSheet]:
        """The kept sheets of a kind, sorted by id; may be asked for several times. Empty while the polls are not closed."""

    def set_note(self, kind: SheetKind) -> bytes:
        """The signed note over the set of sheets of a kind; a ValueError while the polls are not closed."""

    def sign_manifest(self, manifest: bytes) -> bytes:
        """The minisign signature file of a manifest."""
