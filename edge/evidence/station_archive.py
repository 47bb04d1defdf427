"""The station's own evidence as an archive: what an export is made of, up to the last signed checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind, StoredSheet
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import settled_ids
from edge.evidence.opening import Opened
from edge.evidence.recovery import sheet_from
from edge.evidence.sheet_files import unpack_files
from edge.evidence.store import Polls, StoreError
from edge.evidence.tlog import minisign
from edge.evidence.tlog.note import VerifierKey


def kept_sheets(evidence: Opened, kind: SheetKind) -> Iterator[StoredSheet]:
    """Every settled sheet of a kind, by id: in no order that says anything.

    Raises:
        StoreError: storeCorrupt when no medium has a sheet whole, pollsClosed when the key of the box was discarded.
    """
    for identity in sorted(settled_ids(evidence.media[0], kind)):
        try:
            files = unpack_files(sheet_from(evidence.media, identity))
        except ValueError as error:
            raise StoreError("storeCorrupt", f"a sheet in the box is not one: {error}") from error
        yield StoredSheet(str(identity), kind, files)


class StationArchive:
    """Keeps `edge.evidence.archive.Archive` over an open store: the log as it is now, and after the close the sheets.

    Raises:
        StoreError: the evidence is not open, or cannot be read.
    """

    def __init__(self, store: EvidenceStore, package: ElectionPackage) -> None:
        self._evidence = store.opened()
        self._package = package
        log = self._evidence.media[0].log
        # In this order: the station may write on, and what comes after the last checkpoint is not part of the archive.
        self._polls = log.state().polls
        self._notes = log.notes()
        self._checkpoints = log.checkpoints()
        entries = log.entries()[: max(self._checkpoints)]
        self._entries = [entry for entry, _ in entries]
        self._leaves = [leaf for _, leaf in entries]

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.verifier.name

    @property
    def verifier(self) -> VerifierKey:
        """The key that signs it."""
        return self._evidence.signer.verifier

    @property
    def software(self) -> str:
        """The software that began the log."""
        return str(json.loads(json.loads(self._entries[0])["Details"])["software"])

    @property
    def package(self) -> ElectionPackage:
        """What the sheets were read with."""
        return self._package

    @property
    def entries(self) -> Sequence[bytes]:
        """The log's entries in order."""
        return self._entries

    @property
    def leaves(self) -> Sequence[bytes]:
        """Their leaf hashes."""
        return self._leaves

    @property
    def checkpoints(self) -> Mapping[int, bytes]:
        """Every signed checkpoint by its size."""
        return self._checkpoints

    @property
    def closed(self) -> bool:
        """Whether the polls are closed for good."""
        return self._polls is Polls.CLOSED

    def sheets(self, kind: SheetKind) -> Iterator[StoredSheet]:
        """The kept sheets of a kind, sorted by id; none before the close."""
        return kept_sheets(self._evidence, kind) if self.closed else iter(())

    def set_note(self, kind: SheetKind) -> bytes:
        """The signed note over the set of sheets of a kind."""
        if not self.closed:
            raise ValueError("the polls are not closed")
        return self._notes[str(kind)]

    def sign_manifest(self, manifest: bytes) -> bytes:
        """The minisign signature of a manifest; its trusted comment names the log and its size."""
        comment = f"{self.origin} {len(self._entries)}"
        return minisign.sign(manifest, self._evidence.signer.private, comment)
