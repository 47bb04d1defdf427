"""Hand-marked ballot codes: published vectors, round trips in every version, refusals by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.bubble_payload import (
    BubblePayload,
    BubbleVersion,
    decode_bubble_payload,
    encode_bubble_payload,
    peek_bubble_payload,
)
from edge.definition.errors import DefinitionError
from edge.definition.payload_fields import BallotType, consistent_one
from edge.definition.summary_payload import decode_summary_payload
from tests.definition import town

ELECTION = town.vector_election()
PAGE_1 = BubblePayload(
    version=BubbleVersion.V4_0,
    ballot_hash=town.VECTOR_HASH,
    precinct_index=3,
    style_index=2,
    page_number=1,
    test_mode=False,
    ballot_type=BallotType.PRECINCT,
    audit_id=None,
)
VECTORS = [
    ("565002001122334455667788990018008200", PAGE_1),
    (
        "5642010011223344556677889900180010a2",
        replace(PAGE_1, version=BubbleVersion.VB1, page_number=2, test_mode=True, ballot_type=BallotType.ABSENTEE),
    ),
    ("56420100112233445566778899001800104103622d37", replace(PAGE_1, version=BubbleVersion.VB1, audit_id="b-7")),
]
AUDIT_IDS = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
PAYLOADS = st.builds(
    BubblePayload,
    version=st.sampled_from(BubbleVersion),
    ballot_hash=st.just(town.VECTOR_HASH),
    precinct_index=st.integers(0, len(ELECTION.precincts) - 1),
    style_index=st.integers(0, len(ELECTION.ballot_styles) - 1),
    page_number=st.integers(1, 30),
    test_mode=st.booleans(),
    ballot_type=st.sampled_from(BallotType),
    audit_id=AUDIT_IDS,
)


def flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


@pytest.mark.parametrize(("printed", "payload"), VECTORS)
def test_vectors(printed: str, payload: BubblePayload) -> None:
    data = bytes.fromhex(printed)
    assert encode_bubble_payload(payload, ELECTION) == data
    assert decode_bubble_payload(data, ELECTION) == payload
    assert peek_bubble_payload(data) == payload


def test_version_3_carries_the_elections_counts() -> None:
    data = encode_bubble_payload(replace(PAGE_1, version=BubbleVersion.V3), ELECTION)
    assert data.hex() == "565002" + "00112233445566778899" + "050609" + "682000"
    assert decode_bubble_payload(data, ELECTION).version is BubbleVersion.V3


@given(PAYLOADS)
def test_round_trip(payload: BubblePayload) -> None:
    data = encode_bubble_payload(payload, ELECTION)
    assert decode_bubble_payload(data, ELECTION) == payload
    if payload.version is not BubbleVersion.V3:
        assert peek_bubble_payload(data) == payload
    with pytest.raises(DefinitionError):
        decode_summary_payload(data, ELECTION)


@given(PAYLOADS, st.data())
def test_a_single_wrong_bit_changes_the_reading(payload: BubblePayload, data: st.DataObject) -> None:
    good = encode_bubble_payload(payload, ELECTION)
    bad = flip(good, data.draw(st.integers(0, 8 * len(good) - 1)))
    try:
        assert decode_bubble_payload(bad, ELECTION) != payload
    except DefinitionError as error:
        assert error.code != "ambiguousPayload"  # noqa: PT017 - either outcome is right


@given(st.binary() | st.builds(bytes.__add__, st.sampled_from([b"VP\x02", b"VB\x01"]), st.binary()))
def test_any_bytes_raise_only_definition_errors(data: bytes) -> None:
    with pytest.raises(DefinitionError):
        decode_bubble_payload(data, ELECTION)


@given(st.sampled_from([b"VP\x02", b"VB\x01"]), st.binary(max_size=40))
def test_any_body_is_refused_or_written_back_alike(prelude: bytes, body: bytes) -> None:
    data = prelude + town.VECTOR_HASH + body
    try:
        payload = decode_bubble_payload(data, ELECTION)
    except DefinitionError:
        return
    assert encode_bubble_payload(payload, ELECTION) == data


@given(st.builds(bytes.__add__, st.sampled_from([b"", b"VP\x02", b"VB\x01"]), st.binary()))
def test_peeking_at_any_bytes_raises_only_definition_errors(data: bytes) -> None:
    try:
        assert peek_bubble_payload(data).version is not BubbleVersion.V3
    except DefinitionError as error:
        assert error.detail  # noqa: PT017 - either outcome is right


def body(bits: str) -> bytes:
    """A `VP 2` payload with the right hash and these bits after it, which must fill whole bytes."""
    digits = bits.replace(" ", "")
    return b"VP\x02" + town.VECTOR_HASH + int(digits, 2).to_bytes(len(digits) // 8)


PRECINCT, STYLE = f"{3:013b}", f"{2:013b}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "invalidPrelude"),
        (b"VX\x02", "invalidPrelude"),
        (b"VP\x02", "truncatedPayload"),
        (b"VP\x02" + town.VECTOR_HASH, "truncatedPayload"),
        (b"VP\x02" + bytes(10), "invalidBallotHash"),
        (body(f"{5:013b} {STYLE} 00001 0 0000 0 000"), "invalidIndex"),
        (body(f"{PRECINCT} {6:013b} 00001 0 0000 0 000"), "invalidIndex"),
        (body(f"{PRECINCT} {STYLE} 00000 0 0000 0 000"), "invalidPageNumber"),
        (body(f"{PRECINCT} {STYLE} 11111 0 0000 0 000"), "invalidPageNumber"),
        (body(f"{PRECINCT} {STYLE} 00001 0 0011 0 000"), "invalidBallotType"),
        (body(f"{PRECINCT} {STYLE} 00001 0 0000 0 001"), "nonZeroPadding"),
        (body(f"{PRECINCT} {STYLE} 00001 0 0000 0 000 00000000"), "excessData"),
        (body(f"{PRECINCT} {STYLE} 00001 0 0000 1 00000000 000"), "invalidAuditId"),
        (body(f"{PRECINCT} {STYLE} 00001 0 0000 1 00000001 11111111 000"), "invalidAuditId"),
        (body(f"{PRECINCT} {STYLE} 00001 0 0000 1 00000010 01100001 000"), "truncatedPayload"),
    ],
)
def test_refusals(data: bytes, reason: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{reason}: "):
        decode_bubble_payload(data, ELECTION)


def test_a_foreign_ballot_is_named_with_both_hashes() -> None:
    data = encode_bubble_payload(replace(PAGE_1, ballot_hash=bytes(10)), ELECTION)
    with pytest.raises(DefinitionError) as caught:
        decode_bubble_payload(data, ELECTION)
    assert caught.value.code == "invalidBallotHash"
    assert caught.value.detail == f"expected {town.VECTOR_HASH.hex()}, actual {bytes(10).hex()}"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (replace(PAGE_1, ballot_hash=b"short"), "invalidBallotHash"),
        (replace(PAGE_1, precinct_index=5), "invalidIndex"),
        (replace(PAGE_1, style_index=-1), "invalidIndex"),
        (replace(PAGE_1, page_number=31), "invalidPageNumber"),
        (replace(PAGE_1, audit_id=""), "invalidAuditId"),
        (replace(PAGE_1, audit_id="x" * 256), "invalidAuditId"),
        (replace(PAGE_1, audit_id="\udc80"), "invalidAuditId"),
    ],
)
def test_payloads_that_cannot_be_written(payload: BubblePayload, reason: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{reason}: "):
        encode_bubble_payload(payload, ELECTION)


def test_version_3_cannot_count_past_255() -> None:
    document = town.old_document()
    document["precincts"] = [{"id": f"p-{n}", "name": ""} for n in range(256)]
    with pytest.raises(DefinitionError, match=r"^invalidIndex: version 3 cannot count to 256"):
        encode_bubble_payload(replace(PAGE_1, version=BubbleVersion.V3), town.load(document))


def test_two_consistent_meanings_are_refused() -> None:
    with pytest.raises(DefinitionError, match=r"^ambiguousPayload: "):
        consistent_one(lambda: 1, lambda: 2)
