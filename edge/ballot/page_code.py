"""What a page says about itself: the QR code in its corner, or New Hampshire's code in the bottom row of timing marks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from edge.ballot.result import PageMetadata
from edge.ballot.timing_marks import Fit, MarkSize, fit_marks
from edge.definition.bottom_row import FrontCode, decode_bottom_row
from edge.definition.bubble_payload import decode_bubble_payload
from edge.definition.errors import DefinitionError
from edge.definition.paper import GRID_COLUMNS
from edge.definition.qr_text import payload_from_barcode
from edge.definition.summary_payload import SummaryPayload
from edge.fixed.ink import InkTable
from edge.fixed.number import SUBPIXEL, round_div
from edge.page.area import Area
from edge.page.barcode import Barcode, read_barcodes
from edge.page.error import PageError

if TYPE_CHECKING:
    from edge.ballot.grid import Grid
    from edge.definition.bubble_payload import BubblePayload
    from edge.definition.election import Election
    from edge.page.page import Page

_SQUARE_PARTS = (6, 4)
"""The corners searched for a QR code are squares of a sixth of the page's width, where it usually is, then of a quarter."""
_PRESENT = (70, 70)
_END_PRESENT = (33, 50)
"""Per cent of ink in a mark and of white around it: an inner mark, and an end mark that the edge of the scan may cut."""
_REACH = (Fraction(6, 200), Fraction(6, 200))
"""Inches around its expected place in which a top or bottom mark is looked for, across and down."""


@dataclass(frozen=True, slots=True, eq=False)
class PageCode:
    """A page's own metadata, which way up it lies, and the barcode behind it if there is one."""

    metadata: PageMetadata
    upside_down: bool
    barcode: Barcode | None


def corner_squares(page: Page, parts: int = _SQUARE_PARTS[-1]) -> tuple[Area, Area]:
    """Where a QR code is printed: bottom left, or top right when the page lies upside down."""
    side = page.width // parts
    return Area(0, page.height - side, side, side), Area(page.width - side, 0, side, side)


def read_qr_code(page: Page, election: Election) -> PageCode:
    """Read a hand-marked page's QR code.

    Raises:
        PageError: `invalidQrCodeMetadata` when neither corner holds a code that makes sense, with the decoder's reason;
            `invalidBallotHash` when the ballot is of another election.
    """
    problem = "no QR code in the bottom left or top right corner"
    squares = [corner_squares(page, parts) for parts in _SQUARE_PARTS]
    for barcode in read_barcodes(page, tuple(square for pair in squares for square in pair)):
        try:
            payload = decode_bubble_payload(payload_from_barcode(barcode.data), election)
        except DefinitionError as error:
            if error.code == "invalidBallotHash":
                raise PageError(error.code, error.detail) from error
            problem = str(error)
            continue
        return PageCode(metadata_of(payload, election), barcode.area in {turned for _, turned in squares}, barcode)
    raise PageError("invalidQrCodeMetadata", problem)


def metadata_of(payload: BubblePayload | SummaryPayload, election: Election) -> PageMetadata:
    """A payload with its indices looked up; they are in range when the payload was decoded for this election."""
    return PageMetadata(
        ballot_style_id=election.ballot_styles[payload.style_index].id,
        precinct_id=election.precincts[payload.precinct_index].id,
        page_number=payload.page_number,
        total_pages=payload.total_pages if isinstance(payload, SummaryPayload) else None,
        test_mode=payload.test_mode,
        ballot_type=payload.ballot_type,
        audit_id=payload.audit_id,
        ballot_hash=payload.ballot_hash,
        encoding=payload.version.value,
    )


def _end_row(page: Page, grid: Grid, row: int) -> Fit:
    """How well each of the 34 marks of the top or bottom row is there."""
    columns = np.arange(GRID_COLUMNS, dtype=np.int64)
    x = grid.left_x[row] + round_div(columns * (grid.right_x[row] - grid.left_x[row]), GRID_COLUMNS - 1)
    y = grid.left_y[row] + round_div(columns * (grid.right_y[row] - grid.left_y[row]), GRID_COLUMNS - 1)
    x, y = round_div(x, SUBPIXEL), round_div(y, SUBPIXEL)
    size = MarkSize.on(page)
    margin = 4 * size.height
    top, bottom = max(int(y.min()) - margin, 0), min(int(y.max()) + margin, page.height)
    table = InkTable(page.bits[top:bottom], 0, top)
    return fit_marks(table, size, x, y, page.pixels(_REACH[0]), page.pixels(_REACH[1]))


def read_bottom_row(page: Page, grid: Grid) -> PageCode:
    """Read the code in the bottom row of timing marks. Of the two end rows, the one with fewer marks is the bottom.

    Raises:
        PageError: `invalidTimingMarkMetadata` naming what is wrong with the code.
    """
    first, last = _end_row(page, grid, 0), _end_row(page, grid, grid.rows - 1)
    counts = tuple(int(fit.at_least(*_PRESENT).sum()) for fit in (first, last))
    upside_down = counts[0] < counts[1]
    row = first if upside_down else last
    present = row.at_least(*_PRESENT)
    ends = row.at_least(*_END_PRESENT)
    if not (ends[0] and ends[-1]):
        raise PageError("invalidTimingMarkMetadata", "an end mark of the bottom row is missing")
    inner = present[1:-1]
    # Bit 0 is the rightmost place of the upright page.
    bits = sum(1 << place for place, there in enumerate(inner if upside_down else inner[::-1]) if there)
    try:
        code = decode_bottom_row(bits)
    except DefinitionError as error:
        raise PageError("invalidTimingMarkMetadata", f"bottom row {bits:032b}: {error}") from error
    if isinstance(code, FrontCode):
        style, page_number = code.ballot_style_id, 1
    else:
        style, page_number = "", 2
    metadata = PageMetadata(style, None, page_number, None, None, None, None, None, "bottom-row")
    return PageCode(metadata, upside_down, None)
