"""The list of an export's files that the log's key signs. It is written last: a folder without it is no export."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import rfc8785

from edge.audit.layout import MANIFEST, MANIFEST_SIGNATURE, MANIFEST_VERSION
from edge.definition.exact_json import InexactJsonError, read_exact_json

Kind = Literal["interim", "closed"]

MOST_MANIFEST_BYTES = 64 << 20
"""An export of 20,000 sheets has a manifest of 20 MB."""
MOST_FILE_BYTES = (1 << 32) - 1
"""What fits into a file on FAT32."""
MOST_NAME_CHARACTERS = 180
"""Of a file's name with its folders. Windows takes paths of 259 characters; drive and name of the export come first."""

_MOST_PART_CHARACTERS = 100
_MOST_PARTS = 8
_PART = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ExportError(Exception):
    """An export that cannot be made, or was not.

    Attributes:
        code: A reason code.
        detail: What is wrong, without a full stop.
        advice: What to do next, and whether trying again on the same medium makes sense; whole sentences.
    """

    def __init__(self, code: str, detail: str, advice: str) -> None:
        """Keep the parts apart; the text joins them."""
        super().__init__(f"{code}: {detail}. {advice}")
        self.code = code
        self.detail = detail
        self.advice = advice


class ManifestError(Exception):
    """A manifest that is refused, and why.

    `code` is manifestMalformed, manifestVersion (made by other software than this) or manifestName (a name that no export has);
    `detail` is a sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        """Keep the code and the detail apart; the text joins them."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file without its content. `name`: relative, with `/`; `size`: bytes; `sha256`: 32 bytes."""

    name: str
    size: int
    sha256: bytes

    @classmethod
    def of(cls, name: str, content: bytes) -> FileFacts:
        """The facts of a file."""
        return cls(name, len(content), hashlib.sha256(content).digest())

    def as_json(self) -> dict[str, Any]:
        """The file's entry in a manifest, and in the leaf of a sheet."""
        return {"name": self.name, "sha256": self.sha256.hex(), "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest.

    Attributes:
        origin: The log's name.
        kind: Whether the polls were closed for good.
        size: Entries of the log.
        checkpoint: The signed checkpoint over them, all of the note.
        files: Every file but the manifest and its signature, in the byte order of their names.

    Raises:
        ManifestError: `manifestMalformed` or `manifestName`.
    """

    origin: str
    kind: Kind
    size: int
    checkpoint: str
    files: tuple[FileFacts, ...]

    def __post_init__(self) -> None:
        """Hold the names against each other."""
        names = [facts.name for facts in self.files]
        if names != sorted(set(names), key=str.encode):
            raise ManifestError("manifestMalformed", "the files are not in the order of their names, or one is there twice")
        check_names(names)

    def to_bytes(self) -> bytes:
        """The file: canonical JSON (RFC 8785)."""
        return rfc8785.dumps(
            {
                "version": MANIFEST_VERSION,
                "origin": self.origin,
                "kind": self.kind,
                "size": self.size,
                "checkpoint": self.checkpoint,
                "files": [facts.as_json() for facts in self.files],
            }
        )


def build_manifest(origin: str, kind: Kind, size: int, checkpoint: bytes, files: Iterable[FileFacts]) -> Manifest:
    """The manifest over files in any order.

    Raises:
        ManifestError: as `Manifest`.
    """
    return Manifest(origin, kind, size, checkpoint.decode(), tuple(sorted(files, key=lambda facts: facts.name.encode())))


def parse_manifest(raw: bytes) -> Manifest:
    """A manifest from bytes of unknown honesty; only what `Manifest.to_bytes` would write is taken.

    Raises:
        ManifestError: of any code, and nothing else.
    """
    try:
        parsed = read_exact_json(raw, MOST_MANIFEST_BYTES)
    except InexactJsonError as error:
        raise ManifestError("manifestMalformed", str(error)) from error
    if isinstance(parsed, dict) and parsed.get("version") != MANIFEST_VERSION:
        raise ManifestError("manifestVersion", f"it is not of version {MANIFEST_VERSION}, which is all that this software knows")
    try:
        manifest = _manifest(parsed)
        canonical = manifest.to_bytes()
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError("manifestMalformed", f"it does not have the shape of a manifest: {str(error)[:200]!a}") from error
    if canonical != raw:
        raise ManifestError("manifestMalformed", "it is not written as canonical JSON, or holds more than a manifest does")
    return manifest


def check_names(names: Iterable[str]) -> None:
    """Refuse names that a FAT or exFAT stick, or Windows, cannot hold side by side, or that lead out of a folder.

    Raises:
        ManifestError: `manifestName`.
    """
    kinds: dict[str, str] = {}
    """Every name and every folder on the way to one, in small letters: how it is spelt, with `/` behind folders."""
    for name in names:
        parts = name.split("/")
        if not (1 <= len(parts) <= _MOST_PARTS and len(name) <= MOST_NAME_CHARACTERS and all(map(is_safe_part, parts))):
            raise ManifestError("manifestName", f"{name[:300]!a} cannot be the name of an export's file")
        spelt = [*("/".join(parts[:depth]) + "/" for depth in range(1, len(parts))), name]
        for one in spelt:
            if kinds.setdefault(one.rstrip("/").lower(), one) != one:
                raise ManifestError("manifestName", f"{name!a} would be in the way of {kinds[one.rstrip('/').lower()]!a}")


def is_safe_part(part: str) -> bool:
    """Whether a file or a folder can have this name on every medium."""
    return len(part) <= _MOST_PART_CHARACTERS and _PART.fullmatch(part) is not None and _DEVICES.fullmatch(part) is None


def _manifest(parsed: Any) -> Manifest:  # noqa: ANN401  whatever a file may hold
    origin, kind, size, checkpoint = (parsed[name] for name in ("origin", "kind", "size", "checkpoint"))
    if not (isinstance(origin, str) and isinstance(checkpoint, str) and _is_count(size)):
        raise ValueError("origin and checkpoint are texts, size is a number")
    if kind not in {"interim", "closed"}:
        raise ValueError("kind is interim or closed")
    if not isinstance(parsed["files"], list):
        raise TypeError("files is a list")
    files = tuple(_facts(entry) for entry in parsed["files"])
    if any(facts.name in {MANIFEST, MANIFEST_SIGNATURE} for facts in files):
        raise ValueError("a manifest does not name itself")
    return Manifest(origin, kind, size, checkpoint, files)


def _facts(entry: Any) -> FileFacts:  # noqa: ANN401  as above
    name, size, digest = entry["name"], entry["size"], entry["sha256"]
    if not (isinstance(name, str) and _is_count(size) and size <= MOST_FILE_BYTES):
        raise ValueError("a file has a name and a size")
    if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise ValueError("a SHA-256 has 64 lower-case hex digits")
    return FileFacts(name, size, bytes.fromhex(digest))


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 53
