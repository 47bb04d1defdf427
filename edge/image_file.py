"""Image files of scanned pages: PNG, JPEG, TIFF and PNM into grey pixels, within bounds of memory and time.

A file is looked at before it is decoded, and whatever is doubtful about it is refused with a code: a damaged image must not
become a reading. The pixels come as they were scanned: an orientation that a file notes for viewers is not applied, since the
interpreter finds the way up from the paper. Colour becomes luma by integer arithmetic: a JPEG's own Y channel, as libjpeg decodes
it without the chroma (its integer transform gives the same pixels everywhere), and Pillow's fixed-point ITU-R 601 for PNG, TIFF
and PNM.
"""

from __future__ import annotations

import os
import stat
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PixelMode = Literal["L", "RGB"]

MAX_FILE_BYTES = 64 << 20
MAX_PIXELS = 60_000_000
"""A sheet of 8.5 x 22 inches at 600 dpi would be 67 million; at the 300 dpi that we read it is 17 million."""
MAX_SIDE = 20_000
MIN_SIDE = 200

_FORMATS = ("PNG", "JPEG", "TIFF", "PPM")
_RAW_MODES = frozenset(
    {"1", "1;I", "1;R", "1;IR", "L", "L;I", "L;R", "L;IR", "RGB", "RGB;R", "LA", "RGBA", "P", "P;1", "P;2", "P;4"}
)
"""Pixels as they lie in the file: 1-bit, 8-bit grey, 8-bit RGB, both with 8-bit alpha, and palettes. Pillow would read 16-bit RGB
as well, and drop half of it."""
_GREY_MODES = frozenset({"1", "L", "LA"})
_MODES = frozenset({"1", "L", "RGB", "LA", "RGBA", "P"})
_PNM_DECODER = "raw"
"""The decoder of binary PNM with 255 levels; text PNM costs a hundred times its length."""
_TIFF_COMPRESSIONS = frozenset(
    {"raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "tiff_ccitt", "group3", "group4"}
)
_UPRIGHT = 1
_ORIENTATION_TAG = 274
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_SCAN = b"\xff\xda"
_MOST_JPEG_SCANS = 32
"""A progressive JPEG has about ten; each costs a pass over the whole image, however few bytes it takes."""


class ImageFileError(Exception):
    """An image file that is refused.

    Attributes:
        code: `imageNotFound`, `imageUnreadable`, `imageTooLarge`, `imageTooSmall`, `imageDepth` or `imageFrames`.
        detail: the file and what is wrong with it.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read a scanned page as grey pixels, uint8 of shape (height, width), 255 = white.

    Holds at most the file, its decoded pixels (4 bytes each for colour) and the grey pixels. Not for several threads at once:
    warnings of the decoder are made errors for the whole process meanwhile.

    Raises:
        ImageFileError: and nothing else, whatever the path and the file are.
    """
    return _read(path, "L")


def read_colour_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read a scanned page with its colours: uint8 of shape (height, width, 3), red, green, blue; a grey file as `read_image`.

    A JPEG's colours come by libjpeg's integer transform and upsampling.

    Raises:
        ImageFileError: and nothing else, whatever the path and the file are.
    """
    return _read(path, "RGB")


def _read(path: str | os.PathLike[str], mode: _PixelMode) -> NDArray[np.uint8]:
    name = repr(os.fspath(path))
    data = _read_file(path, name)
    try:
        with warnings.catch_warnings():
            # A decoder that warns has read something other than what was written; this covers decompression bombs too.
            warnings.simplefilter("error")
            return _decode(data, name, mode)
    except ImageFileError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageFileError("imageTooLarge", f"{name} has more than {MAX_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise ImageFileError("imageUnreadable", f"{name} is not a PNG, JPEG, TIFF or PNM image") from error
    except Exception as error:  # a decoder may raise anything at a damaged file
        raise ImageFileError("imageUnreadable", f"{name} is damaged: {str(error) or type(error).__name__}") from error


def _read_file(path: str | os.PathLike[str], name: str) -> bytes:
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise ImageFileError("imageUnreadable", f"{name} is not a regular file")
            if about.st_size > MAX_FILE_BYTES:
                raise ImageFileError("imageTooLarge", f"{name} has {about.st_size} bytes, at most {MAX_FILE_BYTES} are read")
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise ImageFileError("imageNotFound", f"there is no file {name}") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise ImageFileError("imageUnreadable", f"{name}: {getattr(error, 'strerror', None) or error}") from error
    if not data:
        raise ImageFileError("imageUnreadable", f"{name} is empty")
    if len(data) > MAX_FILE_BYTES:
        raise ImageFileError("imageTooLarge", f"{name} grew beyond {MAX_FILE_BYTES} bytes while it was read")
    return data


def _decode(data: bytes, name: str, mode: _PixelMode) -> NDArray[np.uint8]:
    with Image.open(BytesIO(data), formats=_FORMATS) as image:
        _check_header(image, name)
        if image.format == "JPEG" and data.count(_JPEG_SCAN) > _MOST_JPEG_SCANS:
            raise ImageFileError("imageTooLarge", f"{name} is decoded in more than {_MOST_JPEG_SCANS} passes")
        if image.format == "PNG":
            _check_png(data, name)
        if mode == "RGB" and image.mode in _GREY_MODES:
            mode = "L"
        if mode == "L":
            image.draft("L", image.size)  # JPEG only; the others ignore it
        pixels = np.asarray(image.convert(mode))
        return _on_white(pixels, np.asarray(image.getchannel("A"))) if image.mode in {"LA", "RGBA"} else pixels


def _on_white(grey: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay transparent pixels on white paper, rounding to the nearest level."""
    if int(alpha.min()) == 255:
        return grey
    opaque = alpha.astype(np.uint32)
    if grey.ndim > alpha.ndim:
        opaque = opaque[:, :, np.newaxis]
    return ((grey * opaque + 255 * (255 - opaque) + 127) // 255).astype(np.uint8)


def _check_header(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageFileError("imageTooLarge", f"{name} is {width} x {height} pixels")
    if min(width, height) < MIN_SIDE:
        raise ImageFileError("imageTooSmall", f"{name} is {width} x {height} pixels, at least {MIN_SIDE} x {MIN_SIDE} are needed")
    # A PNG is one image; its animation is for viewers that know of it. The pages of a TIFF are as good as each other.
    if getattr(image, "is_animated", False) and image.format != "PNG":
        raise ImageFileError("imageFrames", f"{name} holds several images")
    tiles = getattr(image, "tile", [])
    stored = {tile.args if isinstance(tile.args, str) else tile.args[0] for tile in tiles}
    if not stored <= _RAW_MODES or image.mode not in _MODES or "transparency" in image.info:
        raise ImageFileError("imageDepth", f"{name} is neither 1-bit, nor 8-bit grey or colour")
    if image.format == "PPM" and {tile.codec_name for tile in tiles} != {_PNM_DECODER}:
        raise ImageFileError("imageDepth", f"{name} is not binary PNM with 255 levels")
    if image.format == "TIFF":
        if image.info.get("compression") not in _TIFF_COMPRESSIONS:
            raise ImageFileError("imageUnreadable", f"{name}: TIFF compressed as {image.info.get('compression')} is not read")
        # Pillow would turn the pixels of a TIFF, and of no other format.
        if image.getexif().get(_ORIENTATION_TAG, _UPRIGHT) != _UPRIGHT:
            raise ImageFileError(
                "imageUnreadable", f"{name}: its orientation tag asks for turning, and scans are read as scanned"
            )


def _check_png(data: bytes, name: str) -> None:
    """Check that a PNG is whole: Pillow is content with pixels whose checksums are wrong or missing."""
    if not data.endswith(_PNG_END):
        raise ImageFileError("imageUnreadable", f"{name} is damaged: the end of the PNG is missing")
    with Image.open(BytesIO(data), formats=("PNG",)) as image:
        image.verify()
