"""From the scanner's images to a decided reading: what the interpreter's worker does with each sheet."""

from __future__ import annotations

from edge.ballot.interpret import ScannedSheet, interpret
from edge.decision import decide
from edge.definition.election import Election
from edge.definition.settings import SystemSettings
from edge.evidence.reading import SheetReading
from edge.record import canonical_json
from edge.station.workers import ReadSheet
from firmware_bridge.scanner import SheetImages


def sheet_reader(election: Election, settings: SystemSettings) -> ReadSheet:
    """A pure function that reads the sheets of an election."""

    def read(images: SheetImages) -> SheetReading:
        interpretation = interpret(ScannedSheet(images.top, images.bottom, images.dpi), election, settings)
        disposition = decide(interpretation, election, settings)
        pages = sorted(interpretation.pages, key=lambda page: page.scan)
        return SheetReading(disposition, canonical_json(interpretation, disposition), tuple(page.stored() for page in pages))

    return read
