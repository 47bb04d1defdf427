"""Evidence in memory for the tests of exports and of their verification.

A made-up election, sheets that were printed, marked, scanned and read, a real log, real keys. What is made from the same
arguments is the same, byte for byte.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.audit import content
from edge.decision import DispositionKind
from edge.definition.election import load_election
from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind, StoredSheet
from edge.evidence.clock import Reading
from edge.evidence.entry import entry_bytes
from edge.evidence.events import LogEvent
from edge.evidence.sheet_files import sheet_files
from edge.evidence.tlog import minisign
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.merkle import leaf_hash, root_of
from edge.evidence.tlog.note import Ed25519Signer, VerifierKey, sign_note
from edge.station.sheet import sheet_reader
from firmware_bridge.scanner import SheetImages
from hil.paper.election import make_election
from hil.paper.scan import scan
from hil.paper.truth import CAREFUL, ORDINARY, random_marked_sheet

SOFTWARE = "scrutineer-edge 0.1.0"
DEVICE = "scan.example.org/0001"
VOTERS = 12
"""Different voters of a kind; reading their sheets is what takes the time, so after them they come again, under other ids."""
MORNING = datetime(2026, 11, 3, 6, 30, tzinfo=UTC)
_SIGNED_AFTER = {
    "logOpened",
    "stationStarted",
    "stationStopped",
    "zeroCheck",
    "pollsOpened",
    "pollsPaused",
    "pollsClosed",
    "exportBegun",
}


@dataclass(frozen=True, slots=True)
class FakeArchive:
    """Keeps `edge.evidence.archive.Archive`; `dataclasses.replace` makes evidence of which a part is wrong."""

    signer: Ed25519Signer
    package: ElectionPackage
    entries: Sequence[bytes]
    leaves: Sequence[bytes]
    checkpoints: Mapping[int, bytes]
    closed: bool
    kept: Mapping[SheetKind, tuple[StoredSheet, ...]] = field(default_factory=dict)
    notes: Mapping[SheetKind, bytes] = field(default_factory=dict)
    software: str = SOFTWARE

    @property
    def origin(self) -> str:
        return self.signer.name

    @property
    def verifier(self) -> VerifierKey:
        return self.signer.verifier

    def sheets(self, kind: SheetKind) -> Iterator[StoredSheet]:
        return iter(self.kept.get(kind, ()) if self.closed else ())

    def set_note(self, kind: SheetKind) -> bytes:
        if not self.closed:
            raise ValueError("the polls are not closed")
        return self.notes[kind]

    def sign_manifest(self, manifest: bytes) -> bytes:
        return minisign.sign(manifest, self.signer.private, f"export of {self.origin} with {len(self.entries)} entries")


def archive(
    *,
    cast: int = 2,
    returned: int = 1,
    closed: bool = True,
    device: str = DEVICE,
    seed: int = 1,
    settings: bytes | None = None,
    more: Sequence[LogEvent] = (),
) -> FakeArchive:
    """The evidence of a small election day.

    Args:
        cast: Ballots in the box, more than `VOTERS` if wished. The second, fifth, ... were held and cast by a person.
        returned: Kept sheets that went back. The first is a readable one that a person returned, the second one is foreign.
        closed: Whether the polls were closed for good. The log of a day that is not closed is a beginning of the closed one's but
            for its last entry: put `exportBegun` into `more` to make both exports of one log.
        device: Its name.
        seed: Of the election; another seed is another election. The key follows from the device alone.
        settings: The system settings file.
        more: Events that come before the close, such as an earlier `exportBegun`.
    """
    package = ElectionPackage(_election(seed), settings)
    label = package.definition().ballot_hash.hex()
    log = FakeLog(signer(device, label))
    log.begin(package)
    log.add(LogEvent("zeroCheck"), LogEvent("pollsOpened", {"count": 0}))
    sheets = {
        SheetKind.CAST: _sheets(seed, settings, cast, SheetKind.CAST),
        SheetKind.RETURNED: _sheets(seed, settings, returned, SheetKind.RETURNED),
    }
    for number in range(returned):
        log.add(LogEvent("sheetReturned", {"why": "person" if number % 2 == 0 else "rejected"}))
    for number in range(cast):
        log.add(LogEvent("sheetAccepted", {"count": number + 1}))
    log.add(LogEvent("pollsPaused", {"count": cast}), *more)
    notes: dict[SheetKind, bytes] = {}
    if closed:
        notes = log.close(package, sheets)
    log.add(LogEvent("exportBegun", {"kind": "closed" if closed else "interim"}))
    return log.archive(package, sheets, notes, closed=closed)


def tiny() -> FakeArchive:
    """Two cast sheets and a returned one."""
    return archive()


def with_software(made: FakeArchive, software: str) -> FakeArchive:
    """The same evidence, exported by other software than made it."""
    return replace(made, software=software)


@cache
def signer(device: str, label: str) -> Ed25519Signer:
    """The log's key: one per device, under the name of the log."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"key of {device}".encode()).digest())
    return Ed25519Signer(f"{device}/{label}", private)


class FakeLog:
    """A log that grows by three seconds an entry, and whose checkpoints are signed as the station signs them."""

    def __init__(self, log_signer: Ed25519Signer) -> None:
        self.signer = log_signer
        self.entries: list[bytes] = []
        self.leaves: list[bytes] = []
        self.checkpoints: dict[int, bytes] = {}
        self._boot = str(uuid.UUID(int=Random(log_signer.name).getrandbits(128), version=4))

    def begin(self, package: ElectionPackage) -> None:
        """The first two entries."""
        self.add(
            LogEvent(
                "logOpened",
                {
                    "origin": self.signer.name,
                    "key": self.signer.verifier.text,
                    "software": SOFTWARE,
                    "softwareSha256": "5c" * 32,
                    "packageSha256": package.sha256().hex(),
                    "formerLog": "",
                    "box": "0b" * 16,
                },
            ),
            LogEvent("stationStarted", {"software": SOFTWARE, "softwareSha256": "5c" * 32, "count": 0}),
        )

    def add(self, *events: LogEvent) -> None:
        """Write events."""
        for event in events:
            number = len(self.entries)
            moment = MORNING + timedelta(seconds=3 * number)
            clock = Reading(
                self._boot,
                60_000 + 3_000 * number,
                moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                int(moment.timestamp() * 1000),
                "synchronised",
            )
            entry = entry_bytes(event, number, clock)
            self.entries.append(entry)
            self.leaves.append(leaf_hash(entry))
            if event.id in _SIGNED_AFTER:
                self.sign()

    def sign(self) -> None:
        """Sign a checkpoint over all that is there."""
        size = len(self.entries)
        self.checkpoints[size] = sign_note(Checkpoint(self.signer.name, size, root_of(self.leaves)).text, self.signer)

    def close(self, package: ElectionPackage, sheets: Mapping[SheetKind, Iterable[StoredSheet]]) -> dict[SheetKind, bytes]:
        """Write `pollsClosed` and give the signed notes over both sets."""
        election = package.definition()
        test_mode = content.is_test(self.signer.name, package, election)
        party = content.party_of(self.signer.name, json.loads(self.entries[0]), test_mode=test_mode)
        leaves = {kind: list(content.set_leaves(kind, sheets[kind], party, election)) for kind in sheets}
        roots = {kind: base64.b64encode(root_of(found)).decode() for kind, found in leaves.items()}
        self.add(
            LogEvent(
                "pollsClosed",
                {
                    "count": len(leaves[SheetKind.CAST]),
                    "returned": len(leaves[SheetKind.RETURNED]),
                    "castRoot": roots[SheetKind.CAST],
                    "returnedRoot": roots[SheetKind.RETURNED],
                },
            )
        )
        return {kind: sign_note(content.set_text(self.signer.name, kind, found), self.signer) for kind, found in leaves.items()}

    def archive(
        self,
        package: ElectionPackage,
        sheets: Mapping[SheetKind, tuple[StoredSheet, ...]],
        notes: Mapping[SheetKind, bytes],
        *,
        closed: bool,
    ) -> FakeArchive:
        """The evidence as it is now."""
        if len(self.entries) not in self.checkpoints:
            self.sign()
        kept = sheets if closed else {}
        return FakeArchive(
            self.signer, package, tuple(self.entries), tuple(self.leaves), dict(self.checkpoints), closed, kept, notes
        )


@cache
def _election(seed: int) -> bytes:
    return make_election(seed, density="sparse", styles=2)


@cache
def _sheets(seed: int, settings: bytes | None, count: int, kind: SheetKind) -> tuple[StoredSheet, ...]:
    """Sheets sorted by id; the ids are random, and with them the order of the voters."""
    ids = Random(f"{seed} {kind}")
    made = []
    for number in range(count):
        files = _read(seed, settings, _wanted(kind, number), number % VOTERS)
        made.append(StoredSheet(str(uuid.UUID(int=ids.getrandbits(128), version=4)), kind, files))
    return tuple(sorted(made, key=lambda sheet: sheet.id))


def _wanted(kind: SheetKind, number: int) -> DispositionKind:
    if kind is SheetKind.CAST:
        return "hold" if number % 3 == 1 else "accept"
    return "return" if number % 2 else "hold"


@cache
def _read(seed: int, settings: bytes | None, wanted: DispositionKind, voter: int) -> Mapping[str, bytes]:
    """The files of a sheet with this disposition: of the first voter from this one on whose sheet has it."""
    package = ElectionPackage(_election(seed), settings)
    election = package.definition()
    rules = package.system_settings(election)
    read = sheet_reader(election, rules)
    # A sheet of another election is refused.
    printed_for = load_election(_election(seed + 1)) if wanted == "return" else election
    electorate = ORDINARY if wanted == "hold" else CAREFUL
    for tried in range(1000 * seed + 50 * voter, 1000 * seed + 50 * voter + 50):
        marked = random_marked_sheet(printed_for, tried, electorate=electorate, test_mode=rules.test_mode is True)
        pair = scan(marked, seed=tried)
        reading = read(SheetImages(pair.top.pixels, pair.bottom.pixels, pair.dpi))
        if reading.disposition.kind == wanted:
            return sheet_files(reading)
    raise ValueError(f"no voter fills in a sheet to {wanted}")
