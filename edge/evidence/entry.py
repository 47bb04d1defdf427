"""An event as an entry of the log: the canonical JSON of a NIST SP 1500-101 Event, with its place and the clocks in it."""

from __future__ import annotations

from edge.definition.canonical_json import canonical_bytes
from edge.evidence.clock import Reading
from edge.evidence.events import LogEvent

_WHOLE_MS = 1_000
"""Times are whole seconds: how long the station took over a sheet could tell which one it was."""


def entry_bytes(event: LogEvent, sequence: int, clock: Reading) -> bytes:
    """The entry, RFC 8785.

    Only `Sequence` says what came before what. The wall clock is there for people; beside it stand the boot, the milliseconds
    since it, and whether the wall clock was known to be right.
    """
    kind = event.kind
    details = {
        "bootId": clock.boot_id,
        "clock": clock.source,
        "monotonicMs": clock.monotonic_ms // _WHOLE_MS * _WHOLE_MS,
        **event.fields,
    }
    return canonical_bytes(
        {
            "@type": "EventLogging.Event",
            "Description": kind.text,
            "Details": canonical_bytes(details).decode(),
            "Disposition": kind.disposition,
            "Id": event.id,
            "Sequence": str(sequence),
            "Severity": kind.severity,
            "TimeStamp": clock.wall,
            "Type": kind.type,
        }
    )
