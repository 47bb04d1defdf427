"""The images of a data set as they are handed on: the pixels that the boxes were found in, and nothing that turns them.

A JPEG is copied without its APP1 segments (Exif and XMP), bit for bit otherwise: many readers turn an image by the orientation
that stands there, and the boxes would no longer lie on it; where and with what the photograph was made is gone with it.
Everything else is encoded again.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

from PIL import Image

from edge.commands.error import CommandError
from edge.image_file import ImageFileError, read_colour_image
from models.annotations import Annotated

JPEG_START = b"\xff\xd8\xff"
_APP1, _SCAN, _END = 0xE1, 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
_QUALITY = 95


def read_original(folder: Path, image: Annotated) -> bytes:
    """The bytes of an image that was annotated.

    Raises:
        CommandError: `imageChanged` if it is not there or is another one, `fileUnreadable`.
    """
    path = folder / image.name
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CommandError("imageChanged", f"there is no {str(path)!r}, which the annotations speak of") from error
    except OSError as error:
        raise CommandError("fileUnreadable", f"{str(path)!r}: {error.strerror or error}") from error
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise CommandError("imageChanged", f"{str(path)!r} is not the image that the annotations speak of; find its boxes again")
    return data


def as_jpeg(folder: Path, image: Annotated) -> bytes:
    """An annotated image as JPEG; what is none is encoded with quality 95 and whole chroma.

    Raises:
        CommandError: as `read_original`.
    """
    data = read_original(folder, image)
    return without_app1(data) if data.startswith(JPEG_START) else _encoded(folder / image.name, "JPEG")


def as_jpeg_or_png(folder: Path, image: Annotated) -> tuple[bytes, str]:
    """An annotated image as the JPEG that it is, else as PNG, and which of `jpeg` and `png` it is.

    Raises:
        CommandError: as `read_original`.
    """
    data = read_original(folder, image)
    if data.startswith(JPEG_START):
        return without_app1(data), "jpeg"
    return _encoded(folder / image.name, "PNG"), "png"


def without_app1(data: bytes) -> bytes:
    """A JPEG without its APP1 segments; one whose segments cannot be followed is returned from there on as it is."""
    kept = [data[:2]]
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker in {_SCAN, _END}:
            break
        end = at + 2 if marker in _ALONE else at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker != _APP1:
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


def _encoded(path: Path, kind: str) -> bytes:
    try:
        pixels = read_colour_image(path)
    except ImageFileError as error:
        raise CommandError(error.code, error.detail) from error
    encoded = BytesIO()
    if kind == "JPEG":
        Image.fromarray(pixels).save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        Image.fromarray(pixels).save(encoded, "PNG")
    return encoded.getvalue()
