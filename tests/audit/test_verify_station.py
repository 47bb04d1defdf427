"""The station's own evidence, exported and verified: what the one writes is what the other wants to see."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from edge.audit.checks.limits import left_open
from edge.audit.closing import close_polls
from edge.audit.export import export
from edge.audit.verification import Outcome, Verification
from edge.audit.verify import verify
from edge.audit.witness import Witness
from edge.evidence.archive import SheetKind
from edge.evidence.clock import LogClock
from edge.evidence.events import LogEvent, Value
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.keys.trust import TrustList
from edge.evidence.medium import BoxShape
from edge.evidence.opening import EvidenceSettings
from edge.evidence.reading import SheetReading
from edge.evidence.software import software_name, software_sha256
from edge.evidence.station_archive import StationArchive
from edge.station.sheet import sheet_reader
from firmware_bridge.scanner import SheetImages
from hil.paper.scan import scan
from hil.paper.truth import CAREFUL, random_marked_sheet
from tests.audit.archive_fake import archive
from tests.audit.exported import AUTHORITY, check_of, outcomes

PACKAGE = archive(cast=0, returned=0).package
SOFTWARE = (software_name(), software_sha256())


@cache
def readings() -> tuple[SheetReading, ...]:
    """Sheets as the station reads them."""
    election = PACKAGE.definition()
    read = sheet_reader(election, PACKAGE.system_settings(election))
    pairs = [scan(random_marked_sheet(election, voter, electorate=CAREFUL), seed=voter) for voter in range(4)]
    return tuple(read(SheetImages(pair.top.pixels, pair.bottom.pixels, pair.dpi)) for pair in pairs)


def store(folder: Path) -> EvidenceStore:
    label = PACKAGE.definition().ballot_hash.hex()
    (folder / "two").mkdir(exist_ok=True)
    media = (folder / "one", folder / "two")
    shape = BoxShape(cast=6, returned=2, slot_bytes=512 << 10)
    settings = EvidenceSettings(media, folder / "keys", "scan.example.org/0001", label, shape, 0)
    return EvidenceStore(settings, PACKAGE, software=SOFTWARE, clock=LogClock())


def started(kept: EvidenceStore) -> None:
    """What the station writes when it starts."""
    books = kept.read()
    fields: dict[str, Value] = {"software": SOFTWARE[0], "softwareSha256": SOFTWARE[1].hex(), "count": books.count}
    kept.note([LogEvent("stationStarted", fields)])


def exported(kept: EvidenceStore, folder: Path, kind: str, witness: Witness) -> Verification:
    kept.note([LogEvent("exportBegun", {"kind": kind})])
    made = StationArchive(kept, PACKAGE)
    folder.mkdir()
    result = export(made, folder)
    kept.note([LogEvent("exportMade", {"kind": kind})])
    trust = TrustList(
        PACKAGE.definition().ballot_hash.hex(), "town", (PACKAGE.sha256(),), (made.verifier,), (AUTHORITY,), (), checked=True
    )
    return verify(result.folder, trust, witness, processes=1)


def test_a_day_of_the_station_is_right_at_noon_and_in_the_evening(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "witness")
    accepted, *others = readings()
    kept = store(tmp_path)
    try:
        started(kept)
        kept.open_polls()
        kept.write_pending(accepted)
        kept.commit()
        kept.keep_returned(others[0])
        noon = exported(kept, tmp_path / "noon", "interim", witness)
        kept.write_pending(others[1])
        kept.close()  # power fails while a sheet moves
        kept = store(tmp_path)
        started(kept)
        kept.commit()
        kept.write_pending(others[2])
        kept.pause_polls()
        kept.commit()
        close_polls(kept, PACKAGE)
        evening = exported(kept, tmp_path / "evening", "closed", witness)
    finally:
        kept.close()
    for seen in (noon, evening):
        assert seen.findings == ()
        assert left_open(seen.checks) == ()
    assert outcomes(evening)["witness"] is Outcome.PASSED
    assert "has grown" in check_of(evening, "witness").sentence
    assert "ran the software that checks here" in check_of(evening, "software").sentence
    assert [sheet.kind for sheet in evening.sheets] == [*[SheetKind.CAST] * 3, SheetKind.RETURNED]
    assert "1 sheet found on the way after a cut" in check_of(evening, "incidents").sentence
    assert "1 time the software ended without saying so" in check_of(evening, "incidents").sentence
