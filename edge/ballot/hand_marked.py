"""A hand-marked sheet: both pages measured side by side, joined by what they say of themselves, and scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.ballot.both_sides import both_sides
from edge.ballot.grid import Grid, find_grid
from edge.ballot.page_code import PageCode, read_bottom_row, read_qr_code
from edge.ballot.page_marks import read_marks
from edge.ballot.result import PageMetadata, PageReading, Scan
from edge.fixed.number import Score
from edge.page.error import PageError
from edge.page.streaks import Streak, find_streaks

if TYPE_CHECKING:
    from edge.definition.election import Election
    from edge.definition.page_layout import PageLayout
    from edge.definition.settings import SystemSettings
    from edge.page.page import Page

_REFERENCE_DPI = 200
"""Streak widths in the settings are pixels at this resolution."""

CONCLUSIVE = frozenset(
    {
        "invalidScale",
        "invalidBallotHash",
        "mismatchedBallotMetadata",
        "missingGridLayout",
        "gridPositionOutsideTimingMarkGrid",
        "stretchedSheet",
        "bubblesNotFound",
        "noisyImage",
    }
)
"""Refusals that prove a hand-marked ballot: the sheet is not tried as a machine-marked one."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPage:
    """A page as scanned: its streaks and grid, and what it says of itself or why that could not be read."""

    page: Page
    streaks: tuple[Streak, ...]
    grid: Grid
    scale: Score
    code: PageCode | PageError


def _check_streaks(page: Page, streaks: tuple[Streak, ...], limit: int) -> None:
    total = sum(streak.width for streak in streaks)
    if total * _REFERENCE_DPI > limit * page.dpi:
        columns = ", ".join(f"{s.first}-{s.last}" for s in streaks)
        raise PageError("verticalStreaksDetected", f"{total} pixel columns are streaked: x = {columns}")


def measure_page(page: Page, election: Election, settings: SystemSettings) -> MeasuredPage:
    """Streaks, grid, scale and code of one page.

    Raises:
        PageError: `unexpectedDimensions`, `verticalStreaksDetected`, `missingTimingMarks`, `stretchedSheet`, `lowContrast`,
            `invalidScale`.
    """
    if page.paper is None:
        raise PageError("unexpectedDimensions", f"{page.width} x {page.height} pixels is no paper size that we read")
    if not page.has_print:
        raise PageError("lowContrast", f"the darkest and the lightest are only {page.white - page.black} grey levels apart")
    streaks = () if settings.disable_vertical_streak_detection else find_streaks(page)
    _check_streaks(page, streaks, settings.max_cumulative_streak_width)
    try:
        grid = find_grid(page, infer=settings.timing_mark_inference)
    except PageError as error:
        if error.code == "missingTimingMarks":
            _check_streaks(page, streaks, settings.retry_streak_width_threshold)
        raise
    scale = grid.scale(page.dpi)
    if settings.minimum_scale and not scale.at_least(settings.minimum_scale):
        raise PageError("invalidScale", f"printed at {scale.per_ten_thousand / 100:.2f} % of its size")
    code: PageCode | PageError
    try:
        code = read_bottom_row(page, grid) if election.metadata_encoding == "timing-marks" else read_qr_code(page, election)
    except PageError as error:
        if error.code == "invalidBallotHash":
            raise
        code = error
    return MeasuredPage(page, streaks, grid, scale, code)


def _partner(code: PageCode) -> PageCode:
    """What the other side of a page must say: the partner's number, the same way up, its own code unread."""
    number = code.metadata.page_number
    partner = replace(code.metadata, page_number=number + 1 if number % 2 else number - 1, inferred=True)
    return PageCode(partner, code.upside_down, None)


def _join(measured: tuple[MeasuredPage, MeasuredPage]) -> tuple[PageCode, PageCode]:
    """The codes of both sides, one inferred from the other where only one could be read."""
    a, b = measured[0].code, measured[1].code
    if isinstance(a, PageError):
        if isinstance(b, PageError):
            raise a
        a = _partner(b)
    if isinstance(b, PageError):
        b = _partner(a)
    return a, b


def _check_agreement(a: PageMetadata, b: PageMetadata) -> None:
    """Both sides must be pages of one ballot and partners of each other."""
    fields = ("ballot_hash", "precinct_id", "ballot_style_id", "test_mode", "ballot_type", "audit_id")
    differing = [name for name in fields if getattr(a, name) != getattr(b, name)]
    low, high = sorted((a.page_number, b.page_number))
    if not (low % 2 == 1 and high == low + 1):
        differing.append("page_number")
    if differing:
        raise PageError("mismatchedBallotMetadata", f"the two sides differ in {', '.join(differing)}")


def _order(measured: tuple[MeasuredPage, MeasuredPage], election: Election) -> list[tuple[Scan, MeasuredPage, PageCode]]:
    """Front and back, with the metadata that they share."""
    codes = _join(measured)
    if election.metadata_encoding == "timing-marks":
        numbers = sorted(code.metadata.page_number for code in codes)
        if numbers != [1, 2]:
            side = "front" if numbers[0] == 1 else "back"
            raise PageError("invalidCardMetadata", f"both sides carry the code of a {side}")
        # Only the front's code names the style.
        style = next(code.metadata.ballot_style_id for code in codes if code.metadata.page_number == 1)
        if not style:
            raise PageError("invalidTimingMarkMetadata", "the front's code, which names the ballot style, could not be read")
        first, second = (replace(code, metadata=replace(code.metadata, ballot_style_id=style)) for code in codes)
        codes = first, second
    _check_agreement(codes[0].metadata, codes[1].metadata)
    sides: list[tuple[Scan, MeasuredPage, PageCode]] = [("A", measured[0], codes[0]), ("B", measured[1], codes[1])]
    return sides if codes[0].metadata.page_number % 2 else sides[::-1]


def _layout(metadata: PageMetadata, election: Election) -> PageLayout:
    style, sheet = metadata.ballot_style_id, (metadata.page_number + 1) // 2
    layout = election.page_layout(style, sheet, "front" if metadata.page_number % 2 else "back")
    if layout is None:
        raise PageError("missingGridLayout", f"the election has no layout for ballot style {style}")
    if sheet not in {position.sheet_number for position in election.layout(style) or ()}:
        # Without this it would be read as a sheet on which nobody may vote for anything, and accepted.
        raise PageError("missingGridLayout", f"ballot style {style} has no sheet {sheet}")
    return layout


def _read_side(scan: Scan, measured: MeasuredPage, code: PageCode, election: Election, settings: SystemSettings) -> PageReading:
    """Turn a page upright and read its marks."""
    page, grid, streaks = measured.page, measured.grid, measured.streaks
    if code.upside_down:
        grid = grid.turned(page.width, page.height)
        streaks = tuple(Streak(page.width - 1 - s.last, page.width - 1 - s.first) for s in reversed(streaks))
        page = page.turned()
    reading = PageReading(
        scan,
        "front" if code.metadata.page_number % 2 else "back",
        page,
        code.upside_down,
        grid.paper,
        code.metadata,
        code.barcode,
        grid,
        measured.scale,
        streaks,
    )
    try:
        layout = _layout(code.metadata, election)
        return read_marks(reading, layout, settings) if layout.positions else reading
    except PageError as error:
        error.scan = scan
        raise


def read_hand_marked(pages: tuple[Page, Page], election: Election, settings: SystemSettings) -> tuple[PageReading, PageReading]:
    """Read both pages of a hand-marked sheet: the front's and the back's reading.

    Raises:
        PageError: any of the reason codes of a sheet that cannot be read, with the scan at fault where one is.
    """
    sides = both_sides(lambda _, page: measure_page(page, election, settings), ("A", pages[0]), ("B", pages[1]))
    if sides[0].grid.paper != sides[1].grid.paper:
        raise PageError("mismatchedBallotCardGeometries", f"one side is {sides[0].grid.paper}, the other {sides[1].grid.paper}")
    first, second = _order(sides, election)
    # Not side by side: judging bubbles is many small steps, and two threads would only hand the interpreter's lock to and fro.
    return _read_side(*first, election, settings), _read_side(*second, election, settings)
