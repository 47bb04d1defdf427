"""Trust lists: who is on one, who has signed it, and what is not believed."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.keys.enrolment import Enrolment
from edge.evidence.keys.trust import TrustError, countersign, make_trust_list, open_trust_list
from edge.evidence.tlog.note import (
    COSIGNATURE,
    ED25519,
    Ed25519Signer,
    Note,
    NoteError,
    NoteSignature,
    VerifierKey,
    parse_note,
    sign_note,
)
from tests.keys.stations import BALLOT_HASH, PACKAGE, TITLE, authority, damaged, device_signer, enrolment, flipped

FIRST, SECOND = authority(), authority("second.example.org", 201)
RAW = make_trust_list([enrolment(2), enrolment(1)], FIRST)
TEXT = parse_note(RAW).text
REFUSALS = {"trustMalformed", "trustSignature", "trustUnsigned"}


def code(raw: bytes, *known: VerifierKey) -> str:
    with pytest.raises(TrustError) as refused:
        open_trust_list(raw, known)
    assert str(refused.value) == f"{refused.value.code}: {refused.value.detail}"
    return refused.value.code


def outcome(raw: bytes, *known: VerifierKey) -> str:
    """The code of the refusal, or the text that was read; any other error fails the test."""
    try:
        return open_trust_list(raw, known).text
    except TrustError as error:
        return error.code


def test_a_list_is_read_as_it_was_made() -> None:
    read = open_trust_list(RAW, [FIRST.verifier])
    assert (read.ballot_hash, read.title, read.packages) == (BALLOT_HASH, TITLE, (PACKAGE,))
    assert read.logs == (device_signer(1).verifier, device_signer(2).verifier)
    assert read.signed_by == (FIRST.verifier,)
    assert read.names == (FIRST.name,)
    assert read.checked


def test_its_text_is_a_policy_that_other_tools_read() -> None:
    assert TEXT.splitlines() == [
        "# scrutineer trust list v1",
        f"# election {BALLOT_HASH} {TITLE}",
        f"# package {PACKAGE.hex()}",
        f"log {device_signer(1).verifier.text}",
        f"log {device_signer(2).verifier.text}",
        "quorum none",
    ]
    words = [line.split() for line in TEXT.splitlines() if not line.startswith("#")]
    assert [line[0] for line in words] == ["log", "log", "quorum"]
    assert all(VerifierKey.parse(line[1]) for line in words[:2])


def test_the_order_of_the_enrolments_does_not_matter() -> None:
    assert make_trust_list([enrolment(1), enrolment(2)], FIRST) == RAW


def test_without_an_authority_it_is_read_and_not_believed() -> None:
    read = open_trust_list(RAW, [])
    assert not read.checked
    assert read.signed_by == ()
    assert read.names == (FIRST.name,)
    assert len(read.logs) == 2


def test_a_log_is_found_by_its_name_or_is_foreign() -> None:
    read = open_trust_list(RAW, [FIRST.verifier])
    assert read.key_of(device_signer(2).name) == device_signer(2).verifier
    for name in ("", device_signer(3).name, device_signer(2).name + "-test", "scan.example.org/0002"):
        with pytest.raises(TrustError) as refused:
            read.key_of(name)
        assert refused.value.code == "trustForeign"


def test_every_turned_bit_is_refused() -> None:
    for bit in range(8 * len(RAW)):
        assert code(flipped(RAW, bit), FIRST.verifier) in REFUSALS


@given(st.one_of(st.binary(max_size=600), damaged(RAW)), st.booleans())
def test_whatever_the_bytes_are_only_the_authoritys_own_are_believed(raw: bytes, given_two: bool) -> None:
    known = (FIRST.verifier, SECOND.verifier)[: 1 + given_two]
    # A piece copied into the list of signatures may add a line of nobody's, which says nothing; the text is the signed one.
    assert outcome(raw, *known) in {*REFUSALS, TEXT}
    assert isinstance(outcome(raw), str)


@given(damaged(TEXT.encode()).map(lambda text: text.decode("utf-8", "replace")))
def test_a_signed_text_that_is_none_is_refused_too(text: str) -> None:
    text = re.sub("[\x00-\x09\x0b-\x1f]", "", text).rstrip("\n") + "\n"
    assert outcome(sign_note(text, FIRST), FIRST.verifier) in {*REFUSALS, text}


def test_a_list_of_somebody_else_is_not_believed() -> None:
    assert code(RAW, SECOND.verifier) == "trustUnsigned"
    impostor = authority(FIRST.name, 202)
    assert code(make_trust_list([enrolment(1)], impostor), FIRST.verifier) == "trustUnsigned"
    forged = NoteSignature(FIRST.name, FIRST.verifier.key_id, impostor.sign(TEXT.encode())).line
    assert code(f"{TEXT}\n{forged}".encode(), FIRST.verifier) == "trustSignature"
    assert code(RAW.replace(b"Lower", b"Upper"), FIRST.verifier) == "trustSignature"


def test_a_station_cannot_put_itself_on_a_list() -> None:
    station = device_signer(1)
    assert code(make_trust_list([enrolment(1)], station), FIRST.verifier) == "trustUnsigned"


def test_keys_for_which_anyone_can_sign_are_no_authority() -> None:
    neutral = VerifierKey(FIRST.name, ED25519, bytes([1]) + bytes(31))
    forged = NoteSignature(neutral.name, neutral.key_id, bytes([1]) + bytes(63)).line
    assert code(f"{TEXT}\n{forged}".encode(), neutral) == "trustUnsigned"
    assert code(RAW, VerifierKey(FIRST.name, COSIGNATURE, FIRST.verifier.public)) == "trustUnsigned"


def test_two_officials_sign_the_same_list() -> None:
    both = countersign(RAW, SECOND)
    assert both.startswith(RAW)
    for known, by in (
        ([FIRST.verifier], (FIRST.verifier,)),
        ([SECOND.verifier], (SECOND.verifier,)),
        ([SECOND.verifier, FIRST.verifier], (FIRST.verifier, SECOND.verifier)),
    ):
        read = open_trust_list(both, known)
        assert read.signed_by == by
        assert read.names == (FIRST.name, SECOND.name)
    assert open_trust_list(RAW, [FIRST.verifier, SECOND.verifier]).signed_by == (FIRST.verifier,)


def test_one_wrong_signature_of_two_known_refuses_the_list() -> None:
    both = countersign(RAW, SECOND)
    line = NoteSignature(SECOND.name, SECOND.verifier.key_id, bytes(64)).line
    assert code(RAW + line.encode(), FIRST.verifier, SECOND.verifier) == "trustSignature"
    assert open_trust_list(RAW + line.encode(), [FIRST.verifier]).signed_by == (FIRST.verifier,)
    assert both != RAW + line.encode()


def test_nobody_signs_twice() -> None:
    with pytest.raises(TrustError) as refused:
        countersign(RAW, FIRST)
    assert refused.value.code == "trustSigned"


def test_the_second_official_holds_the_list_against_enrolments() -> None:
    assert countersign(RAW, SECOND, [enrolment(1), enrolment(2)]) == countersign(RAW, SECOND)
    for given_ones, words in (
        ([enrolment(1)], device_signer(2).verifier.text),
        ([enrolment(1), enrolment(2), enrolment(3)], device_signer(3).verifier.text),
        ([enrolment(1), enrolment(2, key=9)], device_signer(2, key=9).verifier.text),
        ([enrolment(1, package=bytes(32)), enrolment(2, package=bytes(32))], bytes(32).hex()),
        ([enrolment(1, title="Another"), enrolment(2, title="Another")], "Another"),
        ([enrolment(1, ballot_hash="00" * 10)], "00" * 10),
    ):
        with pytest.raises(TrustError) as refused:
            countersign(RAW, SECOND, given_ones)
        assert refused.value.code == "trustMismatch"
        assert words in refused.value.detail


def test_what_is_no_list_is_not_signed() -> None:
    for raw in (b"", b"text\n", sign_note("scrutineer enrolment v1\n", device_signer(1)), flipped(RAW, 0)):
        with pytest.raises(TrustError) as refused:
            countersign(raw, SECOND)
        assert refused.value.code == "trustMalformed"


def test_a_list_of_many_signatures_takes_no_further_one() -> None:
    raw = RAW
    for number in range(63):
        raw = countersign(raw, authority(f"official-{number}", number))
    with pytest.raises(TrustError) as refused:
        countersign(raw, SECOND)
    assert refused.value.code == "trustMalformed"


@pytest.mark.parametrize(
    ("enrolments", "words"),
    [
        ([], ("at least one",)),
        (
            [enrolment(1), enrolment(2, ballot_hash="00" * 10)],
            (device_signer(1).name, device_signer(2, "00" * 10).name, BALLOT_HASH, "00" * 10),
        ),
        ([enrolment(1), enrolment(2, title="Another")], (device_signer(1).name, device_signer(2).name, TITLE, "Another")),
        (
            [enrolment(1), enrolment(3), enrolment(2, package=bytes(32))],
            (device_signer(1).name, device_signer(2).name, PACKAGE.hex(), bytes(32).hex()),
        ),
        ([enrolment(1), enrolment(1)], (device_signer(1).name, "twice")),
        ([enrolment(1), enrolment(1, key=9)], (device_signer(1).name, "twice")),
        ([enrolment(1), enrolment(2, key=1)], ("scan.example.org/0001", "scan.example.org/0002", "same key")),
    ],
    ids=["none", "election", "title", "package", "given twice", "two keys", "copied key"],
)
def test_enrolments_that_do_not_belong_together_are_refused_naming_both(
    enrolments: list[Enrolment], words: tuple[str, ...]
) -> None:
    with pytest.raises(TrustError) as refused:
        make_trust_list(enrolments, FIRST)
    assert refused.value.code == "trustMismatch"
    assert [word for word in words if word not in refused.value.detail] == []


def test_a_device_may_stand_in_one_list_for_its_test_log_too() -> None:
    raw = make_trust_list([enrolment(1), enrolment(1, more="-test")], FIRST)
    assert [log.name[-5:] for log in open_trust_list(raw, [FIRST.verifier]).logs] == [BALLOT_HASH[-5:], "-test"]


LOGS = [device_signer(number).verifier.text for number in (1, 2)]
FOREIGN = Ed25519Signer("scan.example.org/0001/00112233445566778899", device_signer(1).private).verifier.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("trust list v1", "trust list v2"),
        (f"# election {BALLOT_HASH}", "# election 00"),
        (f"# election {BALLOT_HASH}", f"# election {'00' * 10}"),
        (TITLE, " "),
        (TITLE, "a  b"),
        (TITLE, "a\u2028b"),
        (PACKAGE.hex(), PACKAGE.hex().upper()),
        (PACKAGE.hex(), PACKAGE.hex() + f"\n# package {PACKAGE.hex()}"),
        (PACKAGE.hex(), "ff" * 32 + f"\n# package {PACKAGE.hex()}"),
        (f"log {LOGS[0]}\nlog {LOGS[1]}\n", ""),
        (f"log {LOGS[0]}\nlog {LOGS[1]}\n", f"log {LOGS[1]}\nlog {LOGS[0]}\n"),
        (f"log {LOGS[0]}\n", f"log {LOGS[0]}\nlog {LOGS[0]}\n"),
        (f"log {LOGS[0]}\n", f"log {LOGS[0]}\nlog {device_signer(1, key=9).verifier.text}\n"),
        (LOGS[0], LOGS[0] + " https://example.org/"),
        (LOGS[0], FOREIGN),
        (
            LOGS[0],
            VerifierKey("scаn.example.org/0001/" + BALLOT_HASH, ED25519, bytes(31) + b"\x02").text,
        ),  # with a Cyrillic letter
        (LOGS[0], VerifierKey(device_signer(1).name, ED25519, bytes(32)).text),
        (LOGS[0], VerifierKey(device_signer(1).name, COSIGNATURE, device_signer(1).verifier.public).text),
        (LOGS[0], VerifierKey(device_signer(1).name, 0xFF, b"whatever").text),
        ("quorum none", "quorum none\nquorum none"),
        ("quorum none", "witness w " + LOGS[0] + "\nquorum w"),
        ("quorum none", ""),
        ("\nlog", "\n# a comment\nlog"),
        ("\nlog", "\n\nlog"),
    ],
)
def test_lines_that_are_not_right_are_refused_though_signed(before: str, after: str) -> None:
    assert before in TEXT
    raw = sign_note(TEXT.replace(before, after, 1), FIRST)
    assert code(raw, FIRST.verifier) == "trustMalformed"
    assert code(raw) == "trustMalformed"


def test_a_list_may_name_no_package_or_several() -> None:
    none = sign_note(TEXT.replace(f"# package {PACKAGE.hex()}\n", ""), FIRST)
    assert open_trust_list(none, [FIRST.verifier]).packages == ()
    two = sign_note(TEXT.replace("\nlog", f"\n# package {'ff' * 32}\nlog", 1), FIRST)
    assert open_trust_list(two, [FIRST.verifier]).packages == (PACKAGE, b"\xff" * 32)


def test_a_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.evidence.keys.trust.MOST_LOGS", 2)
    open_trust_list(RAW, [])
    with pytest.raises(TrustError) as refused:
        make_trust_list([enrolment(number) for number in (1, 2, 3)], FIRST)
    assert refused.value.code == "trustMalformed"


def test_known_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Note:
        raise NoteError("keyMalformed", "two different known keys have one id")

    monkeypatch.setattr("edge.evidence.keys.trust.open_note", refuse)
    assert code(RAW, FIRST.verifier) == "trustUnsigned"


def test_the_error_survives_pickling() -> None:
    with pytest.raises(TrustError) as refused:
        open_trust_list(b"", [])
    copy: Any = pickle.loads(pickle.dumps(refused.value))  # noqa: S301  our own
    assert (copy.code, copy.detail) == (refused.value.code, refused.value.detail)
