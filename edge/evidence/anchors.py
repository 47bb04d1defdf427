"""What the device remembers beside its key: the last checkpoint that it signed, and which media are up to date.

An old copy of a medium, or an emptied one, is a true beginning of the log. Going on from it would contradict what was signed, or
count less than was told. These files are on the device itself, so that it notices.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence

import rfc8785

from edge.evidence.keys.key_folder import KeyFileError, KeyFolder
from edge.evidence.store import StoreError
from edge.evidence.tlog.checkpoint import open_checkpoint
from edge.evidence.tlog.merkle import root_of
from edge.evidence.tlog.note import NoteError, VerifierKey

_LATEST = "latest-log"


class Anchors:
    """The memory of one log.

    Args:
        folder: The key folder, open.
        verifier: The log's key; its name is the log's.

    Raises:
        KeyFileError: keyUnavailable and the like, from every method.
    """

    def __init__(self, folder: KeyFolder, verifier: VerifierKey) -> None:
        self._folder = folder
        self._verifier = verifier
        self._label = hashlib.sha256(verifier.name.encode()).hexdigest()[:32]

    def remember(self, checkpoint: bytes) -> None:
        """Make a signed checkpoint durable, before anybody else sees it."""
        self._folder.replace(f"anchor-{self._label}", checkpoint)

    def is_known(self) -> bool:
        """Whether a checkpoint of this log was ever signed."""
        return self._read(f"anchor-{self._label}") is not None

    def check(self, leaves: Sequence[bytes]) -> None:
        """Hold a log against the last checkpoint.

        Raises:
            StoreError: logBehind when the log is not a continuation of it.
        """
        note = self._read(f"anchor-{self._label}")
        if note is None:
            return
        try:
            signed = open_checkpoint(note, [self._verifier])
        except NoteError as error:
            raise StoreError("keyForeign", f"the last checkpoint beside the key is not this key's: {error.detail}") from error
        if len(leaves) < signed.size or root_of(leaves[: signed.size]) != signed.root:
            raise StoreError(
                "logBehind",
                f"this device has signed a log of {signed.size} entries, of which this one, of {len(leaves)}, is no continuation",
            )

    def former(self) -> str:
        """The last checkpoint of the log that this device kept before this one; empty if there was none."""
        latest = self._read(_LATEST)
        if latest is None or latest.decode() == self._label:
            return ""
        return (self._read(f"anchor-{latest.decode()}") or b"").decode()

    def make_latest(self) -> None:
        """Note that this is the log that the device keeps now."""
        if self._read(_LATEST) != self._label.encode():
            self._folder.replace(_LATEST, self._label.encode())

    def current_media(self) -> frozenset[str] | None:
        """The numbers of the media that are up to date; None when none were noted yet."""
        noted = self._read(f"media-{self._label}")
        if noted is None:
            return None
        try:
            return frozenset(str(number) for number in json.loads(noted))
        except (ValueError, TypeError) as error:
            raise StoreError("storeCorrupt", "the list of media beside the key is damaged") from error

    def note_media(self, numbers: Sequence[str]) -> None:
        """Make durable which media are up to date from here on."""
        self._folder.replace(f"media-{self._label}", rfc8785.dumps(sorted(numbers)))

    def _read(self, name: str) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            try:
                return self._folder.read(name)
            except KeyFileError as error:
                if error.code != "keyMissing":
                    raise
        return None
