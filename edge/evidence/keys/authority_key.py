"""The key of the authority that vouches for stations: a file of its own, wherever the official keeps it, best off-line.

The file's first line is the verifier key, which is no secret; it holds the name, and proves that the key beneath it is whole.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.evidence.keys.enrolment import NAME_PATTERN
from edge.evidence.keys.error import KeyFileError
from edge.evidence.keys.private_file import create_private, read_private, unavailable
from edge.evidence.keys.private_pem import private_pem, read_private_pem
from edge.evidence.tlog.note import Ed25519Signer, NoteError, VerifierKey

MOST_NAME = 128

_WHAT = "scrutineer authority key, public half "


def is_authority_name(name: str) -> bool:
    """Whether an authority can have this name: 1 to 128 ASCII letters, digits, dots, hyphens, underscores and slashes."""
    return len(name) <= MOST_NAME and re.fullmatch(NAME_PATTERN, name) is not None


def make_authority_key(path: Path, name: str) -> VerifierKey:
    """Make a key and keep it in a new file that only its owner may read; give what is to be published.

    Raises:
        KeyFileError: every code but `keyMalformed`.
        ValueError: the name is none.
    """
    if not is_authority_name(name):
        raise ValueError(f"{name!r} cannot be the name of an authority")
    private = Ed25519PrivateKey.generate()
    verifier = Ed25519Signer(name, private).verifier
    shown = repr(str(path))
    create_private(os.fspath(path), private_pem(private, _WHAT + verifier.text), shown)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise unavailable(error, shown) from error
    return verifier


def load_authority_key(path: Path) -> Ed25519Signer:
    """The key in a file that `make_authority_key` made.

    Raises:
        KeyFileError: every code but `keyExists`; `keyMalformed` also for another kind of key and for a damaged one.
    """
    shown = repr(str(path))
    content = read_private(os.fspath(path), shown)
    signer = None
    try:
        private, line = read_private_pem(content)
        signer = Ed25519Signer(VerifierKey.parse(line.removeprefix(_WHAT)).name, private)
        if line != _WHAT + signer.verifier.text or not is_authority_name(signer.name):
            signer = None
    except (ValueError, NoteError):
        pass
    if signer is None:
        raise KeyFileError("keyMalformed", f"{shown} is damaged or no authority's key: bring back a copy, or make a new key")
    return signer
