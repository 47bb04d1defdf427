"""The device's signing key: one for the life of the device. It signs every log of the device, each under the log's own name."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.evidence.keys.error import KeyFileError
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.keys.private_pem import private_pem, read_private_pem

FILE = "device.key"


def load_device_key(folder: KeyFolder) -> Ed25519PrivateKey:
    """The device's key. The object shows nothing of it in `repr` and cannot be pickled.

    Raises:
        KeyFileError: as `KeyFolder.read`; `keyMalformed` also when private and public half do not belong together.
    """
    content = folder.read(FILE)
    try:
        private, line = read_private_pem(content)
        if line == _line(private):
            return private
    except ValueError:
        pass
    raise KeyFileError(
        "keyMalformed",
        f"{str(folder.path / FILE)!r} is damaged or no device key: bring back a copy; or remove it, so that a new "
        "key is made, and enrol the device again",
    )


def make_device_key(folder: KeyFolder) -> Ed25519PrivateKey:
    """Make the device's key and keep it.

    Raises:
        KeyFileError: `keyExists`, and as `KeyFolder.write_new`.
    """
    private = Ed25519PrivateKey.generate()
    folder.write_new(FILE, private_pem(private, _line(private)))
    return private


def _line(private: Ed25519PrivateKey) -> str:
    return f"scrutineer device key, public half {base64.b64encode(private.public_key().public_bytes_raw()).decode()}"
