"""A sheet as read and decided."""

from __future__ import annotations

from dataclasses import dataclass

from edge.decision import Disposition
from edge.page.page import Grey, Page


@dataclass(frozen=True, slots=True, eq=False)
class SheetReading:
    """A sheet as read.

    Attributes:
        disposition: What is to happen to it, and why.
        record: The canonical JSON of the reading.
        pages: Scan A and scan B with no more grey than a second reading needs; empty for a sheet of which no page was found.
        grey: The whole images of scan A and B, where they are to be kept: uint8 of shape (height, width).
        repeatable: Whether what is kept gives the same record again. Always so for what can be accepted.
        read_in_grey: Whether it is read again from its whole grey images: then `pages` is empty and `grey` has both.
        tally: Whether it was read as a tally sheet.
    """

    disposition: Disposition
    record: bytes
    pages: tuple[Page, ...]
    grey: tuple[Grey, ...] = ()
    repeatable: bool = True
    read_in_grey: bool = False
    tally: bool = False
