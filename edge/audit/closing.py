"""The polls are closed for good: one commitment to the set of ballots, sorted by their random ids, and never a second one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge.audit.content import is_test, party_of, record_of, set_leaves, set_text
from edge.audit.manifest import ExportError
from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind, StoredSheet, kinds_of
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.tally import Tally, tally
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.station_archive import StationArchive, kept_sheets
from edge.evidence.tlog.merkle import root_of

_ADVICE = "The polls stay as they are: keep the device, use the paper, have the evidence looked at."


@dataclass(frozen=True, slots=True)
class Closed:
    """What was committed to.

    Attributes:
        totals: The counted votes; None where no ballots are read.
        tally_sheets: Tally sheets in the box.
        returned: Returned sheets whose pictures are kept.
        roots: Root over the sheets of each kind.
        checkpoint: The signed checkpoint over the log with the close in it.
    """

    totals: Tally | None
    tally_sheets: int
    returned: int
    roots: dict[SheetKind, bytes]
    checkpoint: bytes


def close_polls(store: EvidenceStore, package: ElectionPackage, progressed: Callable[[], None] = lambda: None) -> Closed:
    """Close the polls of a paused station; `store` is open.

    Raises:
        StoreError: pollsOpen while the key switch has them open, pollsClosed when that was done before, storeBehind when a sheet
        came in
            between, storeCorrupt when the box cannot be read.
        ExportError: the evidence is not what it should be.
    """
    opened = store.opened()
    counted = opened.state
    archive = StationArchive(store, package)
    election = package.election_if_any()
    kinds = kinds_of(package)
    party = party_of(archive.origin, json.loads(archive.entries[0]), test_mode=is_test(archive.origin, package, election))

    def sheets(kind: SheetKind) -> Iterator[StoredSheet]:
        for sheet in kept_sheets(opened, kind):
            progressed()
            yield sheet

    try:
        leaves = {kind: list(set_leaves(kind, sheets(kind), party, election)) for kind in kinds}
        cast = (record_of(sheet.files) for sheet in sheets(SheetKind.CAST))
        totals = None if election is None else tally(election, cast)
    except CdfError as error:
        raise ExportError(error.code, error.detail, _ADVICE) from error
    except ValueError as error:
        raise ExportError("contentUnfit", f"a kept sheet is none: {error}", _ADVICE) from error
    notes = {str(kind): store.sign(set_text(archive.origin, kind, leaves[kind])) for kind in kinds}
    roots = {kind: root_of(leaves[kind]) for kind in kinds}
    store.close_polls(counted, roots, notes)
    checkpoints = StationArchive(store, package).checkpoints
    return Closed(totals, counted.tallied, counted.returned, roots, checkpoints[max(checkpoints)])
