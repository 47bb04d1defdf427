"""An Ed25519 private key as a text file: a line that says whose it is, and PKCS#8 in PEM, which other tools read as well.

PKCS#8 has no checksum: one wrong bit in a stored key would silently make it another key. The line therefore names the public
half, and whoever reads the file holds the two against each other.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

_PASSED_OVER = "# "
"""RFC 7468 lets text stand before the key, and openssl passes over it."""


def private_pem(private: Ed25519PrivateKey, line: str) -> bytes:
    """The file: `# `, the line, LF, and the key in PEM. A ValueError when the line is none."""
    if not line.isprintable():
        raise ValueError("the line that names the key is not one printable line")
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return f"{_PASSED_OVER}{line}\n".encode() + pem


def read_private_pem(content: bytes) -> tuple[Ed25519PrivateKey, str]:
    """The key and the line of a file that `private_pem` made; the caller has to hold the line against the key.

    Raises:
        ValueError: it is not such a file, byte for byte. Says nothing of what is in it.
    """
    key, line = None, ""
    try:
        head, _, pem = content.partition(b"\n")
        line = head.decode().removeprefix(_PASSED_OVER)
        key = load_pem_private_key(pem, password=None)
    except Exception:  # noqa: BLE001, S110  the library may raise anything at a damaged file, and might quote it
        pass
    if not isinstance(key, Ed25519PrivateKey) or not line.isprintable() or private_pem(key, line) != content:
        raise ValueError("not an Ed25519 key in the form in which it was written")
    return key, line
