"""Average precision and suppression against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.region.precision import Boxes, average_precision, mean_precision, suppressed

HERE, BESIDE, THERE = (0, 0, 10, 10), (2, 0, 12, 10), (100, 100, 110, 110)


def test_all_found_and_nothing_else_is_one() -> None:
    true = Boxes.of([(0, 0, HERE, 1, True), (1, 0, THERE, 1, True)])
    found = Boxes.of([(0, 0, HERE, 0.9, True), (1, 0, THERE, 0.3, True)])

    assert average_precision(found, true, 0, 0.5) == 1
    assert mean_precision(found, true, range(1)) == {"ap50": 1, "ap": 1}


def test_a_false_one_between_costs_as_the_curve_says() -> None:
    true = Boxes.of([(0, 0, HERE, 1, True), (1, 0, THERE, 1, True)])
    found = Boxes.of([(0, 0, HERE, 0.9, True), (0, 0, THERE, 0.8, True), (1, 0, THERE, 0.7, True)])

    assert average_precision(found, true, 0, 0.5) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_a_truth_is_found_once_and_in_its_own_picture() -> None:
    true = Boxes.of([(0, 0, HERE, 1, True)])
    twice = Boxes.of([(0, 0, HERE, 0.9, True), (0, 0, BESIDE, 0.8, True)])
    elsewhere = Boxes.of([(1, 0, HERE, 0.9, True)])

    assert average_precision(twice, true, 0, 0.5) == 1
    assert average_precision(elsewhere, true, 0, 0.5) == 0


def test_overlap_must_reach_the_least() -> None:
    # 8 of 12 columns are common: an overlap of two thirds.
    true, found = Boxes.of([(0, 0, HERE, 1, True)]), Boxes.of([(0, 0, BESIDE, 0.9, True)])

    assert average_precision(found, true, 0, 0.65) == 1
    assert average_precision(found, true, 0, 0.7) == 0
    assert mean_precision(found, true, range(1)) == {"ap50": 1, "ap": 0.4}


def test_what_is_not_counted_is_neither_missed_nor_false() -> None:
    true = Boxes.of([(0, 0, HERE, 1, False), (0, 0, THERE, 1, True)])
    found = Boxes.of([(0, 0, HERE, 0.9, True), (0, 0, THERE, 0.8, True)])

    assert average_precision(found, true, 0, 0.5) == 1
    assert math.isnan(average_precision(found, true, 1, 0.5))


def test_labels_do_not_mix() -> None:
    true = Boxes.of([(0, 0, HERE, 1, True), (0, 1, THERE, 1, True)])
    found = Boxes.of([(0, 1, HERE, 0.9, True), (0, 1, THERE, 0.8, True)])

    assert average_precision(found, true, 0, 0.5) == 0
    assert average_precision(found, true, 1, 0.5) == 0.5


def test_suppression_keeps_the_best_of_those_that_overlap() -> None:
    box = np.array([BESIDE, HERE, THERE], np.float64)

    assert suppressed(box, np.array([0.5, 0.9, 0.1]), 0.5, 20).tolist() == [1, 2]
    assert suppressed(box, np.array([0.5, 0.9, 0.1]), 0.7, 20).tolist() == [1, 0, 2]
    assert suppressed(box, np.array([0.5, 0.9, 0.1]), 0.7, 1).tolist() == [1]
    assert suppressed(box[:0], np.zeros(0), 0.5, 20).tolist() == []
