"""The auditor's machine as a witness: it remembers how far it has seen each log, and lets no log contradict itself.

Whoever holds a log's key can write the whole log anew; nobody can make a machine forget that has seen the old one. For each log
the witness keeps the last checkpoint with a cosignature of its own beneath (C2SP tlog-cosignature, type 0x04), in `<name>.state`,
and for people and other tools the checkpoint alone in `<name>.note`; `<name>` is the SHA-256 of the log's origin in hex. What it
keeps is on the medium before a cosignature over it leaves the witness, and is itself checked whenever it is read. Two processes
that ask one witness wait for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.evidence.keys.error import KeyFileError
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.keys.private_pem import private_pem, read_private_pem
from edge.evidence.tlog.checkpoint import Checkpoint, open_checkpoint
from edge.evidence.tlog.cosignature import add_cosignature, cosigner_key
from edge.evidence.tlog.merkle import root_of
from edge.evidence.tlog.note import NoteError, VerifierKey, open_note, parse_note
from edge.evidence.tlog.proof import make_proof

KEY_FILE = "witness.key"
VERIFIER_FILE = "witness.vkey"
"""The public key as a line, for whoever is to check the witness's cosignatures."""
LOCK_FILE = "witness.lock"

_STATE, _COPY = ".state", ".note"
_STATE_VERSION = 1
_MOST_CHECKPOINT_BYTES = 16 << 10
"""Ours have 200; what is kept has to fit into a file of the folder."""
_PATIENCE_S = 30.0
_PAUSE_S = 0.02
_LINE = "scrutineer witness "
_OPEN_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class WitnessError(Exception):
    """The witness cannot say anything.

    Attributes:
        code: witnessUnavailable when its folder cannot be used, or another process does not let go of it; witnessCorrupt when
            what it keeps is not what it has written.
        detail: One sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


class Seen(StrEnum):
    """How a checkpoint stands to the last one that was kept of its log."""

    FIRST_TIME = "firstTime"
    """This log was not seen before."""
    CONSISTENT = "consistent"
    """The log has grown, and begins with the one that was kept."""
    SAME = "same"
    """The log is as it was."""
    OLDER = "older"
    """The log was longer when it was seen; whether both are one history cannot be told from the shorter one."""
    CONTRADICTION = "contradiction"
    """The log is not the one that was kept. Nothing was learnt from it."""


@dataclass(frozen=True, slots=True)
class WitnessResult:
    """What the witness says of a checkpoint.

    Attributes:
        seen: How it stands to what was kept.
        detail: The same in a sentence, with the figures.
        old_size: Entries of the log as it was kept before; None at the first time.
        kept: The cosigned checkpoint that was kept before; None at the first time. With a contradicting one it proves to anybody
            that the log's key has signed both.
        cosigned: The checkpoint that was shown, cosigned; None if it is older or contradicts.
    """

    seen: Seen
    detail: str
    old_size: int | None = None
    kept: bytes | None = None
    cosigned: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a log."""

    log: VerifierKey
    checkpoint: Checkpoint
    note: bytes


class Witness:
    """A witness in a folder; the folder and a key of its own are made at the first use, for the user's eyes only.

    Args:
        folder: Where it keeps what it has seen; folders above are made as well.
        name: Under what name it cosigns; a random one if none is given. An existing witness keeps the name it has.

    Raises:
        WitnessError: `witnessUnavailable`, `witnessCorrupt`.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self._folder = KeyFolder(folder)
        with _refusals(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._folder.open(create=True)
            with self._alone():
                self._private, self.name = self._load_key() or self._make_key(name)
                self.verifier = cosigner_key(self.name, self._private)
                self._copy(VERIFIER_FILE, f"{self.verifier.text}\n".encode())
        if name is not None and name != self.name:
            raise WitnessError("witnessUnavailable", f"the witness in {str(folder)!r} is named {self.name}, not {name}")

    def __repr__(self) -> str:
        """Show folder and name."""
        return f"Witness({str(self._folder.path)!r}, {self.name!r})"

    def kept(self, origin: str) -> bytes | None:
        """The cosigned checkpoint that is kept of a log; None if the log was never seen.

        Raises:
            WitnessError: `witnessUnavailable`, `witnessCorrupt`.
        """
        with _refusals(self._folder.path), self._alone():
            kept = self._load(origin)
        return None if kept is None else kept.note

    def remember(self, checkpoint: bytes, log: VerifierKey, leaves: Sequence[bytes], now_s: int) -> WitnessResult:
        """Hold a log against what is kept of it, and keep the new checkpoint if it is longer.

        Args:
            checkpoint: The signed note of the log's checkpoint.
            log: The key of the log, from a source that the log's owner does not control.
            leaves: Leaf hashes of the whole log.
            now_s: The wall clock in whole seconds since 1970; goes into the cosignature and decides nothing.

        Raises:
            NoteError: as `open_checkpoint`; `checkpointMalformed` also for one that is too long to keep.
            ValueError: the leaves are not those of the checkpoint.
            WitnessError: `witnessUnavailable`, `witnessCorrupt`.
        """
        shown = open_checkpoint(checkpoint, [log])
        if len(leaves) != shown.size or root_of(leaves) != shown.root:
            raise ValueError(f"the leaves are not those of the checkpoint of {shown.origin[:200]} with {shown.size} entries")
        note = _plain(checkpoint, log)
        with _refusals(self._folder.path), self._alone():
            kept = self._load(shown.origin)
            if kept is None:
                detail = f"this log was not seen before; now it has {shown.size} entries"
                return WitnessResult(Seen.FIRST_TIME, detail, cosigned=self._keep(note, log, shown, now_s))
            seen, detail = _compare(kept, log, shown, leaves)
            cosigned: bytes | None = None
            if seen is Seen.CONSISTENT or (seen is Seen.SAME and kept.checkpoint != shown):
                cosigned = self._keep(note, log, shown, now_s)
            elif seen is Seen.SAME:
                cosigned = kept.note
                self._copy(_file(shown.origin, _COPY), kept.note)
            return WitnessResult(seen, detail, kept.checkpoint.size, kept.note, cosigned)

    def _load_key(self) -> tuple[Ed25519PrivateKey, str] | None:
        content = self._read(KEY_FILE)
        if content is None:
            if any(file.suffix == _STATE for file in self._folder.path.iterdir()):
                raise WitnessError("witnessCorrupt", f"{str(self._folder.path)!r} has seen logs, and its key is gone")
            return None
        try:
            private, line = read_private_pem(content)
            name = VerifierKey.parse(line.removeprefix(_LINE)).name
        except (NoteError, ValueError) as error:
            raise self._corrupt(KEY_FILE, "is damaged") from error
        if line != _key_line(name, private):
            raise self._corrupt(KEY_FILE, "is damaged")
        return private, name

    def _make_key(self, name: str | None) -> tuple[Ed25519PrivateKey, str]:
        chosen = f"witness.{secrets.token_hex(8)}" if name is None else name
        private = Ed25519PrivateKey.generate()
        try:
            self._folder.write_new(KEY_FILE, private_pem(private, _key_line(chosen, private)))
        except (NoteError, ValueError) as error:
            raise WitnessError("witnessUnavailable", f"{chosen!a} cannot be the name of a witness") from error
        return private, chosen

    def _load(self, origin: str) -> _Kept | None:
        """What is kept of a log, believed as far as it is signed by the log and by this witness."""
        file = _file(origin, _STATE)
        content = self._read(file)
        if content is None:
            if self._read(_file(origin, _COPY)) is not None:
                raise self._corrupt(file, "is gone, and the copy of its checkpoint is there")
            return None
        try:
            state = json.loads(content)
            log, note = VerifierKey.parse(state["log"]), state["checkpoint"].encode()
            checkpoint = open_checkpoint(note, [log])
            signers = open_note(note, [log, self.verifier]).verified_by
        except (NoteError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._corrupt(file, "is damaged") from error
        if content != _state(log, note) or checkpoint.origin != origin or self.verifier not in signers:
            raise self._corrupt(file, "is not what this witness has written")
        return _Kept(log, checkpoint, note)

    def _keep(self, note: bytes, log: VerifierKey, checkpoint: Checkpoint, now_s: int) -> bytes:
        """Cosign a checkpoint and see it on the medium; only then it is given away."""
        cosigned = add_cosignature(note, self._private, self.name, now_s)
        self._folder.replace(_file(checkpoint.origin, _STATE), _state(log, cosigned))
        self._copy(_file(checkpoint.origin, _COPY), cosigned)
        return cosigned

    def _copy(self, file: str, content: bytes) -> None:
        """Write a file that others read and the witness does not need."""
        if self._read(file) != content:
            self._folder.replace(file, content)

    def _read(self, file: str) -> bytes | None:
        try:
            return self._folder.read(file)
        except KeyFileError as error:
            if error.code == "keyMissing":
                return None
            raise

    def _corrupt(self, file: str, what: str) -> WitnessError:
        return WitnessError("witnessCorrupt", f"{str(self._folder.path / file)!r} {what}: bring back a copy of the whole folder")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out, or give up after half a minute."""
        path = self._folder.path / LOCK_FILE
        descriptor = os.open(path, _OPEN_LOCK, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise WitnessError("witnessUnavailable", f"{str(path)!r} is no regular file: find out who put it there")
            end = time.monotonic() + _PATIENCE_S
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= end:
                        raise WitnessError("witnessUnavailable", f"another process holds {str(path)!r}") from error
                    time.sleep(_PAUSE_S)
            yield
        finally:
            os.close(descriptor)


def tlog_proof(leaves: Sequence[bytes], index: int, checkpoint: bytes, extra: bytes | None = None) -> bytes:
    """The file (C2SP tlog-proof) that proves without the log that an entry is in it.

    Args:
        leaves: Leaf hashes of the log, at least as many as the checkpoint says.
        index: Which entry, from 0.
        checkpoint: The signed note of the checkpoint, best with the witness's cosignature.
        extra: Goes along, vouched for by nobody; the entry itself, for instance.

    Raises:
        NoteError: as `edge.evidence.tlog.proof.make_proof`.
    """
    return make_proof(leaves, index, checkpoint, extra).content


def _compare(kept: _Kept, log: VerifierKey, shown: Checkpoint, leaves: Sequence[bytes]) -> tuple[Seen, str]:
    old, new = kept.checkpoint.size, shown.size
    if log != kept.log:
        ids = f"the key {kept.log.key_id.hex()}, and now another key, {log.key_id.hex()}, signs under its name"
        return Seen.CONTRADICTION, f"this log was seen signed by {ids}"
    if new < old:
        doubt = "it is older, or part of it is withheld; whether both are one history cannot be told from the shorter one"
        return Seen.OLDER, f"this log was seen with {old} entries, and this one has {new}: {doubt}"
    if root_of(leaves[:old]) != kept.checkpoint.root:
        anew = f"its first {old} entries are now others: it was written anew, and its key has signed both"
        return Seen.CONTRADICTION, f"this log was seen with {old} entries, and {anew}"
    if new == old:
        return Seen.SAME, f"this log was seen before with the same {old} entries"
    return Seen.CONSISTENT, f"this log was seen before with {old} entries, and has grown to {new} without a change"


def _plain(checkpoint: bytes, log: VerifierKey) -> bytes:
    """The note with the log's own signature alone: other lines mean nothing here."""
    note = parse_note(checkpoint)
    line = next(line.line for line in note.signatures if (line.name, line.key_id) == (log.name, log.key_id))
    plain = f"{note.text}\n{line}".encode()
    if len(plain) > _MOST_CHECKPOINT_BYTES:
        raise NoteError("checkpointMalformed", f"a checkpoint of {len(plain)} bytes is too long to be kept")
    return plain


def _file(origin: str, ending: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest() + ending


def _state(log: VerifierKey, note: bytes) -> bytes:
    return rfc8785.dumps({"version": _STATE_VERSION, "log": log.text, "checkpoint": note.decode()})


def _key_line(name: str, private: Ed25519PrivateKey) -> str:
    return f"{_LINE}{cosigner_key(name, private).text}"


@contextlib.contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    """The refusals of the folder and of the system, as the witness's own."""
    try:
        yield
    except KeyFileError as error:
        code = "witnessCorrupt" if error.code == "keyMalformed" else "witnessUnavailable"
        raise WitnessError(code, error.detail) from error
    except OSError as error:
        raise WitnessError("witnessUnavailable", f"{str(folder)!r}: {error.strerror or error}") from error
