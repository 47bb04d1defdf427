"""An entry of an event log, held against the published list of events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.definition.canonical_json import canonical_bytes
from edge.definition.exact_json import InexactJsonError, read_exact_json
from edge.evidence.events import EVENTS, EventKind, Value
from edge.evidence.tlog.tiles import MOST_ENTRY_BYTES

_KEYS = {"@type", "Id", "Sequence", "TimeStamp", "Type", "Disposition", "Severity", "Description", "Details"}
_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d{1,9})?Z")
_CLOCKS = {"synchronised", "unsynchronised", "unset"}
_MOST_INTEGER = (1 << 53) - 1
"""What RFC 8785 can write."""

_INTEGERS = {"count", "returned", "tallySheets"}
_SIGNED = {"byMs"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ROOT = re.compile(r"[A-Za-z0-9+/]{43}=")
_CHOICE = re.compile(r"(\w+, )*\w+ or \w+")
_FORMS: Mapping[str, re.Pattern[str]] = {
    "softwareSha256": _SHA256,
    "packageSha256": _SHA256,
    "box": re.compile(r"[0-9a-f]{32}"),
    "castRoot": _ROOT,
    "returnedRoot": _ROOT,
    "tallyRoot": _ROOT,
    "recordSha256": _SHA256,
}


class EntryError(ValueError):
    """An entry that no station of ours writes: a reason code (entryMalformed, entryUnknown, entryForeign) and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its place in the log.

    Attributes:
        index: That place, from 0.
        id: One of `EVENTS`.
        time: The wall clock, RFC 3339. It can be set by anybody and says nothing of the order.
        boot: Which start of the machine.
        monotonic_ms: Time since that start, milliseconds.
        clock: Whether the wall clock was synchronised, unsynchronised or unset.
        fields: What the event carries, as the published list has it.
        json: The whole entry.
    """

    index: int
    id: str
    time: str
    boot: str
    monotonic_ms: int
    clock: str
    fields: Mapping[str, Value]
    json: dict[str, Any]

    def text(self, name: str) -> str:
        """A field that is a text."""
        return str(self.fields[name])

    def number(self, name: str) -> int:
        """A field that is a whole number."""
        return int(self.fields[name])


def read_event(entry: bytes, index: int) -> LoggedEvent:
    """The event in an entry.

    Raises:
        EntryError: it is not canonical JSON of the published shape, is not in the published list, or names another place.
    """
    found = _canonical(entry, "the entry")
    if set(found) != _KEYS or found["@type"] != "EventLogging.Event" or not all(isinstance(text, str) for text in found.values()):
        raise EntryError("entryMalformed", "the entry does not have the parts of an event")
    if found["Sequence"] != str(index):
        raise EntryError("entryForeign", f"the entry says that it is number {found['Sequence'][:40]!a}")
    kind = EVENTS.get(found["Id"])
    if kind is None:
        raise EntryError("entryUnknown", f"the published list has no event {found['Id'][:80]!a}")
    published = (kind.type, kind.severity, kind.disposition, kind.text)
    if (found["Type"], found["Severity"], found["Disposition"], found["Description"]) != published:
        raise EntryError("entryMalformed", f"it does not describe {found['Id']} as the published list does")
    if _TIME.fullmatch(found["TimeStamp"]) is None:
        raise EntryError("entryMalformed", f"{found['TimeStamp'][:40]!a} is no time")
    return _event(found, index, kind)


def _event(found: dict[str, Any], index: int, kind: EventKind) -> LoggedEvent:
    """The event, once what it carries is as the list says."""
    fields = _canonical(found["Details"].encode("utf-8", "replace"), "Details")
    if set(fields) != {"bootId", "monotonicMs", "clock", *kind.fields}:
        raise EntryError("entryMalformed", f"Details does not have the fields of {found['Id']}")
    boot, monotonic_ms, clock = (fields.pop(name) for name in ("bootId", "monotonicMs", "clock"))
    if not isinstance(boot, str) or not boot or not _is_whole(monotonic_ms) or clock not in _CLOCKS:
        raise EntryError("entryMalformed", "bootId, monotonicMs or clock are not what they should be")
    for name, value in fields.items():
        if not _fits(name, kind.fields[name], value):
            raise EntryError("entryMalformed", f"{name} cannot be {value!a:.80}")
    return LoggedEvent(index, found["Id"], found["TimeStamp"], boot, monotonic_ms, clock, fields, found)


def _canonical(raw: bytes, what: str) -> dict[str, Any]:
    try:
        found = read_exact_json(raw, MOST_ENTRY_BYTES)
        if not isinstance(found, dict) or canonical_bytes(found) != raw:
            raise EntryError("entryMalformed", f"{what} is not an object in canonical JSON")
    except (InexactJsonError, TypeError, UnicodeError) as error:
        raise EntryError("entryMalformed", f"{what} is not canonical JSON: {error}") from error
    return found


def _is_whole(value: object, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST_INTEGER


def _fits(name: str, published: str, value: object) -> bool:
    """Whether a field, of which the published list says what it is, may have this value."""
    if name in _INTEGERS:
        return _is_whole(value)
    if name in _SIGNED:
        return _is_whole(value, -_MOST_INTEGER)
    form = _FORMS.get(name)
    if not isinstance(value, str) or (form is not None and form.fullmatch(value) is None):
        return False
    # Where the published list says "this, that or those", it is one of these words.
    words = re.sub(r" \([^)]*\)", "", published)
    return _CHOICE.fullmatch(words) is None or value in re.split(", | or ", words)
