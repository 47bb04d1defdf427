"""The event log as election offices exchange it: SP 1500-101 (EEL CDF 1.0).

The signed log is the evidence; this is a copy of its entries for other programs. Each event carries the leaf hash of its entry,
so that the copy can be tied to the log: `HashType` is `other` and `OtherHashType` says which hash it is. The standard has no list
of event ids; ours is published by `documentation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from edge.evidence.cdf.dates import check_day, check_moment
from edge.evidence.cdf.error import CdfError
from edge.evidence.events import EVENT_TYPES, EVENTS, Disposition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.evidence.cdf.election_parts import Json, ReportingParty
    from edge.evidence.events import EventKind

LEAF_HASH = "rfc6962-leaf-sha-256"
_HASH_BYTES = 32
_DISPOSITIONS = frozenset(get_args(Disposition))
_EVENT = "EventLogging.Event"
_NEEDED = frozenset({"@type", "Id", "Sequence", "TimeStamp", "Type", "Disposition", "Severity", "Description", "Details"})
"""What an entry of the log has, all of it text."""


def event_log(party: ReportingParty, election_id: str, entries: Sequence[Json], leaves: Sequence[bytes], generated: str) -> Json:
    """The log as one document.

    Args:
        party: Who reports.
        election_id: What the election is called in the log's name.
        entries: The log's entries in order, parsed.
        leaves: Their leaf hashes.
        generated: When the document is made, RFC 3339.

    Raises:
        CdfError: `entryMalformed`, `timeMalformed`.
    """
    if len(entries) != len(leaves) or any(len(leaf) != _HASH_BYTES for leaf in leaves):
        raise ValueError(f"every entry has one leaf hash of {_HASH_BYTES} bytes")
    device: Json = {
        "@type": "EventLogging.Device",
        "Id": party.device_id,
        "Type": "scan-single",
        "Manufacturer": party.manufacturer,
        "Model": party.model,
        "Version": party.application,
        "HashType": "other",
        "OtherHashType": LEAF_HASH,
        "Event": [
            _entry(place, entry) | {"Hash": leaf.hex()} for place, (entry, leaf) in enumerate(zip(entries, leaves, strict=True))
        ],
    }
    document: Json = {
        "@type": "EventLogging.ElectionEventLog",
        "GeneratedTime": check_moment(generated, fraction=True),
        "ElectionId": election_id,
        "Device": [device],
    }
    return document | ({"Details": "The sheets of this log are trial sheets and count nowhere."} if party.test_mode else {})


def _entry(place: int, entry: object) -> Json:
    """An entry as it stands, if it is one that the format takes."""
    if not isinstance(entry, dict) or set(entry) != _NEEDED or not all(isinstance(value, str) for value in entry.values()):
        raise CdfError("entryMalformed", f"entry {place} has not the parts of an event")
    # JSON may escape half of a surrogate pair, which has no UTF-8.
    if any("\ud800" <= character <= "\udfff" for value in entry.values() for character in value):
        raise CdfError("entryMalformed", f"entry {place} has half a character, which cannot be written")
    if entry["@type"] != _EVENT or entry["Sequence"] != str(place) or entry["Disposition"] not in _DISPOSITIONS:
        raise CdfError("entryMalformed", f"entry {place} is no event, has another number, or ended in no known way")
    try:
        check_moment(entry["TimeStamp"], fraction=True)
    except CdfError as error:
        raise CdfError("entryMalformed", f"entry {place}: {error.detail}") from error
    return entry


def documentation(party: ReportingParty, date: str) -> Json:
    """The published list of event ids and types.

    Args:
        party: Whose list.
        date: The day of the list, YYYY-MM-DD.

    Raises:
        CdfError: `timeMalformed`.
    """
    return {
        "@type": "EventLogging.ElectionEventLogDocumentation",
        "DeviceId": party.device_id,
        "DeviceManufacturer": party.manufacturer,
        "DeviceModel": party.model,
        "DeviceVersion": party.application,
        "GeneratedDate": check_day(date),
        "EventIdDescription": [
            {"@type": "EventLogging.EventIdDescription", "Id": event, "Description": _sentences(kind)}
            for event, kind in EVENTS.items()
        ],
        "EventTypeDescription": [
            {"@type": "EventLogging.EventTypeDescription", "Type": name, "Description": text}
            for name, text in EVENT_TYPES.items()
        ],
    }


def _sentences(kind: EventKind) -> str:
    """What an event means, how it is classed, and what its details hold."""
    details = "; ".join(f"{name} ({meaning})" for name, meaning in kind.fields.items())
    classed = f"Type {kind.type}, severity {kind.severity}, disposition {kind.disposition}."
    return f"{kind.text} {classed}" + (f" Details: {details}." if details else "")
