"""Counting black pixels, against counting them one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.fixed.ink import Bits, InkTable, column_ink, longest_white_run

pages = hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 1))
edges = st.integers(-20, 70)
boxes = st.lists(st.tuples(edges, edges, st.integers(0, 60), st.integers(0, 60)), max_size=10)


def some_bits(height: int, width: int, seed: int = 1) -> Bits:
    return np.random.default_rng(seed).integers(0, 2, (height, width), np.uint8)


@given(pages, boxes, st.integers(-5, 30), st.integers(-5, 30))
def test_a_table_counts_what_is_in_a_box(bits: Bits, wanted: list[tuple[int, int, int, int]], left: int, top: int) -> None:
    table = InkTable(bits, left, top)
    columns = [np.array([box[axis] for box in wanted], np.int64) for axis in range(4)]
    x0, y0 = columns[0], columns[1]
    ink, area = table.count(x0, y0, x0 + columns[2], y0 + columns[3])
    for place, (x, y, width, height) in enumerate(wanted):
        rows = slice(max(y - top, 0), max(y - top + height, 0))
        seen = bits[rows, max(x - left, 0) : max(x - left + width, 0)]
        assert (ink[place], area[place]) == (seen.sum(), seen.size)


def test_boxes_outside_the_table_hold_nothing() -> None:
    table = InkTable(np.ones((10, 20), np.uint8), 100, 200)
    x0 = np.array([0, 120, 100, 90, 105], np.int64)
    y0 = np.array([200, 200, 190, 210, 205], np.int64)
    ink, area = table.count(x0, y0, x0 + 10, y0 + 10)
    assert ink.tolist() == area.tolist() == [0, 0, 0, 0, 50]


def test_a_table_of_a_view_counts_the_view() -> None:
    bits = some_bits(60, 80)
    table = InkTable(bits[5:55:2, ::-3])
    zero = np.zeros(1, np.int64)
    assert table.count(zero, zero, zero + 1000, zero + 1000)[0].tolist() == [bits[5:55:2, ::-3].sum()]


def test_counts_have_any_shape() -> None:
    bits = some_bits(30, 30)
    x = np.arange(24, dtype=np.int64).reshape(2, 3, 4)
    ink, area = InkTable(bits).count(x, x * 0, x + 1, x * 0 + 30)
    assert ink.shape == area.shape == (2, 3, 4)
    assert ink.ravel().tolist() == bits[:, :24].sum(axis=0).tolist()


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 50)), elements=st.integers(0, 1)))
def test_the_ink_of_columns_is_their_sum(bits: Bits) -> None:
    assert column_ink(bits).tolist() == bits.sum(axis=0, dtype=np.int64).tolist()


@pytest.mark.parametrize("width", [1, 7, 8, 9, 16, 1696, 1700, 1703])
@pytest.mark.parametrize("height", [1, 254, 255, 256, 257, 510, 511, 2200])
def test_tall_columns_and_odd_widths_are_summed(height: int, width: int) -> None:
    for bits in (some_bits(height, width), np.ones((height, width), np.uint8)):
        assert np.array_equal(column_ink(bits), bits.sum(axis=0, dtype=np.int64))


def test_views_are_summed_as_they_are_seen() -> None:
    bits = some_bits(700, 1003)
    views = (bits[3:650, 5:990], bits[::-1], bits[:, :801], bits[::2])
    for view in views:
        assert np.array_equal(column_ink(view), view.sum(axis=0, dtype=np.int64))


def test_a_view_turned_around_is_summed_as_it_is_seen() -> None:
    bits = some_bits(300, 205)
    for view in (bits.T, bits[:, ::-1], bits[:, ::2]):
        assert np.array_equal(column_ink(view), view.sum(axis=0, dtype=np.int64))


@given(st.lists(st.integers(0, 1), max_size=60))
def test_the_longest_white_run_is_found(column: list[int]) -> None:
    runs = "".join(str(bit) for bit in column).split("1")
    assert longest_white_run(np.array(column, np.uint8)) == max(len(run) for run in runs)


@pytest.mark.parametrize(("column", "run"), [([0] * 5, 5), ([1] * 5, 0), ([0, 0, 1, 0], 2), ([1, 0, 0, 0], 3), ([], 0)])
def test_runs_at_the_ends_count(column: list[int], run: int) -> None:
    assert longest_white_run(np.array(column, np.uint8)) == run
