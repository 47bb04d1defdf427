"""From the scanner's images to a decided reading: what the interpreter's worker does with each sheet."""

from __future__ import annotations

from dataclasses import replace

from edge.ballot.interpret import ScannedSheet, interpret, interpret_pages
from edge.decision import decide
from edge.definition.election import Election
from edge.definition.settings import SystemSettings
from edge.evidence.reading import SheetReading
from edge.page.error import PageError
from edge.page.page import Grey, Page, read_page
from edge.record import canonical_json
from edge.station.workers import ReadSheet
from firmware_bridge.scanner import SheetImages


def sheet_reader(election: Election, settings: SystemSettings, *, keep_grey: bool = False) -> ReadSheet:
    """A pure function that reads the sheets of an election; with `keep_grey` the readings hold the whole grey images too."""

    def read(images: SheetImages) -> SheetReading:
        interpretation = interpret(ScannedSheet(images.top, images.bottom, images.dpi), election, settings)
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


def _pages_of_refused(images: SheetImages) -> tuple[Page, Page] | None:
    """The bilevel pages of a sheet that could not be read: what a person needs to see why, and often all that a reader needs."""
    try:
        top, bottom = read_page(images.top, images.dpi), read_page(images.bottom, images.dpi)
    except PageError:
        return None
    return replace(top, grey=None), replace(bottom, grey=None)
