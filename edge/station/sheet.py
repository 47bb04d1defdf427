"""From the scanner's images to a decided reading: what the interpreter's worker does with each sheet."""

from __future__ import annotations

from dataclasses import replace

from edge.ballot.interpret import ScannedSheet, interpret, interpret_pages
from edge.decision import decide
from edge.definition.election import Election
from edge.definition.errors import DefinitionError
from edge.definition.package import ElectionPackage
from edge.definition.settings import SystemSettings
from edge.evidence.reading import SheetReading
from edge.page.error import PageError
from edge.page.page import Grey, Page, read_page
from edge.record import canonical_json
from edge.station.workers import ReadSheet
from edge.tally_sheet import TallySheet, TallySheetReader
from firmware_bridge.scanner import SheetImages

NO_BALLOT = frozenset(
    {
        "blankSheet",
        "borderInsetNotFound",
        "invalidQrCodeMetadata",
        "invalidTimingMarkMetadata",
        "lowContrast",
        "missingTimingMarks",
        "noisyImage",
        "unexpectedDimensions",
        "verticalStreaksDetected",
    }
)
"""Refusals of a sheet on which nothing says that it is a ballot: it may be a tally sheet. The printed frames of a form can look
like streaks and like timing marks."""


def package_reader(package: ElectionPackage, *, keep_grey: bool = False) -> ReadSheet:
    """A pure function that reads the sheets of a package: ballots of its election, if it has one, and tally sheets of its forms.

    Raises:
        DefinitionError, ValueError: the package is none.
        ModelError: tally sheets are to be read, and the digit model cannot be used.
    """
    tally = TallySheetReader(package.forms) if package.forms else None
    if package.election is not None:
        election = package.definition()
        return sheet_reader(election, package.system_settings(election), tally, keep_grey=keep_grey)
    if tally is None:
        raise DefinitionError("noElection", "the package holds neither an election nor a form")
    return lambda images: _tally_reading(images, tally.read(images.top, images.bottom))


def sheet_reader(
    election: Election, settings: SystemSettings, tally: TallySheetReader | None = None, *, keep_grey: bool = False
) -> ReadSheet:
    """A pure function that reads the sheets of an election.

    Args:
        election: What the ballots are of.
        settings: How strictly.
        tally: What reads a sheet that is no ballot at all; None where every sheet is one.
        keep_grey: Whether the readings of ballots hold the whole grey images too.
    """

    def read(images: SheetImages) -> SheetReading:
        interpretation = interpret(ScannedSheet(images.top, images.bottom, images.dpi), election, settings)
        if tally is not None and interpretation.refusal is not None and interpretation.refusal.code in NO_BALLOT:
            sheet = tally.read(images.top, images.bottom)
            if sheet.form is not None:
                return _tally_reading(images, sheet)
        disposition = decide(interpretation, election, settings)
        record = canonical_json(interpretation, disposition)
        grey: tuple[Grey, ...] = (images.top, images.bottom) if keep_grey else ()
        if interpretation.pages:
            pages = sorted(interpretation.pages, key=lambda page: page.scan)
            return SheetReading(disposition, record, tuple(page.stored() for page in pages), grey)
        stored = _pages_of_refused(images)
        again = interpret_pages(stored, election, settings) if stored else None
        repeatable = again is not None and canonical_json(again, decide(again, election, settings)) == record
        return SheetReading(disposition, record, stored or (), grey, repeatable)

    return read


def _tally_reading(images: SheetImages, sheet: TallySheet) -> SheetReading:
    """What a tally sheet needs to be read again are its whole images."""
    grey = (images.top, images.bottom)
    return SheetReading(sheet.disposition, sheet.record, (), grey, read_in_grey=True, tally=sheet.form is not None)


def _pages_of_refused(images: SheetImages) -> tuple[Page, Page] | None:
    """The bilevel pages of a sheet that could not be read: what a person needs to see why, and often all that a reader needs."""
    try:
        top, bottom = read_page(images.top, images.dpi), read_page(images.bottom, images.dpi)
    except PageError:
        return None
    return replace(top, grey=None), replace(bottom, grey=None)
