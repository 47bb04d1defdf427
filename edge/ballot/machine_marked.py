"""A machine-marked (summary) ballot: the votes are in a QR code, anywhere on either page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.ballot.both_sides import both_sides
from edge.ballot.page_code import metadata_of
from edge.ballot.result import Interpretation, PageReading, Scan
from edge.definition.errors import DefinitionError
from edge.definition.qr_text import payload_from_barcode
from edge.definition.summary_payload import SummaryPayload, decode_summary_payload
from edge.page.area import Area
from edge.page.barcode import Barcode, read_barcodes
from edge.page.error import PageError

if TYPE_CHECKING:
    from edge.definition.election import Election
    from edge.definition.settings import SystemSettings
    from edge.page.page import Page


def _areas(page: Page) -> tuple[Area, Area]:
    """The top 50 % and the bottom 60 % of a page: the code is usually printed at the top."""
    lower = page.height * 60 // 100
    return Area(0, 0, page.width, page.height // 2), Area(0, page.height - lower, page.width, lower)


def _find(page: Page, election: Election) -> tuple[SummaryPayload, Barcode] | PageError | None:
    """The summary code on a page; None when there is no QR code, an error when there is one that is not ours."""
    problem: PageError | None = None
    if not page.has_print:
        return None
    for barcode in read_barcodes(page, _areas(page)):
        try:
            return decode_summary_payload(payload_from_barcode(barcode.data), election), barcode
        except DefinitionError as error:
            code = "invalidBallotHash" if error.code == "invalidBallotHash" else "invalidQrCodeMetadata"
            found = PageError(code, error.detail if code == error.code else str(error))
            if problem is None or code == "invalidBallotHash":
                problem = found
    return problem


def read_machine_marked(pages: tuple[Page, Page], election: Election, settings: SystemSettings) -> Interpretation:
    """Read a summary ballot from whichever page carries the code.

    Raises:
        PageError: `bmdBallotScanningDisabled`, `blankSheet` when neither page has a code, `invalidBallotHash`,
            `invalidQrCodeMetadata` when the code makes no sense or both pages carry one.
    """
    found = both_sides(lambda _, page: _find(page, election), ("A", pages[0]), ("B", pages[1]))
    if found == (None, None):
        raise PageError("blankSheet", "neither timing marks nor a QR code of a ballot were found")
    if not settings.precinct_scan_enable_bmd_ballot_scanning:
        raise PageError("bmdBallotScanningDisabled", "machine-marked ballots are not read at this station")
    readable = [(place, result) for place, result in enumerate(found) if isinstance(result, tuple)]
    if len(readable) > 1:
        raise PageError("invalidQrCodeMetadata", "both pages carry votes")
    for place, result in enumerate(found):
        if isinstance(result, PageError):
            raise PageError(result.code, result.detail, "AB"[place])
    place, (payload, barcode) = readable[0]
    scan: Scan = "B" if place else "A"
    page = pages[place]
    # The code is printed in the upper half: found in the lower half, the page lies upside down.
    upside_down = 2 * barcode.y > page.height
    metadata = metadata_of(payload, election)
    upright = page.turned() if upside_down else page
    reading = PageReading(scan, "front", upright, upside_down, page.paper, metadata, barcode, None, None, ())
    other = pages[1 - place].turned() if upside_down else pages[1 - place]
    back = PageReading("A" if place else "B", "back", other, upside_down, other.paper, None, None, None, None, ())
    votes: dict[str, tuple[str, ...]] = {}
    for contest in sorted(payload.contests_on_page):
        written = len(payload.write_ins.get(contest, ()))
        options = (*payload.votes.get(contest, ()), *(f"write-in-{index}" for index in range(written)))
        if options:
            votes[contest] = tuple(sorted(options))
    return Interpretation(
        kind="machineMarked",
        refusal=None,
        pages=(reading, back),
        metadata=metadata,
        contests=payload.contests_on_page,
        votes=votes,
        write_in_names=dict(payload.write_ins),
    )
