"""How the evidence is opened: the keys, the media that are there, the one that leads, and the others brought into line."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.definition.canonical_json import canonical_bytes
from edge.definition.package import ElectionPackage
from edge.evidence.anchors import Anchors
from edge.evidence.ballot_box import BOX_BYTES, BallotBox
from edge.evidence.clock import Clock
from edge.evidence.entry import entry_bytes
from edge.evidence.event_log import Change, EventLog, LogState
from edge.evidence.events import LogEvent
from edge.evidence.folder import make_folder
from edge.evidence.keys.day_key import load_day_key, make_day_key
from edge.evidence.keys.device_key import load_device_key, make_device_key
from edge.evidence.keys.key_folder import KeyFileError, KeyFolder
from edge.evidence.medium import LOG_FILE, MEDIUM, BoxShape, Medium, make_medium, open_medium
from edge.evidence.recovery import align_boxes, sheet_from
from edge.evidence.store import Polls, StoreError
from edge.evidence.tlog.merkle import Frontier, leaf_hash
from edge.evidence.tlog.note import Ed25519Signer

NAMES = ("first", "second")


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """Where and how the evidence is kept.

    Attributes:
        media: One or two folders. The first is made if it is missing; the second must be there, so that a medium that is not
            plugged in is not mistaken for a new one.
        keys: The folder of the keys.
        device: Name of the device in all notes, such as `scan.example.org/0001`; None = one made from its key.
        label: Names the election: its folder on each medium, and the end of the log's name.
        shape: Size of the ballot box.
        reserve: Bytes that must stay free on a medium for the log.
        visiting: Whether another process is the station: then nothing is made where there is nothing, and opening leaves no
        event.
    """

    media: tuple[Path, ...]
    keys: Path
    device: str | None
    label: str
    shape: BoxShape = field(default=BoxShape(cast=2000, returned=200, slot_bytes=512 << 10))
    reserve: int = 64 << 20
    visiting: bool = False


@dataclass(slots=True, eq=False)
class Opened:
    """Open evidence.

    Attributes:
        media: The media that are up to date, at least one, the one that led first.
        state: The running state.
        frontier: The log's tree.
        signed: Entries under the last checkpoint.
        signer: The device key under the log's name.
        anchors: What the device remembers of the log.
        keys: The key folder.
        lost: Names of the media that are configured and not in use.
        caught_up: Names of the media that had to be brought up to date.
        low: Names of the media that are nearly full.
        signed_at: When the last checkpoint was signed, monotonic milliseconds.
        offset_ms: Wall clock less monotonic clock, as last seen.
    """

    media: list[Medium]
    state: LogState
    frontier: Frontier
    signed: int
    signer: Ed25519Signer
    anchors: Anchors
    keys: KeyFolder
    lost: list[str]
    caught_up: list[str]
    low: set[str] = field(default_factory=set)
    signed_at: int = 0
    offset_ms: int = 0

    def close(self) -> None:
        """Let go of the media."""
        for medium in self.media:
            medium.close()


def open_evidence(
    settings: EvidenceSettings,
    package: ElectionPackage,
    software: tuple[str, bytes],
    clock: Clock,
    progressed: Callable[[], None],
) -> Opened:
    """Open what is there, or begin where there is nothing.

    Raises:
        StoreError: why not.
        KeyFileError: why the keys do not allow it.
    """
    return _Opening(settings, package, software, clock, progressed).open()


class _Opening:
    def __init__(
        self,
        settings: EvidenceSettings,
        package: ElectionPackage,
        software: tuple[str, bytes],
        clock: Clock,
        progressed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._package = package
        self._software = software
        self._clock = clock
        self._progressed = progressed
        self._keys = KeyFolder(settings.keys)
        self._folders = {name: base / settings.label for name, base in zip(NAMES, settings.media, strict=False)}

    def open(self) -> Opened:
        self._keys.open(create=not self._settings.visiting)
        self._signer = log_signer(self._settings, device_key(self._settings, self._keys))
        self._anchors = Anchors(self._keys, self._signer.verifier)
        there: list[Medium] = []
        media: list[Medium] = []
        try:
            fresh, failed = self._look(there)
            if there:
                caught_up = self._resume(there, fresh, failed, media)
            else:
                caught_up = []
                self._begin(fresh, failed, media)
            self._anchors.note_media([medium.number for medium in media])
            return self._opened(media, caught_up)
        except BaseException:
            for medium in (*there, *media):
                medium.close()
            raise

    def _opened(self, media: list[Medium], caught_up: list[str]) -> Opened:
        log = media[0].log
        lost = [name for name in self._folders if name not in {medium.name for medium in media}]
        signed = max(log.checkpoints(), default=0)
        return Opened(
            media, log.state(), Frontier.of(log.leaves()), signed, self._signer, self._anchors, self._keys, lost, caught_up
        )

    def _look(self, there: list[Medium]) -> tuple[list[str], dict[str, StoreError]]:
        """Put into `there` the media with this election's log; gives those without, and those that cannot be used."""
        fresh: list[str] = []
        failed: dict[str, StoreError] = {}
        for name, folder in self._folders.items():
            try:
                self._find(name, folder.parent)
                medium = open_medium(name, folder, self._box_of)
            except StoreError as error:
                failed[name] = error
                continue
            if medium is None:
                fresh.append(name)
            else:
                there.append(medium)
        return fresh, failed

    def _find(self, name: str, base: Path) -> None:
        """The folder of a medium. Only the first is made: a second that is not there is not plugged in."""
        try:
            if name == NAMES[0] and not self._settings.visiting:
                make_folder(base)
            if not base.is_dir():
                raise StoreError("storeUnavailable", f"there is no folder {base}")
        except OSError as error:
            raise StoreError("storeUnavailable", f"{base}: {error.strerror}") from error

    def _box_of(self, log: EventLog) -> tuple[bytes, bytes | None]:
        """Hold a log against the key and the election, and give its box's number and key."""
        if log.fact("key") != self._signer.verifier.text.encode():
            raise StoreError("keyForeign", "the evidence was begun with another key or by another device")
        facts = _package_facts(self._package)
        if {name: log.fact(name) for name in facts} != facts:
            raise StoreError(
                "packageChanged",
                "the evidence was begun with another election definition, other settings, another hash, or other forms",
            )
        try:
            key = load_day_key(self._keys, day_key_label(self._settings.label)).material()
        except KeyFileError as error:
            if error.code != "keyMissing" or log.state().polls is not Polls.CLOSED:
                raise StoreError(error.code, f"the key of the ballot box: {error.detail}") from error
            return log.fact("box") or b"", None
        return log.fact("box") or b"", key

    def _resume(self, there: list[Medium], fresh: list[str], failed: dict[str, StoreError], media: list[Medium]) -> list[str]:
        """Put into `media` what can go on, the leading one first; gives the names of those that had to be brought up to date."""
        current = self._anchors.current_media()
        leaders = [medium for medium in there if current is None or medium.number in current]
        if not leaders:
            raise StoreError("mediumBehind", "only a medium is here that was left behind; plug in the one that went on")
        leader = max(leaders, key=lambda medium: medium.log.state().revision)
        self._anchors.check(leader.log.leaves())
        media.append(leader)
        caught_up: list[str] = []
        for medium in (medium for medium in there if medium is not leader):
            try:
                if self._joins(medium, leader, is_current=medium in leaders):
                    caught_up.append(medium.name)
            except StoreError as error:
                failed[medium.name] = error
                medium.close()
                continue
            media.append(medium)
        self._align(media, failed)
        if media[0].box is not None and not self._settings.visiting:
            for name in fresh:
                try:
                    media.append(self._copy(name, media))
                except StoreError as error:
                    failed[name] = error
                else:
                    caught_up.append(name)
        return [name for name in caught_up if name in {medium.name for medium in media}]

    def _joins(self, medium: Medium, leader: Medium, *, is_current: bool) -> bool:
        """Bring the log of a medium up to date; whether it was not. A StoreError when it cannot be used beside the leader."""
        if medium.number == leader.number:
            raise StoreError("storeForeign", f"{medium.folder} is a copy of the other medium; empty it, so that it is made anew")
        if is_current:
            return medium.log.catch_up(leader.log)
        if self._settings.visiting:
            # The station does not write to it, so it must not pass for up to date.
            raise StoreError("mediumBehind", f"{medium.folder} was left behind; the station brings it up to date")
        if medium.box is not None:
            # What it has not settled became of something while it was away.
            for slot in [slot for slot, entry in medium.box.entries.items() if not entry.settled]:
                medium.box.wipe(slot)
        return medium.log.catch_up(leader.log)

    def _align(self, media: list[Medium], failed: dict[str, StoreError]) -> None:
        """Align the boxes; where that fails on both media, those of the first one that can go on alone."""
        state = media[0].log.state()
        if media[0].box is None:
            return
        try:
            align_boxes(media, state)
        except StoreError as error:
            for alone in media[:] if len(media) > 1 else ():
                try:
                    align_boxes([alone], state)
                except StoreError:
                    continue
                for medium in [medium for medium in media if medium is not alone]:
                    failed[medium.name] = error
                    medium.close()
                    media.remove(medium)
                return
            raise

    def _copy(self, name: str, media: list[Medium]) -> Medium:
        """Make a new medium that holds what the others hold."""
        leader = media[0]
        facts = leader.log.facts() | {MEDIUM: ssl.RAND_bytes(BOX_BYTES)}
        entries = leader.log.entries()
        change = Change(leader.log.state(), entries, leader.log.checkpoints(), leader.log.notes())
        pending: list[int] = []

        def sheets(box: BallotBox) -> None:
            for entry in sorted(leader.open_box().entries.values(), key=lambda entry: entry.id):
                slot = box.put(entry.id, entry.kind, sheet_from(media, entry.id))
                self._progressed()
                if entry.settled:
                    box.settle(slot)
                else:
                    pending.append(slot)

        medium = self._make(name, facts, change, sheets)
        medium.pending = pending[0] if pending else None
        return medium

    def _begin(self, fresh: list[str], failed: dict[str, StoreError], media: list[Medium]) -> None:
        """The first entry of a new log chains it to the former one, the software and the election."""
        # A medium that is only away may come later. One that is damaged, or not ours, has to be looked into first.
        wrong = [error for error in failed.values() if error.code != "storeUnavailable"]
        if wrong or not fresh:
            raise next(iter(wrong or failed.values()))
        if self._anchors.is_known():
            raise StoreError("logMissing", "this device has signed this election's log before, and no medium has it")
        if self._settings.visiting:
            raise StoreError("storeUnavailable", "there is no evidence of this election")
        try:
            make_day_key(self._keys, day_key_label(self._settings.label))
        except KeyFileError as error:
            # A cut while the evidence was made has left it.
            if error.code != "keyExists":
                raise
        box = ssl.RAND_bytes(BOX_BYTES)
        facts = {"key": self._signer.verifier.text.encode(), "box": box}
        facts |= {name: content for name, content in _package_facts(self._package).items() if content is not None}
        name, digest = self._software
        opened = LogEvent(
            "logOpened",
            {
                "origin": self._signer.verifier.name,
                "key": self._signer.verifier.text,
                "software": name,
                "softwareSha256": digest.hex(),
                "packageSha256": self._package.sha256().hex(),
                "formerLog": self._anchors.former(),
                "box": box.hex(),
            },
        )
        entry = entry_bytes(opened, 0, self._clock.read())
        for medium_name in fresh:
            try:
                change = Change(LogState(revision=1), [(entry, leaf_hash(entry))])
                media.append(self._make(medium_name, facts | {MEDIUM: ssl.RAND_bytes(BOX_BYTES)}, change, lambda _: None))
            except StoreError as error:
                failed[medium_name] = error
        if not media:
            raise next(iter(failed.values()))

    def _make(self, name: str, facts: Mapping[str, bytes], first: Change, sheets: Callable[[BallotBox], None]) -> Medium:
        return make_medium(
            name,
            self._folders[name],
            facts=facts,
            box=facts["box"],
            key=load_day_key(self._keys, day_key_label(self._settings.label)).material(),
            shape=self._settings.shape,
            first=first,
            sheets=sheets,
            progressed=self._progressed,
        )


def device_key(settings: EvidenceSettings, keys: KeyFolder) -> Ed25519PrivateKey:
    """The device's key, made on the first start; `keys` is open.

    Raises:
        KeyFileError: it cannot be used; or there is none, and the caller is a visitor.
        StoreError: keyMissing when evidence shows that there was one.
    """
    try:
        return load_device_key(keys)
    except KeyFileError as error:
        if error.code != "keyMissing" or settings.visiting:
            raise
        if any(path for base in settings.media for path in base.glob(f"*/{LOG_FILE}")):
            raise StoreError("keyMissing", "there is evidence, but not the key that signed it; put the key back") from error
    return make_device_key(keys)


def log_signer(settings: EvidenceSettings, private: Ed25519PrivateKey) -> Ed25519Signer:
    """The device's key under the name of its log of this election."""
    device = settings.device or device_name(private.public_key().public_bytes_raw())
    return Ed25519Signer(f"{device}/{settings.label}", private)


def device_name(public: bytes) -> str:
    """The name of a device that was given none: the beginning of its key's hash, under nobody's domain (RFC 2606)."""
    return f"scan.invalid/{hashlib.sha256(public).hexdigest()[:12]}"


def day_key_label(label: str) -> str:
    """The day key's label for an election's: any text as hex digits."""
    return hashlib.sha256(label.encode()).hexdigest()[:32]


def _package_facts(package: ElectionPackage) -> dict[str, bytes | None]:
    ballot_hash = None if package.ballot_hash is None else package.ballot_hash.encode()
    forms = canonical_bytes([hashlib.sha256(raw).hexdigest() for raw in package.forms]) if package.forms else None
    return {"election": package.election, "settings": package.settings, "ballotHash": ballot_hash, "forms": forms}
