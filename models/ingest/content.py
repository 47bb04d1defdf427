"""Whether what came is an image that the product reads, and which kind."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from PIL import Image

from edge.image_file import ImageFileError, read_image

_KINDS = {
    "PNG": (".png", "image/png"),
    "JPEG": (".jpg", "image/jpeg"),
    "TIFF": (".tif", "image/tiff"),
    "PPM": (".pnm", "image/x-portable-anymap"),
}
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<svg", b"{", b"[")
_HEAD_BYTES = 512
_READING = Lock()
"""`read_image` is not for several threads at once."""


class ContentError(Exception):
    """What came is not what was wanted.

    Attributes:
        code: `checksumWrong`, `notAnImage` or a code of `ImageFileError`.
        detail: In words.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Content:
    """An image file: its hash, bytes, media type and the ending of its name."""

    sha256: str
    size: int
    media_type: str
    suffix: str


def checked(path: Path, sha256: str | None) -> Content:
    """Look at a file that came.

    Args:
        path: Where it lies.
        sha256: What it must have, or None.

    Raises:
        ContentError: it is damaged or no image that `edge.image_file` reads.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError as error:
        raise ContentError("imageUnreadable", "it is empty") from error
    if sha256 is not None and found != sha256:
        raise ContentError("checksumWrong", f"it has the SHA-256 {found}, expected was {sha256}")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGE_STARTS):
        raise ContentError("notAnImage", f"it is a page or a message that begins with {head[:40]!r}")
    try:
        with _READING:
            read_image(path)
            with Image.open(path, formats=tuple(_KINDS)) as image:
                suffix, media_type = _KINDS[str(image.format)]
    except ImageFileError as error:
        raise ContentError(error.code, error.detail.replace(repr(str(path)), "it")) from error
    return Content(found, size, media_type, suffix)
