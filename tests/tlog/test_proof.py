"""A proof file shows that one entry is in a signed log, and no other file does."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.tlog.cosignature import add_cosignature
from edge.evidence.tlog.merkle import inclusion_proof
from edge.evidence.tlog.note import MOST_NOTE_BYTES, NoteError, sign_note
from edge.evidence.tlog.proof import MOST_EXTRA_BYTES, MOST_HASHES, TlogProof, check_proof, make_proof, parse_proof
from tests.tlog.samples import LOG, OTHER, TIME_S, WITNESS, WITNESS_KEY, checkpoint_of, flips, leaves_of

LEAVES = leaves_of(11)
CHECKPOINT = checkpoint_of(LEAVES)
RAW = make_proof(LEAVES, 6, CHECKPOINT).content


def test_a_proof_is_these_bytes() -> None:
    hashes = [base64.b64encode(value) + b"\n" for value in inclusion_proof(LEAVES, 6, 11)]
    assert len(hashes) == 4
    assert b"c2sp.org/tlog-proof@v1\nindex 6\n" + b"".join(hashes) + b"\n" + CHECKPOINT == RAW
    extra = make_proof(LEAVES, 6, CHECKPOINT, b"age").content
    assert extra == RAW.replace(b"\nindex", b"\nextra YWdl\nindex")
    assert parse_proof(extra).extra == b"age"


def test_a_log_of_one_entry_has_a_proof_without_hashes() -> None:
    leaves = leaves_of(1)
    raw = make_proof(leaves, 0, checkpoint_of(leaves)).content
    assert raw.startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nscan.example.org")
    assert check_proof(parse_proof(raw), leaves[0], [LOG.verifier]).size == 1


def test_every_entry_of_every_small_log_is_proved_and_no_other() -> None:
    for size in range(1, len(LEAVES) + 1):
        checkpoint = checkpoint_of(LEAVES[:size])
        for index in range(size):
            proof = parse_proof(make_proof(LEAVES, index, checkpoint).content)
            assert (proof.index, proof.checkpoint) == (index, checkpoint)
            assert check_proof(proof, LEAVES[index], [LOG.verifier]).size == size
            with pytest.raises(NoteError, match="proofWrong"):
                check_proof(proof, LEAVES[(index + 1) % len(LEAVES)], [LOG.verifier])


def test_a_proof_under_a_cosigned_checkpoint_holds() -> None:
    cosigned = add_cosignature(CHECKPOINT, WITNESS_KEY, WITNESS, TIME_S)
    proof = parse_proof(make_proof(LEAVES, 0, cosigned).content)
    assert check_proof(proof, LEAVES[0], [LOG.verifier]).size == 11


def test_a_proof_of_an_unknown_log_is_refused() -> None:
    with pytest.raises(NoteError, match="noteUnsigned"):
        check_proof(parse_proof(RAW), LEAVES[6], [OTHER.verifier])


def test_every_flipped_bit_refuses_the_proof() -> None:
    for changed in flips(RAW):
        with pytest.raises(NoteError):
            check_proof(parse_proof(changed), LEAVES[6], [LOG.verifier])


def test_no_proof_is_made_from_leaves_that_are_not_those_of_the_checkpoint() -> None:
    for leaves in (LEAVES[:10], LEAVES[::-1], []):
        with pytest.raises(NoteError, match="proofWrong"):
            make_proof(leaves, 0, CHECKPOINT)
    for index in (-1, 11):
        with pytest.raises(NoteError, match="proofMalformed"):
            make_proof(LEAVES, index, CHECKPOINT)
    with pytest.raises(NoteError, match="checkpointMalformed"):
        make_proof(LEAVES, 0, sign_note("a shopping list\n", LOG))


HEAD, _, NOTE = RAW.decode().partition("\n\n")
LINES = HEAD.split("\n")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "\n\n",
        HEAD,
        HEAD + "\n\n",
        HEAD + "\n" + NOTE,
        RAW.decode().replace("@v1", "@v2"),
        RAW.decode().replace("index 6", "index 06"),
        RAW.decode().replace("index 6", "index 11"),
        RAW.decode().replace("index 6", "index -6"),
        RAW.decode().replace("index 6", "index  6"),
        RAW.decode().replace("index 6", "index " + "9" * 5000),
        RAW.decode().replace("index 6", "Index 6"),
        RAW.decode().replace("index 6", "extra YWdl"),
        RAW.decode().replace("index 6", "extra \nindex 6"),
        RAW.decode().replace("index 6", "extra YWdm=\nindex 6"),
        RAW.decode().replace("index 6", "extra YWd\nindex 6"),
        RAW.decode().replace("index 6", "extra YWdl\nextra YWdl\nindex 6"),
        RAW.decode().replace("index 6", "index 6\nextra YWdl"),
        RAW.decode().replace("\nindex 6", "\r\nindex 6"),
        RAW.decode().replace("index 6", "index 6\nè"),
        RAW.decode().replace(LINES[2], LINES[2] + "\n" + LINES[2][:-4]),
        RAW.decode().replace(LINES[2], "\n" + LINES[2]),
        RAW.decode().replace(LINES[2], "AAAA\n" * (MOST_HASHES + 1) + LINES[2]),
        "\n" + RAW.decode(),
        RAW.decode() + "\n",
        RAW.decode() + "x" * (MOST_NOTE_BYTES + 2 * MOST_EXTRA_BYTES),
    ],
)
def test_what_is_not_written_as_a_proof_is_refused(raw: str) -> None:
    with pytest.raises(NoteError) as refused:
        parse_proof(raw.encode())
    assert refused.value.code in {"proofMalformed", "noteMalformed", "checkpointMalformed"}


@pytest.mark.parametrize(
    ("index", "hashes", "extra"),
    [
        (11, (), None),
        (-1, (), None),
        (0, (bytes(31),), None),
        (0, (bytes(32),) * (MOST_HASHES + 1), None),
        (0, (), b""),
        (0, (), bytes(MOST_EXTRA_BYTES + 1)),
    ],
)
def test_what_cannot_be_a_proof_is_not_written(index: int, hashes: tuple[bytes, ...], extra: bytes | None) -> None:
    with pytest.raises(NoteError, match="proofMalformed"):
        TlogProof(index, hashes, CHECKPOINT, extra)


@given(st.binary())
def test_no_bytes_raise_anything_but_a_note_error(raw: bytes) -> None:
    with pytest.raises(NoteError):
        parse_proof(raw)


@given(st.integers(0, len(RAW)), st.integers(0, len(RAW)), st.binary(max_size=8))
def test_a_proof_with_a_piece_replaced_is_refused_or_the_same(start: int, end: int, piece: bytes) -> None:
    raw = RAW[:start] + piece + RAW[end:]
    try:
        proof = parse_proof(raw)
    except NoteError:
        return
    assert proof.content == raw


@given(st.integers(0, 10), st.lists(st.binary(min_size=32, max_size=32)), st.one_of(st.none(), st.binary(min_size=1)))
def test_every_proof_is_read_from_its_bytes(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    proof = TlogProof(index, tuple(hashes), CHECKPOINT, extra)
    assert parse_proof(proof.content) == proof
