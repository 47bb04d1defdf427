"""Image files: what is read, and that everything else is refused by its code."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.image_file import MAX_FILE_BYTES, MIN_SIDE, ImageFileError, read_image

WIDTH, HEIGHT = 210, 230
PIXELS = (np.add.outer(np.arange(HEIGHT) * 3, np.arange(WIDTH) * 5) % 256).astype(np.uint8)
GREY = Image.fromarray(PIXELS)
BLACK_AND_WHITE = Image.fromarray(np.where(PIXELS > 127, np.uint8(255), np.uint8(0))).convert("1")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - whatever Pillow takes
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


WHOLE = {
    "png": encoded(GREY, "PNG"),
    "colour png": encoded(GREY.convert("RGB"), "PNG"),
    "jpeg": encoded(GREY, "JPEG", quality=90),
    "colour jpeg": encoded(GREY.convert("RGB"), "JPEG", quality=90),
    "progressive jpeg": encoded(GREY, "JPEG", progressive=True),
    "tiff": encoded(GREY, "TIFF"),
    "lzw tiff": encoded(GREY, "TIFF", compression="tiff_lzw"),
    "fax tiff": encoded(BLACK_AND_WHITE, "TIFF", compression="group4"),
    "pgm": encoded(GREY, "PPM"),
    "pbm": encoded(BLACK_AND_WHITE, "PPM"),
}


def read(tmp_path: Path, data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    path = tmp_path / "page"
    path.write_bytes(data)
    return read_image(path)


def refused(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(ImageFileError) as caught:
        read(tmp_path, data)
    assert "page" in caught.value.detail
    return caught.value.code


def png_header(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG that is correct as far as it goes and has no pixels to speak of."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["png", "colour png", "tiff", "lzw tiff", "pgm"])
def test_lossless_grey_comes_back_exactly(tmp_path: Path, kind: str) -> None:
    image = read(tmp_path, WHOLE[kind])
    assert image.dtype == np.uint8
    assert np.array_equal(image, PIXELS)


@pytest.mark.parametrize("kind", ["fax tiff", "pbm"])
def test_bilevel_comes_back_black_on_white(tmp_path: Path, kind: str) -> None:
    assert np.array_equal(read(tmp_path, WHOLE[kind]), np.where(PIXELS > 127, 255, 0))


def test_jpeg_is_read_as_its_own_luma(tmp_path: Path) -> None:
    smooth = Image.fromarray(np.repeat(np.arange(HEIGHT, dtype=np.uint8)[:, None], WIDTH, axis=1))
    grey = read(tmp_path, encoded(smooth, "JPEG", quality=100))
    colour = read(tmp_path, encoded(smooth.convert("RGB"), "JPEG", quality=100))
    assert np.array_equal(grey, colour)
    assert int(np.abs(grey.astype(int) - np.asarray(smooth)).max()) <= 1
    red = read(tmp_path, encoded(Image.new("RGB", (WIDTH, HEIGHT), (255, 0, 0)), "JPEG", quality=100))
    assert set(np.unique(red)) <= {76, 77}


def test_colour_becomes_luma_in_fixed_point(tmp_path: Path) -> None:
    assert set(np.unique(read(tmp_path, encoded(Image.new("RGB", (WIDTH, HEIGHT), (200, 10, 3)), "PNG")))) == {66}


def test_orientation_tags_turn_nothing(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 3
    assert np.array_equal(read(tmp_path, encoded(GREY, "PNG", exif=exif)), PIXELS)
    assert np.array_equal(read(tmp_path, encoded(GREY, "JPEG", exif=exif)), read(tmp_path, encoded(GREY, "JPEG")))
    assert refused(tmp_path, encoded(GREY, "TIFF", tiffinfo={274: 3})) == "imageUnreadable"


@pytest.mark.parametrize(
    "data", [b"", b"a ballot\n" * 100, b"\0" * 5000, b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"P5\n"]
)
def test_what_is_no_image_is_unreadable(tmp_path: Path, data: bytes) -> None:
    assert refused(tmp_path, data) == "imageUnreadable"


@pytest.mark.parametrize("kind", ["BMP", "GIF", "WEBP"])
def test_other_formats_are_not_even_tried(tmp_path: Path, kind: str) -> None:
    assert refused(tmp_path, encoded(GREY, kind)) == "imageUnreadable"


@pytest.mark.parametrize("kind", sorted(WHOLE))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_truncated_files_are_unreadable(tmp_path: Path, kind: str, share: float) -> None:
    assert refused(tmp_path, WHOLE[kind][: int(share * len(WHOLE[kind]))]) == "imageUnreadable"


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize("missing", [1, 2, 4, 8, 12, 16])
def test_the_last_bytes_are_missed(tmp_path: Path, kind: str, missing: int) -> None:
    assert refused(tmp_path, WHOLE[kind][:-missing]) == "imageUnreadable"


def test_a_png_with_a_wrong_checksum_is_unreadable(tmp_path: Path) -> None:
    data = bytearray(WHOLE["png"])
    data[data.index(b"IDAT") + 40] ^= 1
    assert refused(tmp_path, bytes(data)) == "imageUnreadable"


@pytest.mark.parametrize(
    ("width", "height"),
    [(30_000, 30_000), (100_000, 100_000), (2**31 - 1, 2**31 - 1), (8_000, 8_000), (10_000, 9_000), (20_001, 300)],
)
def test_huge_images_are_refused_by_their_header(tmp_path: Path, width: int, height: int) -> None:
    assert refused(tmp_path, png_header(width, height)) == "imageTooLarge"


def test_huge_pnm_and_tiff_are_refused_by_their_header(tmp_path: Path) -> None:
    assert refused(tmp_path, b"P5\n40000 40000\n255\n" + b"\0" * 100) == "imageTooLarge"
    tiff = bytearray(WHOLE["tiff"])
    at = tiff.index(struct.pack("<HH", 256, 4)) if struct.pack("<HH", 256, 4) in tiff else tiff.index(struct.pack("<HH", 256, 3))
    tiff[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 300_000)
    assert refused(tmp_path, bytes(tiff)) == "imageTooLarge"


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ImageFileError, match="imageTooLarge"):
        read_image(path)


def test_a_jpeg_of_many_passes_is_not_decoded(tmp_path: Path) -> None:
    assert refused(tmp_path, WHOLE["progressive jpeg"] + b"\xff\xda" * 40) == "imageTooLarge"


@pytest.mark.parametrize("size", [(MIN_SIDE - 1, 300), (300, MIN_SIDE - 1), (1, 1)])
def test_small_images_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    assert refused(tmp_path, encoded(Image.new("L", size, 255), "PNG")) == "imageTooSmall"


def test_the_smallest_page_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, encoded(Image.new("L", (MIN_SIDE, MIN_SIDE), 255), "PNG")).shape == (MIN_SIDE, MIN_SIDE)


SIXTEEN = Image.fromarray(PIXELS.astype(np.uint16) * 257)
DEPTHS = {
    "16-bit png": encoded(SIXTEEN, "PNG"),
    "16-bit tiff": encoded(SIXTEEN, "TIFF"),
    "16-bit pgm": encoded(SIXTEEN, "PPM"),
    "16-bit colour png": png_header(WIDTH, HEIGHT, 16, 2),
    "2-bit png": png_header(WIDTH, HEIGHT, 2, 0),
    "4-bit png": png_header(WIDTH, HEIGHT, 4, 0),
    "transparent grey": encoded(GREY, "PNG", transparency=0),
    "cmyk jpeg": encoded(GREY.convert("CMYK"), "JPEG"),
    "float tiff": encoded(GREY.convert("F"), "TIFF"),
    "text pgm": b"P2\n210 230\n255\n" + b"1 " * (210 * 230),
    "pgm of 100 levels": b"P5\n210 230\n100\n" + b"\1" * (210 * 230),
}


@pytest.mark.parametrize("kind", sorted(DEPTHS))
def test_other_depths_are_refused(tmp_path: Path, kind: str) -> None:
    assert refused(tmp_path, DEPTHS[kind]) == "imageDepth"


@pytest.mark.parametrize("mode", ["P", "LA", "RGB", "RGBA"])
def test_colour_palettes_and_opaque_alpha_are_read(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(encoded(GREY.convert(mode), "PNG"))
    assert np.array_equal(read_image(path), np.asarray(GREY))


def test_transparent_pixels_are_white_paper(tmp_path: Path) -> None:
    image = Image.new("RGBA", (210, 230), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 210, 100))
    image.paste((0, 0, 0, 51), (0, 100, 210, 110))
    path = tmp_path / "page.png"
    path.write_bytes(encoded(image, "PNG"))
    assert [int(read_image(path)[row, 5]) for row in (0, 105, 200)] == [255, 204, 0]


def test_an_animated_png_is_read_as_its_own_image(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(encoded(GREY, "PNG", save_all=True, append_images=[GREY.rotate(180)]))
    assert np.array_equal(read_image(path), np.asarray(GREY))


@pytest.mark.parametrize("kind", ["TIFF", "MPO"])
def test_several_images_in_one_file_are_refused(tmp_path: Path, kind: str) -> None:
    data = encoded(GREY, kind, save_all=True, append_images=[GREY.rotate(180)])
    assert refused(tmp_path, data) == "imageFrames"


def test_compressions_that_could_hide_many_passes_are_not_read(tmp_path: Path) -> None:
    assert refused(tmp_path, encoded(GREY, "TIFF", compression="jpeg")) == "imageUnreadable"


def code_of(path: str | Path) -> str:
    with pytest.raises(ImageFileError) as caught:
        read_image(path)
    return caught.value.code


def test_paths_that_are_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, pipe = tmp_path / "loop", tmp_path / "pipe"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    assert code_of(tmp_path / "missing.png") == "imageNotFound"
    assert code_of(tmp_path / "missing" / "page.png") == "imageNotFound"
    assert code_of(tmp_path) == "imageUnreadable"
    assert code_of(loop) == "imageUnreadable"
    assert code_of(pipe) == "imageUnreadable"
    assert code_of("/dev/zero") == "imageUnreadable"
    assert code_of("page\0.png") == "imageUnreadable"
    assert code_of("x" * 5000) == "imageUnreadable"
    assert code_of("") == "imageNotFound"

    def forbid(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", forbid)
    assert code_of("page.png") == "imageUnreadable"


def test_the_message_cannot_drive_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError) as caught:
        read_image(tmp_path / "\x1b[2Jpage\n.png")
    assert str(caught.value).isprintable()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


def reads_or_refuses(scratch: Path, data: bytes) -> bool:
    """Whether the bytes were read; anything but a page or an ImageFileError fails the test."""
    try:
        image = read(scratch, data)
    except ImageFileError:
        return False
    assert image.dtype == np.uint8
    assert image.ndim == 2
    return True


@settings(max_examples=200)
@given(
    start=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0\x08\0\0\0", b"MM\0*", b"P5\n", b"P4 300 300 "]
    ),
    rest=st.binary(),
)
def test_random_bytes_are_refused(scratch: Path, start: bytes, rest: bytes) -> None:
    reads_or_refuses(scratch, start + rest)


@settings(max_examples=200)
@given(data=st.data(), kind=st.sampled_from(sorted(WHOLE)))
def test_every_truncation_is_refused(scratch: Path, data: st.DataObject, kind: str) -> None:
    whole = WHOLE[kind]
    assert not reads_or_refuses(scratch, whole[: data.draw(st.integers(0, len(whole) - 1))])


@settings(max_examples=300)
@given(data=st.data(), kind=st.sampled_from(sorted(WHOLE)))
def test_flipped_bits_are_read_or_refused(scratch: Path, data: st.DataObject, kind: str) -> None:
    whole = bytearray(WHOLE[kind])
    # Headers hold the decisions of a decoder, so they are hit more often than their share.
    places = st.one_of(
        st.integers(0, min(600, len(whole) - 1)), st.integers(0, len(whole) - 1), st.integers(len(whole) - 300, len(whole) - 1)
    )
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    reads_or_refuses(scratch, bytes(whole))
