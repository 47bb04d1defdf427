"""Cast vote records: one report of SP 1500-103 (CVR CDF 1.0) for each cast sheet.

Two snapshots tell what was found from what was made of it. `original` has every bubble with its measure; `interpreted`, the
current one, has the choices that count under the rule of `tally`, with what a person must still look at marked
`needs-adjudication`. In the interpreted snapshot the `TotalNumberVotes` of a contest, its `Overvotes` and its `Undervotes` add up
to its seats.

A report tells neither when a sheet was cast nor after which other: no time but the day of the election, no batch, no number
printed on the paper beforehand, and the only id is the sheet's random one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from edge.evidence.cdf.cvr_election import cvr_election, cvr_parties, cvr_units
from edge.evidence.cdf.cvr_snapshots import MARK_METRIC, MARK_METRIC_NOTE, interpreted, original
from edge.evidence.cdf.dates import election_day
from edge.evidence.cdf.election_parts import DEVICE, ELECTION, Json, parts_of
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.sheet_record import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.definition.election import Election
    from edge.evidence.cdf.election_parts import ReportingParty
    from edge.evidence.cdf.sheet_record import CastSheet

_RANDOM_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_DIGEST_BYTES = 32


def cvr_report(
    party: ReportingParty, election: Election, sheet_id: str, record: Json, images: Mapping[str, tuple[str, bytes]]
) -> Json:
    """The report of one cast sheet.

    Args:
        party: Who reports.
        election: What the sheet was read with.
        sheet_id: The sheet's random UUID, version 4; another kind could tell a time or a sequence.
        record: The parsed JSON of `edge.record`.
        images: By scan, A or B: name of the picture's file beside the report, and its SHA-256 digest.

    Raises:
        CdfError: `sheetIdMalformed`, `electionDate`, and what `read_record` finds wrong with the record.
    """
    if _RANDOM_UUID.fullmatch(sheet_id) is None:
        raise CdfError("sheetIdMalformed", f"{sheet_id[:40]!a} is no UUID of version 4 in lower case")
    sheet = read_record(record, election)
    report: Json = {
        "@type": "CVR.CastVoteRecordReport",
        "Version": "1.0.0",
        "ReportType": ["originating-device-export"],
        "GeneratedDate": f"{election_day(election)}T00:00:00Z",
        "ReportGeneratingDeviceIds": [DEVICE],
        "ReportingDevice": [_device(party)],
        "GpUnit": cvr_units(election),
        "Party": cvr_parties(election),
        "Election": [cvr_election(election)],
        "CVR": [_cvr(election, sheet_id, sheet, images)],
    }
    if party.test_mode:
        report |= {"ReportType": ["originating-device-export", "other"], "OtherReportType": "test"}
    return report


def _device(party: ReportingParty) -> Json:
    return {
        "@id": DEVICE,
        "@type": "CVR.ReportingDevice",
        "SerialNumber": party.device_id,
        "Manufacturer": party.manufacturer,
        "Model": party.model,
        "Application": party.application,
        "MarkMetricType": MARK_METRIC,
        "Notes": [MARK_METRIC_NOTE],
    }


def _cvr(election: Election, sheet_id: str, sheet: CastSheet, images: Mapping[str, tuple[str, bytes]]) -> Json:
    parts = parts_of(election)
    # An XML id may not begin with a digit, as many a UUID does.
    names = {kind: f"sheet-{sheet_id}-{kind}" for kind in ("original", "interpreted")}
    found: Json = {
        "@id": names["original"],
        "@type": "CVR.CVRSnapshot",
        "Type": "original",
        "CVRContest": original(sheet, election),
    }
    counted: Json = {
        "@id": names["interpreted"],
        "@type": "CVR.CVRSnapshot",
        "Type": "interpreted",
        "CVRContest": interpreted(sheet, election),
    }
    if sheet.held:
        counted["Status"] = ["needs-adjudication"]
    cvr: Json = {
        "@type": "CVR.CVR",
        "ElectionId": ELECTION,
        "UniqueId": sheet_id,
        "CreatingDeviceId": DEVICE,
        "BallotStyleId": sheet.style.id,
        "BallotStyleUnitId": parts.unit(sheet.precinct_id),
        "BallotSheetId": str(sheet.sheet_number),
        "BallotImage": [_image(*images[scan]) for scan in sheet.scans if scan in images],
        "CurrentSnapshotId": names["interpreted"],
        "CVRSnapshot": [found, counted],
    }
    if sheet.style.party_id is not None:
        cvr["PartyIds"] = [parts.parties[sheet.style.party_id][0]]
    return cvr


def _image(name: str, digest: bytes) -> Json:
    if len(digest) != _DIGEST_BYTES:
        raise ValueError(f"a SHA-256 digest has {_DIGEST_BYTES} bytes")
    return {
        "@type": "CVR.ImageData",
        "Location": f"file:{quote(name, safe='')}",
        "Hash": {"@type": "CVR.Hash", "Type": "sha-256", "Value": digest.hex()},
    }
