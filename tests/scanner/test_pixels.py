"""What a host gets back from the pixel stream; decoded here as the public notes say, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.scanner.calibration import Tables, flat_tables, worn_tables
from hil.scanner.knobs import Behaviour
from hil.scanner.pixels import Encoding, Sides, encode
from hil.scanner.sheet import Grey, Sheet
from tests.scanner.host import BURST, Host, sheet

_COLUMNS = 1728
_SCRAMBLED = bytes(byte ^ 0x33 for byte in range(256))


def _corrected(row: list[int], white: list[int], black: list[int]) -> list[int]:
    return [0 if w <= b else min(255, 255 * max(0, p - b) // (w - b)) for p, w, b in zip(row, white, black, strict=True)]


def _tables_of(host: Host) -> list[tuple[list[int], list[int]]]:
    host.send(b"W1")
    tables = []
    for body in host.said():
        assert body[:3] == b"W\xc0\x06"
        tables.append((list(body[4 : 4 + _COLUMNS]), list(body[6 + _COLUMNS : 6 + 2 * _COLUMNS])))
    return tables


def _decoded(stream: bytes, tables: list[tuple[list[int], list[int]]]) -> tuple[Grey, Grey]:
    (top_white, top_black), (bottom_white, bottom_black) = tables
    rows = [stream[first : first + 2 * _COLUMNS] for first in range(0, len(stream), 2 * _COLUMNS)]
    tops = [_corrected(list(row[0::2])[::-1], top_white, top_black) for row in rows]
    bottoms = [_corrected(list(row[1::2]), bottom_white[::-1], bottom_black[::-1]) for row in rows]
    return np.array(tops, np.uint8), np.array(bottoms, np.uint8)


def _scanned(host: Host, *sheets: Sheet) -> bytes:
    host.scan(*sheets)
    return host.pixels()


def test_flat_tables_give_the_same_pixels_back() -> None:
    host = Host()
    paper = sheet(rows=40)
    top, bottom = _decoded(_scanned(host, paper), _tables_of(host))
    assert (top == paper.top).all()
    assert (bottom == paper.bottom).all()


def test_worn_tables_give_nearly_the_same_pixels_back() -> None:
    host = Host(behaviour=Behaviour())
    paper = sheet(rows=20)
    top, bottom = _decoded(_scanned(host, paper), _tables_of(host))
    for got, wanted in ((top, paper.top), (bottom, paper.bottom)):
        excess = got.astype(int) - wanted
        assert excess.min() == 0
        assert excess.max() <= 1
    assert len({tuple(white) for white, _ in _tables_of(host)}) == 2


def test_narrow_sheets_lie_on_the_bed_and_wide_ones_are_cut() -> None:
    top = np.full((20, 100), 200, np.uint8)
    bottom = np.tile(np.arange(1730) % 251, (30, 1)).astype(np.uint8)
    host = Host()
    seen_top, seen_bottom = _decoded(_scanned(host, Sheet("A", top, bottom)), _tables_of(host))
    assert seen_top.shape == (30, _COLUMNS)
    assert (seen_top[:20, 814:914] == 200).all()
    assert int(seen_top.sum()) == 20 * 100 * 200
    assert (seen_bottom == bottom[:, 1:-1]).all()


@pytest.mark.parametrize(("command", "top", "bottom"), [(b"J", True, True), (b"G", True, False), (b"H", False, True)])
def test_one_bit_mode(command: bytes, top: bool, bottom: bool) -> None:
    host = Host()
    paper = sheet(rows=16)
    host.ask(b"\x1bK", *BURST, b"z", command, b"\x1b%T\x32", b"8")
    host.scanner.insert(paper)
    stream = host.pixels().translate(_SCRAMBLED)
    sides = top + bottom
    assert len(stream) == 216 * sides * 16
    for row in range(16):
        line = stream[row * 216 * sides : (row + 1) * 216 * sides]
        if top:
            bits = "".join(f"{byte:08b}" for byte in line[0::sides])[::-1]
            assert bits == "".join("1" if level * 100 < 50 * 255 else "0" for level in paper.top[row].tolist())
        if bottom:
            bits = "".join(f"{byte:08b}" for byte in line[sides - 1 :: sides])
            assert bits == "".join("1" if level * 100 < 75 * 255 else "0" for level in paper.bottom[row].tolist())


def test_the_published_bits() -> None:
    # Two rows of eight pixels, all others white: top 99 99, bottom 66 66 come as aa 55 aa 55.
    pattern = np.array([[0 if 0x99 >> (7 - column) & 1 else 255 for column in range(8)]] * 2, np.uint8)
    whole = np.full((2, 1728), 255, np.uint8)
    top, bottom = whole.copy(), whole.copy()
    top[:, -8:], bottom[:, :8] = pattern, 255 - pattern
    stream = bytes(encode(Sheet("A", top, bottom), Encoding(Sides.DUPLEX, grey=False), flat_tables(), flat_tables()))
    assert stream[:2] + stream[432:434] == bytes.fromhex("aa 55 aa 55")


@pytest.mark.parametrize(("sides", "side"), [(Sides.TOP, 0), (Sides.BOTTOM, 1)])
def test_one_grey_side(sides: Sides, side: int) -> None:
    paper = sheet(rows=5)
    stream = bytes(encode(paper, Encoding(sides, grey=True), flat_tables(), flat_tables()))
    wanted = paper.top[:, ::-1] if side == 0 else paper.bottom
    assert stream == wanted.tobytes()


@given(white=st.integers(0, 255), black=st.integers(0, 255), level=st.integers(0, 255))
def test_any_table_that_can_tell_levels_apart_gives_the_next_level_that_it_can(white: int, black: int, level: int) -> None:
    white, black = max(white, black + 1), min(black, 254)
    white = min(255, white)
    tables = Tables(np.full(_COLUMNS, white, np.uint8), np.full(_COLUMNS, black, np.uint8))
    side = np.full((1, 8), level, np.uint8)
    stream = encode(Sheet("A", side, side), Encoding(Sides.BOTTOM, grey=True), tables, tables)
    (got,) = _corrected([stream[_COLUMNS // 2]], [white], [black])
    assert level <= got
    assert got - level < 255 / (white - black) + 1


def test_worn_tables_are_plausible() -> None:
    tables = worn_tables(1)
    assert not tables.flat
    assert int(tables.white.min()) > 150
    assert int(tables.black.max()) < 40
    assert len(set(tables.white.tolist())) > 10
