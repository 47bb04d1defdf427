"""The key that seals the ballot box until the polls are closed; once it is discarded, nobody can open it.

The file holds the key and a check value, so that a damaged or renamed file is told from a key: sheets that were sealed with a
wrong key would only be missed at the close.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from typing import NoReturn

from edge.evidence.keys.error import KeyFileError
from edge.evidence.keys.key_folder import KeyFolder

KEY_BYTES = 32

_LABEL = re.compile("[0-9a-f-]{1,64}")


class DayKey:
    """A day key in memory. It shows its label only, and refuses to be copied and pickled.

    Python cannot overwrite it in memory: it is gone when the process has ended.
    """

    __slots__ = ("_material", "label")

    label: str

    def __init__(self, label: str, material: bytes) -> None:
        if _LABEL.fullmatch(label) is None:
            raise ValueError("the label of a day key has 1 to 64 hex digits and hyphens")
        if len(material) != KEY_BYTES:
            raise ValueError(f"a day key has {KEY_BYTES} bytes")
        self.label = label
        self._material = material

    def material(self) -> bytes:
        """The secret, 32 bytes: for the cipher, and for nothing else."""
        return self._material

    def __repr__(self) -> str:
        """Show the label."""
        return f"DayKey({self.label!r})"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse: what is pickled ends up in files and in other processes."""
        raise TypeError("a day key is neither pickled nor copied")


def make_day_key(folder: KeyFolder, label: str) -> DayKey:
    """Make a day key and keep it; OpenSSL's generator (SP 800-90A) gives it.

    Args:
        folder: Where it is kept.
        label: What it is for: 1 to 64 lower-case hex digits and hyphens, such as a box's number.

    Raises:
        KeyFileError: `keyExists`, and as `KeyFolder.write_new`.
        ValueError: the label is none.
    """
    key = DayKey(label, ssl.RAND_bytes(KEY_BYTES))
    folder.write_new(_file(label), key.material() + _check_value(key))
    return key


def load_day_key(folder: KeyFolder, label: str) -> DayKey:
    """The day key of that label.

    Raises:
        KeyFileError: as `KeyFolder.read`; `keyMalformed` also for a file that is damaged or another label's.
        ValueError: the label is none.
    """
    content = folder.read(_file(label))
    if len(content) > KEY_BYTES:
        key = DayKey(label, content[:KEY_BYTES])
        if hmac.compare_digest(content[KEY_BYTES:], _check_value(key)):
            return key
    raise KeyFileError(
        "keyMalformed",
        f"{str(folder.path / _file(label))!r} is damaged or not the key of {label}: bring back a copy; what it sealed "
        "cannot be read without it",
    )


def discard_day_key(folder: KeyFolder, label: str) -> bool:
    """Remove the key of that label for good; whether it was still there.

    Raises:
        KeyFileError: as `KeyFolder.remove`, but for `keyMissing` of the key itself; the key may then still be there.
        ValueError: the label is none.
    """
    folder.open()  # a missing folder is not a discarded key
    try:
        folder.remove(_file(label))
    except KeyFileError as error:
        if error.code == "keyMissing":
            return False
        raise
    return True


def _file(label: str) -> str:
    if _LABEL.fullmatch(label) is None:
        raise ValueError("the label of a day key has 1 to 64 hex digits and hyphens")
    return f"day-{label}.key"


def _check_value(key: DayKey) -> bytes:
    return hashlib.sha256(b"scrutineer day key v1\n" + key.label.encode() + b"\n" + key.material()).digest()
