"""The models that a tally sheet is read with."""

from __future__ import annotations

from dataclasses import dataclass

from edge.inference.digits import DigitReader, digit_reader
from edge.inference.regions import RegionFinder, region_finder


@dataclass(frozen=True, slots=True)
class TallyReaders:
    """Who reads the digits, and who says where a form lies."""

    digits: DigitReader
    regions: RegionFinder


def tally_readers() -> TallyReaders:
    """Give the released models of this process, each loaded once; raises ModelError as they do."""
    return TallyReaders(digit_reader(), region_finder())
