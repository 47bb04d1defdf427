"""The event log as other programs read it."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable

import pytest
import rfc8785

from edge.evidence.cdf.eel import documentation, event_log
from edge.evidence.cdf.error import CdfError
from edge.evidence.events import EVENT_TYPES, EVENTS
from tests.cdf.schemas import Json, Sound
from tests.cdf.sheets import PARTY, TRIAL

GENERATED = "2026-11-03T20:05:00Z"


def entry(place: int, event: str) -> Json:
    kind = EVENTS[event]
    return {
        "@type": "EventLogging.Event",
        "Id": event,
        "Sequence": str(place),
        "TimeStamp": f"2026-11-03T06:31:{place:02d}.250Z",
        "Type": kind.type,
        "Disposition": kind.disposition,
        "Severity": kind.severity,
        "Description": kind.text,
        "Details": rfc8785.dumps({"bootId": "b", "monotonicMs": place, "clock": "unset"}).decode(),
    }


ENTRIES = [entry(place, event) for place, event in enumerate(EVENTS)]
LEAVES = [hashlib.sha256(b"\x00" + rfc8785.dumps(one)).digest() for one in ENTRIES]


def test_every_published_event_may_be_told(sound: Sound) -> None:
    document = event_log(PARTY, "0001-3a5f", ENTRIES, LEAVES, GENERATED)
    (device,) = document["Device"]
    assert (device["Id"], device["Type"]) == (PARTY.device_id, "scan-single")
    assert (device["HashType"], device["OtherHashType"]) == ("other", "rfc6962-leaf-sha-256")
    assert (document["GeneratedTime"], document["ElectionId"]) == (GENERATED, "0001-3a5f")
    sound(document)


def test_an_event_is_its_entry_and_the_hash_of_its_leaf() -> None:
    before = copy.deepcopy(ENTRIES)
    events = event_log(PARTY, "e", ENTRIES, LEAVES, GENERATED)["Device"][0]["Event"]
    for event, one, leaf in zip(events, ENTRIES, LEAVES, strict=True):
        told = dict(event)
        assert told.pop("Hash") == leaf.hex()
        assert hashlib.sha256(b"\x00" + rfc8785.dumps(told)).digest() == leaf
        assert told == one
    assert before == ENTRIES


def test_a_log_may_be_empty_and_of_trial_sheets(sound: Sound) -> None:
    document = event_log(TRIAL, "e", [], [], GENERATED)
    assert "trial" in document["Details"]
    assert "Details" not in event_log(PARTY, "e", [], [], GENERATED)
    sound(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(Sequence="2"),
        lambda e: e.update(Sequence=1),
        lambda e: e.update(Hash="00"),
        lambda e: e.pop("Details"),
        lambda e: e.update(Details={"bootId": "b"}),
        lambda e: e.update(Disposition="perhaps"),
        lambda e: e.update(Description="\ud800"),
        lambda e: e.update(TimeStamp="06:31"),
        lambda e: e.update(TimeStamp="2026-11-03T06:31:00"),
        lambda e: e.update({"@type": "CVR.CVR"}),
    ],
)
def test_an_entry_that_is_no_event_is_refused(change: Callable[[Json], object]) -> None:
    entries = copy.deepcopy(ENTRIES[:2])
    change(entries[1])
    with pytest.raises(CdfError, match=r"^entryMalformed: entry 1"):
        event_log(PARTY, "e", entries, LEAVES[:2], GENERATED)


def test_an_entry_that_is_no_object_is_refused() -> None:
    with pytest.raises(CdfError, match=r"^entryMalformed: entry 0"):
        event_log(PARTY, "e", [["EventLogging.Event"]], LEAVES[:1], GENERATED)  # type: ignore[list-item]  # from a hostile log


@pytest.mark.parametrize("leaves", [LEAVES[:-1], [*LEAVES[:-1], b""]])
def test_leaves_that_are_not_those_of_the_entries_are_a_mistake_of_the_caller(leaves: list[bytes]) -> None:
    with pytest.raises(ValueError, match="leaf hash"):
        event_log(PARTY, "e", ENTRIES, leaves, GENERATED)


def test_a_document_made_at_no_time_is_refused() -> None:
    with pytest.raises(CdfError, match=r"^timeMalformed: "):
        event_log(PARTY, "e", [], [], "now")


def test_the_list_of_events_is_published_with_what_they_carry(sound: Sound) -> None:
    document = documentation(PARTY, "2026-11-03")
    described = {one["Id"]: one["Description"] for one in document["EventIdDescription"]}
    assert set(described) == set(EVENTS)
    assert {one["Type"] for one in document["EventTypeDescription"]} == set(EVENT_TYPES)
    for name, kind in EVENTS.items():
        assert described[name].startswith(kind.text)
        assert all(field in described[name] for field in kind.fields)
    sound(document)


@pytest.mark.parametrize("date", ["2026-11-03T00:00:00Z", "2026-02-30", "20261103", ""])
def test_a_list_of_no_day_is_refused(date: str) -> None:
    with pytest.raises(CdfError, match=r"^timeMalformed: "):
        documentation(PARTY, date)
