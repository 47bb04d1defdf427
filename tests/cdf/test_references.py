"""References that lead nowhere and doubled names are found; the table is the schemas'."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.cdf.eel import event_log
from edge.evidence.cdf.err import election_report
from edge.evidence.cdf.references import REFERENCES, check
from edge.evidence.cdf.tally import tally
from tests.cdf.schemas import FILES, FOLDER, Json, schema
from tests.cdf.sheets import PARTY, marked_by_hand, report, town

RECORD = marked_by_hand(town(), "s0", {}, precinct_id="p-1")
CVR = report(town(), RECORD)
ERR = election_report(PARTY, town(), tally(town(), [RECORD]), "2026-11-03T20:06:00Z", "certified")


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no schemas: {FOLDER} is missing (SCRUTINEER_SCHEMAS names another folder)")
@pytest.mark.parametrize("kind", FILES)
def test_the_table_is_what_the_schema_notes(kind: str) -> None:
    noted: dict[str, set[frozenset[str]]] = {}
    plain: set[str] = set()
    for definition in schema(kind)["definitions"].values():
        for name, shape in definition.get("properties", {}).items():
            types = shape.get("refTypes") or shape.get("items", {}).get("refTypes")
            if types:
                noted.setdefault(name, set()).add(frozenset(types))
            else:
                plain.add(name)
    assert {name: {types} for name, types in REFERENCES[kind].items()} == noted
    # One table by name is enough only as long as no name is a reference here and a plain text there.
    assert not plain & set(noted)


def test_sound_documents_have_nothing_wrong() -> None:
    assert check(CVR) == check(ERR) == check(event_log(PARTY, "e", [], [], "2026-11-03T20:06:00Z")) == []


Change = Callable[[Json], object]
BROKEN: dict[str, tuple[Json, Change, str]] = {
    "a snapshot that is not there": (
        CVR,
        lambda d: d["CVR"][0].update(CurrentSnapshotId="gone"),
        "CurrentSnapshotId of a 'CVR.CVR' names 'gone', which is not there",
    ),
    "a device for a unit": (
        CVR,
        lambda d: d["CVR"][0].update(BallotStyleUnitId="device"),
        "BallotStyleUnitId of a 'CVR.CVR' names 'device', which is a 'CVR.ReportingDevice'",
    ),
    "one of several": (
        CVR,
        lambda d: d["ReportGeneratingDeviceIds"].append("other"),
        "ReportGeneratingDeviceIds of a 'CVR.CastVoteRecordReport' names 'other', which is not there",
    ),
    "no text": (CVR, lambda d: d["CVR"][0].update(ElectionId=7), "ElectionId of a 'CVR.CVR' is not a text"),
    "a name twice": (CVR, lambda d: d["GpUnit"].append(dict(d["GpUnit"][0])), "the @id 'scope' is given twice"),
    "a name that is no text": (CVR, lambda d: d["GpUnit"].append({"@id": 1}), "an @id is not a text"),
    "a unit of the results": (
        ERR,
        lambda d: d["Election"][0]["BallotCounts"][0].update(GpUnitId="nowhere"),
        "GpUnitId of a 'ElectionResults.BallotCounts' names 'nowhere', which is not there",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_told(name: str) -> None:
    sound, change, sentence = BROKEN[name]
    document = copy.deepcopy(sound)
    change(document)
    assert check(document) == [sentence]


@pytest.mark.parametrize("document", [None, [], {}, {"@type": "Other.Thing"}, {"@type": ["CVR"]}])
def test_a_document_in_no_known_format_is_told(document: object) -> None:
    assert check(document) == ["the document is in none of the known formats"]


def test_a_long_name_is_cut_in_the_sentence() -> None:
    document = copy.deepcopy(CVR)
    document["CVR"][0]["ElectionId"] = "x\n" * 10_000
    (sentence,) = check(document)
    assert len(sentence) < 250
    assert sentence.isprintable()


def test_a_deep_document_is_followed_to_its_end() -> None:
    document: Json = {"@type": "CVR.CVR", "ContestId": "c"}
    for _ in range(100_000):
        document = {"@type": "CVR.CVR", "Notes": [document]}
    assert check(document) == ["ContestId of a 'CVR.CVR' names 'c', which is not there"]


NAMES = st.sampled_from(["@id", "@type", "ContestId", "PartyIds", "CVR"])
ANY = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(ANY, st.dictionaries(NAMES, ANY))
def test_no_document_is_too_odd_to_be_checked(any_value: object, members: Json) -> None:
    for document in (any_value, {**members, "@type": "CVR.CastVoteRecordReport"}):
        assert all(isinstance(sentence, str) for sentence in check(document))
