"""Ballots for a day: a made-up election, and sheets that were printed, marked, scanned and read."""

from __future__ import annotations

from edge.definition.package import ElectionPackage
from edge.evidence.reading import SheetReading
from edge.station.sheet import sheet_reader
from firmware_bridge.scanner import SheetImages
from hil.paper.election import make_election
from hil.paper.scan import scan
from hil.paper.truth import CAREFUL, ORDINARY, random_marked_sheet

_VOTERS = 12


def pool() -> tuple[ElectionPackage, list[SheetReading]]:
    """An election, and ballots of a dozen voters, held ones among them."""
    package = ElectionPackage(make_election(0, density="sparse"))
    election = package.definition()
    read = sheet_reader(election, package.system_settings(election))
    readings = []
    for voter in range(_VOTERS):
        electorate = ORDINARY if voter % 3 == 0 else CAREFUL
        pair = scan(random_marked_sheet(election, voter, electorate=electorate), seed=voter)
        reading = read(SheetImages(pair.top.pixels, pair.bottom.pixels, pair.dpi))
        if reading.disposition.kind != "return":
            readings.append(reading)
    return package, readings
