"""Between what a barcode reader returns and the payload bytes of a ballot.

Printed codes have carried raw bytes, standard base64, unpadded URL-safe base64, and either of the latter behind a web address.
Decoded bytes are used only if they begin like a ballot, since many raw payloads happen to be valid base64 as well.
"""

from __future__ import annotations

import base64
import binascii
import re

from edge.definition import bubble_payload, summary_payload

URL_PREFIX = "https://ballot.page/vx/"
KNOWN_PRELUDES = frozenset(
    {bubble_payload.VP2, bubble_payload.VB1, summary_payload.VX2, summary_payload.VB1, summary_payload.VS1},
)
"""First three bytes of every payload that this package reads."""

_URL_SAFE = re.compile(rb"[A-Za-z0-9_-]+")


def payload_from_barcode(barcode: bytes | str) -> bytes:
    """Give the payload bytes of a barcode.

    Args:
        barcode: bytes or text as the reader returned it; anything is allowed.

    Returns:
        The decoded payload, beginning with a known prelude; or, if there is none, the barcode's own bytes (text as UTF-8), which
        the payload decoders then refuse or accept.
    """
    raw = barcode.encode("utf-8", "surrogatepass") if isinstance(barcode, str) else barcode
    text = raw.removeprefix(URL_PREFIX.encode())
    for decoded in (_standard(text), _url_safe(text)):
        if decoded is not None and decoded[:3] in KNOWN_PRELUDES:
            return decoded
    return raw


def barcode_text(payload: bytes) -> str:
    """Give the text to print for a payload: standard base64."""
    return base64.b64encode(payload).decode("ascii")


def _standard(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _url_safe(text: bytes) -> bytes | None:
    if _URL_SAFE.fullmatch(text) is None:
        return None
    try:
        return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None
