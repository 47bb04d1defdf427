"""Enrolments: what a station says of itself, and what is not believed."""

from __future__ import annotations

import hashlib
import pickle
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.keys.enrolment import (
    MOST_ENROLMENT_BYTES,
    MOST_TITLE,
    Enrolment,
    EnrolmentError,
    fingerprint,
    make_enrolment,
    one_line,
    parse_enrolment,
)
from edge.evidence.keys.weak_points import is_weak
from edge.evidence.tlog.minisign import public_key_text
from edge.evidence.tlog.note import (
    COSIGNATURE,
    ED25519,
    Ed25519Signer,
    NoteSignature,
    VerifierKey,
    add_signature,
    open_note,
    sign_note,
)
from tests.keys.stations import (
    BALLOT_HASH,
    PACKAGE,
    SOFTWARE,
    TITLE,
    authority,
    damaged,
    device_name,
    device_signer,
    enrolment_bytes,
    flipped,
)

RAW = enrolment_bytes(1)
TEXT = RAW.decode().rpartition("\n\n")[0] + "\n"
REFUSALS = {"enrolmentMalformed", "enrolmentSignature"}
NEUTRAL = bytes([1]) + bytes(31)


def code(raw: bytes) -> str:
    with pytest.raises(EnrolmentError) as refused:
        parse_enrolment(raw)
    assert str(refused.value) == f"{refused.value.code}: {refused.value.detail}"
    return refused.value.code


def outcome(raw: bytes) -> str:
    """The code of the refusal, or the text that was believed; any other error fails the test."""
    try:
        return parse_enrolment(raw).text
    except EnrolmentError as error:
        return error.code


def signed(text: str, signer: Ed25519Signer | None = None) -> bytes:
    return sign_note(text, signer or device_signer(1))


def with_line(text: str, line: NoteSignature) -> bytes:
    return f"{text}\n{line.line}".encode()


def test_an_enrolment_is_read_as_it_was_made() -> None:
    key = device_signer(1).verifier
    assert parse_enrolment(RAW) == Enrolment(key, "scan.example.org/0001", BALLOT_HASH, TITLE, SOFTWARE, PACKAGE)
    assert TEXT.splitlines() == [
        "scrutineer enrolment v1",
        f"log {key.text}",
        f"minisign {public_key_text(key.public)}",
        "device scan.example.org/0001",
        f"election {BALLOT_HASH} {TITLE}",
        f"software {SOFTWARE.hex()}",
        f"package {PACKAGE.hex()}",
    ]


def test_the_same_enrolment_has_the_same_bytes() -> None:
    assert enrolment_bytes(1) == RAW
    assert enrolment_bytes(2) != RAW


def test_every_turned_bit_is_refused() -> None:
    for bit in range(8 * len(RAW)):
        assert code(flipped(RAW, bit)) in REFUSALS


@given(st.one_of(st.binary(max_size=600), damaged(RAW)))
def test_whatever_the_bytes_are_they_are_the_enrolment_or_refused(raw: bytes) -> None:
    assert outcome(raw) in REFUSALS or raw == RAW


@given(damaged(TEXT.encode()).map(lambda text: text.decode("utf-8", "replace")))
def test_a_signed_text_that_is_none_is_refused_too(text: str) -> None:
    text = re.sub("[\x00-\x09\x0b-\x1f]", "", text).rstrip("\n") + "\n"
    assert outcome(signed(text)) in {*REFUSALS, text}


@given(st.text(max_size=300))
def test_any_title_makes_one_short_line(title: str) -> None:
    line = one_line(title)
    assert 1 <= len(line) <= MOST_TITLE
    assert one_line(line) == line
    assert parse_enrolment(enrolment_bytes(1, title=title)).title == line


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("", "untitled"),
        (" \n\t ", "untitled"),
        ("a\nsoftware 00", "a software 00"),
        ("a\u202eb\ud800c\x85d", "a b c d"),
        ("  two   words ", "two words"),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 200, "x" * 200),
        ("Wahl in Groß-Beispiel, انتخابات", "Wahl in Groß-Beispiel, انتخابات"),
    ],
)
def test_a_title_cannot_pass_for_another_line(title: str, line: str) -> None:
    assert one_line(title) == line


def test_a_test_election_has_a_name_of_its_own() -> None:
    assert parse_enrolment(enrolment_bytes(1, more="-test")).log.name.endswith(f"{BALLOT_HASH}-test")


def test_another_key_cannot_sign_for_the_device() -> None:
    other = device_signer(1, key=9)
    forged = add_signature(RAW, other.name, other.verifier.key_id, other.sign(TEXT.encode()))
    assert code(forged) == "enrolmentMalformed"
    assert code(signed(TEXT, other)) == "enrolmentSignature"
    assert code(signed(TEXT, authority())) == "enrolmentSignature"
    own = device_signer(1).verifier
    assert code(with_line(TEXT, NoteSignature(own.name, own.key_id, other.sign(TEXT.encode())))) == "enrolmentSignature"


def test_a_signature_over_another_text_is_refused() -> None:
    head, gap, tail = RAW.rpartition(b"\n\n")
    assert code(head.replace(b"Lower", b"Upper") + gap + tail) == "enrolmentSignature"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("enrolment v1", "enrolment v2"),
        ("scrutineer enrolment", " scrutineer enrolment"),
        (f"election {BALLOT_HASH}", f"election {BALLOT_HASH[:-1]}"),
        (f"election {BALLOT_HASH}", f"election {BALLOT_HASH[:-1]}b"),
        (f"election {BALLOT_HASH}", f"election {BALLOT_HASH.upper()}"),
        (TITLE, ""),
        (TITLE, f"{TITLE} "),
        (TITLE, "a  b"),
        (TITLE, "x" * 201),
        (TITLE, "a\u202eb"),
        (SOFTWARE.hex(), SOFTWARE.hex().upper()),
        (SOFTWARE.hex(), SOFTWARE.hex()[:-2]),
        (PACKAGE.hex(), PACKAGE.hex() + "00"),
        ("device scan.example.org/0001", "device scan.example.org/0002"),
        ("device scan.example.org/0001", "device scan.example.org/000"),
        ("device scan.example.org/0001", "device scan.example.org"),
        ("device scan.example.org/0001", "device scan.example.org/0001/"),
        ("\ndevice", "\n\ndevice"),
        ("\nsoftware", "\nnote more\nsoftware"),
        (public_key_text(device_signer(1).verifier.public), public_key_text(device_signer(2).verifier.public)),
        (public_key_text(device_signer(1).verifier.public), "none"),
        (device_signer(1).verifier.text, device_signer(1).verifier.text + "A"),
        (device_signer(1).verifier.text, "none"),
    ],
)
def test_lines_that_are_not_right_are_refused_though_signed(before: str, after: str) -> None:
    assert before in TEXT
    assert code(signed(TEXT.replace(before, after))) == "enrolmentMalformed"


@pytest.mark.parametrize("order", ["seven lines in another order", "one missing", "one twice"])
def test_the_lines_stand_in_their_order_once(order: str) -> None:
    lines = TEXT.splitlines(keepends=True)
    changed = {
        "seven lines in another order": [*lines[:5], lines[6], lines[5]],
        "one missing": lines[:6],
        "one twice": [*lines, lines[6]],
    }[order]
    assert code(signed("".join(changed))) == "enrolmentMalformed"


def test_more_than_an_enrolment_is_not_looked_at() -> None:
    assert code(bytes(MOST_ENROLMENT_BYTES + 1)) == "enrolmentMalformed"
    assert code(b"") == "enrolmentMalformed"
    assert code(RAW + RAW) == "enrolmentMalformed"
    assert code(RAW + b"\n") == "enrolmentMalformed"
    assert code(RAW.replace(b"\n", b"\r\n")) == "enrolmentMalformed"


@pytest.mark.parametrize(
    "change",
    [
        {"device": "scan example"},
        {"device": "scan.example.org/0002"},
        {"device": "scаn.example.org/0001"},  # the third letter is Cyrillic
        {"device": ""},
        {"ballot_hash": "00" * 10},
        {"ballot_hash": BALLOT_HASH.upper()},
        {"software_sha256": b""},
        {"package_sha256": bytes(31)},
    ],
)
def test_an_enrolment_that_nobody_would_read_is_not_made(change: dict[str, str | bytes]) -> None:
    good = {
        "device": device_name(1),
        "ballot_hash": BALLOT_HASH,
        "title": TITLE,
        "software_sha256": SOFTWARE,
        "package_sha256": PACKAGE,
    }
    make_enrolment(device_signer(1), **good)  # type: ignore[arg-type]  # the table mixes text and bytes
    with pytest.raises(EnrolmentError) as refused:
        make_enrolment(device_signer(1), **(good | change))  # type: ignore[arg-type]  # as above
    assert refused.value.code == "enrolmentMalformed"


def test_a_device_name_has_an_end() -> None:
    for length, fits in ((128, True), (129, False)):
        device = "d" * length
        signer = Ed25519Signer(f"{device}/{BALLOT_HASH}", device_signer(1).private)
        text = TEXT.replace(device_signer(1).verifier.text, signer.verifier.text).replace(device_name(1), device)
        if fits:
            assert parse_enrolment(signed(text, signer)).device == device
        else:
            assert code(signed(text, signer)) == "enrolmentMalformed"


def test_a_key_for_which_anyone_can_sign_is_refused() -> None:
    name = device_signer(1).name
    key = VerifierKey(name, ED25519, NEUTRAL)
    forgery = NEUTRAL + bytes(32)
    Ed25519PublicKey.from_public_bytes(NEUTRAL).verify(forgery, b"whatever it says")
    text = TEXT.replace(device_signer(1).verifier.text, key.text).replace(
        public_key_text(device_signer(1).verifier.public), public_key_text(NEUTRAL)
    )
    forged = with_line(text, NoteSignature(name, key.key_id, forgery))
    assert open_note(forged, [key]).text == text
    assert code(forged) == "enrolmentMalformed"


def test_a_key_of_another_kind_is_refused() -> None:
    key = VerifierKey(device_signer(1).name, COSIGNATURE, device_signer(1).verifier.public)
    assert code(signed(TEXT.replace(device_signer(1).verifier.text, key.text))) == "enrolmentMalformed"


def doubled(point: tuple[int, int]) -> tuple[int, int]:
    """The point added to itself on Ed25519's curve, -x² + y² = 1 + d x² y², modulo 2^255 - 19."""
    prime = (1 << 255) - 19
    d = -121665 * pow(121666, -1, prime)
    x, y = point
    product = d * x * x * y * y
    return 2 * x * y * pow(1 + product, -1, prime) % prime, (y * y + x * x) * pow(1 - product, -1, prime) % prime


def test_the_weak_keys_are_the_points_of_small_order() -> None:
    prime = (1 << 255) - 19
    d = -121665 * pow(121666, -1, prime)
    root = pow(2, (prime - 1) // 4, prime)
    orders = []
    for y in (0, 1, prime - 1, *(int.from_bytes(bytes.fromhex(text), "little") for text in ORDER_EIGHT)):
        square = (y * y - 1) * pow(d * y * y + 1, -1, prime) % prime
        x = pow(square, (prime + 3) // 8, prime)
        x = x if x * x % prime == square else x * root % prime
        assert x * x % prime == square
        point, order = (x, y), 1
        while point != (0, 1):
            point, order = doubled(point), order * 2
        orders.append(order)
        for spelled in {y, y + prime} if y + prime < 1 << 255 else {y}:
            for sign in (0, 1 << 255):
                assert is_weak((spelled | sign).to_bytes(32, "little"))
    assert orders == [4, 1, 2, 8, 8]
    assert not is_weak(device_signer(1).verifier.public)


ORDER_EIGHT = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)


def test_a_fingerprint_is_the_beginning_of_a_hash_that_anyone_can_take() -> None:
    key = device_signer(1).verifier
    shown = fingerprint(key)
    assert re.fullmatch("([0-9a-f]{4} ){7}[0-9a-f]{4}", shown)
    assert hashlib.sha256(key.text.encode()).hexdigest().startswith(shown.replace(" ", ""))
    assert fingerprint(device_signer(1, key=2).verifier) != shown


def test_the_error_survives_pickling() -> None:
    with pytest.raises(EnrolmentError) as refused:
        parse_enrolment(b"")
    copy = pickle.loads(pickle.dumps(refused.value))  # noqa: S301  our own
    assert (copy.code, copy.detail) == (refused.value.code, refused.value.detail)
