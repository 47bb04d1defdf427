"""A witness's line says when it saw which checkpoint, and nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.tlog import canonical_base64
from edge.evidence.tlog.cosignature import add_cosignature, check_cosignature, cosign, cosignatures_of, cosigner_key
from edge.evidence.tlog.note import (
    COSIGNATURE,
    MOST_TIME,
    NoteError,
    NoteSignature,
    VerifierKey,
    open_note,
    parse_note,
    sign_note,
    timed_message,
)
from tests.tlog.samples import LOG, OTHER_KEY, TIME_S, WITNESS, WITNESS_KEY, checkpoint_of, flips, leaves_of

# The example in C2SP tlog-cosignature; the witness's key is not published.
PUBLISHED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
""".encode()

CHECKPOINT = checkpoint_of(leaves_of(7))
TEXT = parse_note(CHECKPOINT).text
KEY = cosigner_key(WITNESS, WITNESS_KEY)


def refusal(line: NoteSignature, key: VerifierKey = KEY, text: str = TEXT) -> str:
    """Reason for which the line is refused."""
    with pytest.raises(NoteError) as refused:
        check_cosignature(text, line, key)
    return refused.value.code


def test_the_published_cosignature_has_its_published_time() -> None:
    line = parse_note(PUBLISHED).signatures[1]
    assert (line.name, len(line.signature), int.from_bytes(line.signature[:8], "big")) == (
        "witness.example.com/w1",
        72,
        1679315147,
    )


def test_a_cosignature_is_these_bytes() -> None:
    public = WITNESS_KEY.public_key().public_bytes_raw()
    key_id = hashlib.sha256(b"witness.example.org/laptop\n\x04" + public).digest()[:4]
    signed = WITNESS_KEY.sign(b"cosignature/v1\ntime 1893456000\n" + TEXT.encode())
    content = canonical_base64.encode(key_id + (1893456000).to_bytes(8, "big") + signed)
    raw = add_cosignature(CHECKPOINT, WITNESS_KEY, WITNESS, TIME_S)
    assert raw == CHECKPOINT + f"— witness.example.org/laptop {content}\n".encode()
    # Go's formats/note takes this key and this line (tests/tlog/interop).
    assert KEY.text == "witness.example.org/laptop+96c6e21a+BGG3op9v3HIXXDPBmFc/0CioJHhGCXc+pyvvFPlBZdYO"
    assert (KEY.algorithm, VerifierKey.parse(KEY.text)) == (COSIGNATURE, KEY)


def test_a_cosigned_checkpoint_says_by_whom_and_when() -> None:
    raw = add_cosignature(CHECKPOINT, WITNESS_KEY, WITNESS, TIME_S)
    raw = add_cosignature(raw, OTHER_KEY, "second.example.org", TIME_S + 5)
    second = cosigner_key("second.example.org", OTHER_KEY)
    assert cosignatures_of(open_note(raw, [LOG.verifier, second, KEY])) == ((KEY, TIME_S), (second, TIME_S + 5))
    assert cosignatures_of(open_note(raw, [LOG.verifier, second])) == ((second, TIME_S + 5),)
    assert cosignatures_of(open_note(raw, [LOG.verifier])) == ()
    assert cosignatures_of(parse_note(raw)) == ()


def test_two_times_by_one_witness_are_both_told() -> None:
    raw = CHECKPOINT + b"".join(cosign(TEXT, WITNESS_KEY, WITNESS, TIME_S + later).line.encode() for later in (0, 9))
    assert cosignatures_of(open_note(raw, [LOG.verifier, KEY])) == ((KEY, TIME_S), (KEY, TIME_S + 9))


def test_a_witness_does_not_cosign_twice_or_anything_but_a_checkpoint() -> None:
    raw = add_cosignature(CHECKPOINT, WITNESS_KEY, WITNESS, TIME_S)
    with pytest.raises(NoteError, match="noteMalformed"):
        add_cosignature(raw, WITNESS_KEY, WITNESS, TIME_S + 1)
    with pytest.raises(NoteError, match="checkpointMalformed"):
        add_cosignature(sign_note("a shopping list\n", LOG), WITNESS_KEY, WITNESS, TIME_S)


@pytest.mark.parametrize("time", [-1, MOST_TIME + 1])
def test_a_time_that_cannot_be_written_is_refused(time: int) -> None:
    with pytest.raises(NoteError, match="cosignatureMalformed"):
        cosign(TEXT, WITNESS_KEY, WITNESS, time)


@pytest.mark.parametrize("time", [0, MOST_TIME])
def test_the_first_and_the_last_time_are_read_back(time: int) -> None:
    assert check_cosignature(TEXT, cosign(TEXT, WITNESS_KEY, WITNESS, time), KEY) == time


def test_every_flipped_bit_of_a_cosignature_is_refused() -> None:
    line = cosign(TEXT, WITNESS_KEY, WITNESS, TIME_S)
    for changed in flips(line.signature):
        assert refusal(NoteSignature(line.name, line.key_id, changed)) == "noteSignature"
    for changed in flips(line.key_id):
        assert refusal(NoteSignature(line.name, changed, line.signature)) == "cosignatureMalformed"


def test_a_cosignature_holds_for_one_key_and_one_checkpoint() -> None:
    line = cosign(TEXT, WITNESS_KEY, WITNESS, TIME_S)
    assert check_cosignature(TEXT, line, KEY) == TIME_S
    assert refusal(line, cosigner_key(WITNESS, OTHER_KEY)) == "cosignatureMalformed"
    assert refusal(line, LOG.verifier) == "cosignatureMalformed"
    assert refusal(line, text=parse_note(checkpoint_of(leaves_of(8))).text) == "noteSignature"
    assert refusal(line, text="no checkpoint\n") == "checkpointMalformed"
    plain = parse_note(CHECKPOINT).signatures[0]
    assert refusal(plain, LOG.verifier) == "cosignatureMalformed"
    assert refusal(NoteSignature(plain.name, plain.key_id, bytes(72)), LOG.verifier) == "cosignatureMalformed"


def test_a_time_beyond_the_last_is_refused_although_it_is_signed() -> None:
    time = MOST_TIME + 1
    signature = time.to_bytes(8, "big") + WITNESS_KEY.sign(timed_message(time, TEXT.encode()))
    assert refusal(NoteSignature(WITNESS, KEY.key_id, signature)) == "noteSignature"


@given(st.binary(max_size=80))
def test_no_signature_raises_anything_but_a_note_error(signature: bytes) -> None:
    expected = "noteSignature" if len(signature) == 72 else "cosignatureMalformed"
    assert refusal(NoteSignature(WITNESS, KEY.key_id, signature)) == expected
