"""Images: what a stream of pixels becomes, against the formulas of the public notes written out the slow way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.pagescan6.images import COLUMNS, Calibration, ImageError, assemble
from firmware_bridge.pagescan6.messages import CalibrationTable
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.scanner import SheetImages

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

Bytes = NDArray[np.uint8]
PLAIN: Final = Calibration(
    CalibrationTable("top", 8, b"\xff" * COLUMNS, bytes(COLUMNS)),
    CalibrationTable("bottom", 8, b"\xff" * COLUMNS, bytes(COLUMNS)),
)
GREY = ScannerSettings()
BILEVEL = ScannerSettings(bits=1)


def noise(seed: int, *shape: int) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def tables(seed: int) -> tuple[CalibrationTable, CalibrationTable]:
    """Columns as on a real array, and some where white is not above black."""
    random = np.random.default_rng(seed)
    white = random.integers(150, 256, (2, COLUMNS), np.uint8)
    black = random.integers(0, 60, (2, COLUMNS), np.uint8)
    black[:, ::97] = white[:, ::97]
    black[:, 5::101] = 255
    white[:, 7::103] = black[:, 7::103] + 1
    return (
        CalibrationTable("top", 8, white[0].tobytes(), black[0].tobytes()),
        CalibrationTable("bottom", 8, white[1].tobytes(), black[1].tobytes()),
    )


def calibrated(pixels: Bytes, table: CalibrationTable) -> Bytes:
    """Row by row in the order of the table, in whole numbers."""
    white, black = (np.frombuffer(values, np.uint8).astype(int) for values in (table.white, table.black))
    out = np.zeros(pixels.shape, int)
    for column in np.flatnonzero(white > black):
        above = np.maximum(0, pixels[:, column].astype(int) - black[column])
        out[:, column] = np.minimum(255, 255 * above // (white[column] - black[column]))
    return out.astype(np.uint8)


@pytest.mark.parametrize("rows", [1, 2, 37])
def test_duplex_grey(rows: int) -> None:
    top, bottom = tables(rows)
    raw = noise(rows, rows, COLUMNS, 2)
    images = assemble(raw.tobytes(), Calibration(top, bottom), GREY)
    # The top row is mirrored and then meets its table; the bottom row meets its table reversed.
    assert np.array_equal(images.top, calibrated(raw[:, ::-1, 0], top))
    assert np.array_equal(images.bottom, calibrated(raw[:, ::-1, 1], bottom)[:, ::-1])
    for image in (images.top, images.bottom):
        assert (image.dtype, image.shape, image.flags.c_contiguous) == (np.dtype(np.uint8), (rows, COLUMNS), True)
    assert images.dpi == 200


def test_plain_tables_change_nothing_and_the_first_pixel_of_the_top_is_its_rightmost() -> None:
    raw = noise(3, 5, COLUMNS, 2)
    images = assemble(bytearray(raw.tobytes()), PLAIN, GREY)
    assert np.array_equal(images.top, raw[:, ::-1, 0])
    assert np.array_equal(images.bottom, raw[:, :, 1])


@pytest.mark.parametrize("side", ["top", "bottom"])
def test_one_side_alone(side: str) -> None:
    top, bottom = tables(8)
    raw = noise(8, 4, COLUMNS)
    images = assemble(raw.tobytes(), Calibration(top, bottom), ScannerSettings(sides="top" if side == "top" else "bottom"))
    if side == "top":
        assert np.array_equal(images.top, calibrated(raw[:, ::-1], top))
        assert images.bottom.shape == (0, COLUMNS)
    else:
        assert np.array_equal(images.bottom, calibrated(raw[:, ::-1], bottom)[:, ::-1])
        assert images.top.shape == (0, COLUMNS)


def wire_bits(top: Bytes, bottom: Bytes) -> bytes:
    """Both sides as a person sees them, 1 = black, as the older mode sends them."""
    halves = [np.packbits(top[:, ::-1], axis=1), np.packbits(bottom, axis=1)]
    return (np.stack(halves, axis=2).reshape(len(top), -1) ^ 0x33).tobytes()


def test_bilevel_mode() -> None:
    ink = noise(4, 2, 6, COLUMNS) & 1
    images = assemble(wire_bits(ink[0], ink[1]), None, BILEVEL)
    assert np.array_equal(images.top, np.where(ink[0], 0, 255))
    assert np.array_equal(images.bottom, np.where(ink[1], 0, 255))


def test_bilevel_bytes_of_the_public_notes() -> None:
    row = bytes.fromhex("aa 55") * (COLUMNS // 8)
    images = assemble(row, None, BILEVEL)
    assert np.packbits(images.top == 0, axis=1).tobytes() == b"\x99" * (COLUMNS // 8)
    assert np.packbits(images.bottom == 0, axis=1).tobytes() == b"\x66" * (COLUMNS // 8)


@pytest.mark.parametrize("side", ["top", "bottom"])
def test_bilevel_one_side_alone(side: str) -> None:
    ink = noise(5, 3, COLUMNS) & 1
    settings = ScannerSettings(bits=1, sides="top" if side == "top" else "bottom")
    raw = (np.packbits(ink[:, ::-1] if side == "top" else ink, axis=1) ^ 0x33).tobytes()
    images = assemble(raw, None, settings)
    assert np.array_equal(images.top if side == "top" else images.bottom, np.where(ink, 0, 255))


def test_black_rows_before_and_after_the_paper_are_left_out_on_both_sides_alike() -> None:
    ink = np.ones((2, 9, COLUMNS), np.uint8)
    ink[0, 2, 5] = 0
    ink[1, 6, 7] = 0
    images = assemble(wire_bits(ink[0], ink[1]), None, BILEVEL)
    assert np.array_equal(images.top, np.where(ink[0, 2:7], 0, 255))
    assert np.array_equal(images.bottom, np.where(ink[1, 2:7], 0, 255))
    black = np.ones((3, COLUMNS), np.uint8)
    with pytest.raises(ImageError, match="every row is black"):
        assemble(wire_bits(black, black), None, BILEVEL)


def test_rows_that_are_not_whole() -> None:
    raw = noise(6, 2, COLUMNS, 2)
    images = assemble(raw.tobytes() + b"ab", PLAIN, GREY)
    assert np.array_equal(images.bottom, raw[:, :, 1])
    with pytest.raises(ImageError) as caught:
        assemble(raw.tobytes() + b"ab", PLAIN, replace(GREY, partial_row="refuse"))
    assert (caught.value.code, caught.value.detail) == (
        "imageTruncated",
        "6914 bytes came: 2 whole rows of 3456 bytes and 2 bytes",
    )


@pytest.mark.parametrize(
    ("raw", "settings", "code"),
    [
        (b"", GREY, "noImage"),
        (b"", BILEVEL, "noImage"),
        (bytes(3457), GREY, "scanUnreadable"),
        (bytes(3454), GREY, "imageTruncated"),
        (bytes(3456 * 3), ScannerSettings(image_limit_bytes=3456 * 2), "scanUnreadable"),
    ],
)
def test_no_image(raw: bytes, settings: ScannerSettings, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        assemble(raw, PLAIN, settings)
    assert caught.value.code == code


def test_grey_without_calibration_is_no_image() -> None:
    with pytest.raises(ImageError, match="calibrated"):
        assemble(bytes(3456), None, GREY)


@pytest.mark.parametrize(
    "table",
    [
        CalibrationTable("bottom", 8, b"\xff" * COLUMNS, bytes(COLUMNS)),
        CalibrationTable("top", 4, b"\xff" * COLUMNS, bytes(COLUMNS)),
        CalibrationTable("top", 8, b"\xff" * 3456, bytes(3456)),
    ],
)
def test_tables_that_are_not_ours(table: CalibrationTable) -> None:
    with pytest.raises(ValueError, match=r"^a table of the (top|bottom) side for "):
        Calibration(table, CalibrationTable("bottom", 8, b"\xff" * COLUMNS, bytes(COLUMNS)))


def images_or_code(raw: bytes, settings: ScannerSettings) -> SheetImages | str:
    try:
        return assemble(raw, PLAIN, settings)
    except ImageError as error:
        return error.code


@given(
    st.binary(max_size=3 * 3456),
    st.sampled_from([1, 8]),
    st.sampled_from(["both", "top", "bottom"]),
    st.sampled_from(["drop", "refuse"]),
)
def test_any_bytes_are_an_image_or_a_code(raw: bytes, bits: int, sides: str, partial_row: str) -> None:
    settings = ScannerSettings(
        bits=1 if bits == 1 else 8,
        sides="both" if sides == "both" else "top" if sides == "top" else "bottom",
        partial_row="drop" if partial_row == "drop" else "refuse",
    )
    images = images_or_code(raw, settings)
    if isinstance(images, str):
        assert images in {"noImage", "imageTruncated", "scanUnreadable"}
    else:
        assert {len(image) for image in (images.top, images.bottom)} - {0} == {max(len(images.top), len(images.bottom))}


def test_a_letter_sheet_is_assembled(benchmark: BenchmarkFixture) -> None:
    raw = bytearray(noise(1, 2200 * 3456).tobytes())
    images = benchmark(assemble, raw, Calibration(*tables(1)), GREY)
    assert images.top.shape == (2200, COLUMNS)
