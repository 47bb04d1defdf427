"""A checkpoint is three lines signed by the log it names."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.tlog.checkpoint import MOST_SIZE, Checkpoint, open_checkpoint, parse_checkpoint, parse_decimal
from edge.evidence.tlog.cosignature import add_cosignature, cosigner_key
from edge.evidence.tlog.merkle import EMPTY_ROOT, root_of
from edge.evidence.tlog.note import Ed25519Signer, NoteError, parse_note, sign_note
from tests.tlog.samples import LOG, ORIGIN, OTHER, OTHER_KEY, TIME_S, WITNESS, WITNESS_KEY, checkpoint_of, flips, leaves_of

# The example in C2SP tlog-checkpoint.
PUBLISHED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
""".encode()
ROOT = base64.b64encode(bytes(range(32))).decode()


def test_the_published_checkpoint_is_read_and_written() -> None:
    text = parse_note(PUBLISHED).text
    checkpoint = parse_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size, checkpoint.extensions) == ("example.com/behind-the-sofa", 20852163, ())
    assert checkpoint.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert checkpoint.text == text


def test_a_checkpoint_of_the_log_is_these_bytes() -> None:
    raw = checkpoint_of(leaves_of(3))
    assert raw.decode().split("\n")[:4] == [ORIGIN, "3", base64.b64encode(root_of(leaves_of(3))).decode(), ""]
    assert open_checkpoint(raw, [LOG.verifier]) == Checkpoint(ORIGIN, 3, root_of(leaves_of(3)))


def test_further_lines_are_kept() -> None:
    checkpoint = Checkpoint(ORIGIN, 1, bytes(32), ("one more", "— and another"))
    assert open_checkpoint(sign_note(checkpoint.text, LOG), [LOG.verifier]) == checkpoint


def test_only_the_log_itself_vouches_for_its_checkpoint() -> None:
    text = Checkpoint(ORIGIN, 1, bytes(32)).text
    with pytest.raises(NoteError, match="checkpointOrigin"):
        open_checkpoint(sign_note(text, OTHER), [OTHER.verifier, LOG.verifier])
    assert open_checkpoint(sign_note(text, OTHER, LOG), [OTHER.verifier, LOG.verifier]).origin == ORIGIN
    with pytest.raises(NoteError, match="checkpointOrigin"):
        open_checkpoint(sign_note(Checkpoint(ORIGIN + "/cvr-set", 1, bytes(32)).text, LOG), [LOG.verifier])


def test_a_cosignature_under_the_name_of_the_log_is_not_its_signature() -> None:
    raw = sign_note(Checkpoint(ORIGIN, 1, bytes(32)).text, OTHER)
    raw = add_cosignature(raw, OTHER_KEY, ORIGIN, TIME_S)
    with pytest.raises(NoteError, match="checkpointOrigin"):
        open_checkpoint(raw, [cosigner_key(ORIGIN, OTHER_KEY)])


def test_a_checkpoint_with_a_witness_beside_the_log_opens() -> None:
    raw = add_cosignature(checkpoint_of(leaves_of(5)), WITNESS_KEY, WITNESS, TIME_S)
    assert open_checkpoint(raw, [LOG.verifier, cosigner_key(WITNESS, WITNESS_KEY)]).size == 5


def test_every_flipped_bit_refuses_the_checkpoint() -> None:
    for changed in flips(checkpoint_of(leaves_of(12))):
        with pytest.raises(NoteError):
            open_checkpoint(changed, [LOG.verifier])


def test_a_signed_text_that_is_no_checkpoint_is_refused() -> None:
    with pytest.raises(NoteError, match="checkpointMalformed"):
        open_checkpoint(sign_note("a shopping list\n", LOG), [LOG.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"{ORIGIN}\n5\n{ROOT}\n\n",
        f"{ORIGIN}\n5\n{ROOT}\n\nmore\n",
        f"{ORIGIN}\n\n5\n{ROOT}\n",
        f"{ORIGIN}\n05\n{ROOT}\n",
        f"{ORIGIN}\n+5\n{ROOT}\n",
        f"{ORIGIN}\n-5\n{ROOT}\n",
        f"{ORIGIN}\n 5\n{ROOT}\n",
        f"{ORIGIN}\n5_0\n{ROOT}\n",
        f"{ORIGIN}\n٥\n{ROOT}\n",
        f"{ORIGIN}\n²\n{ROOT}\n",
        f"{ORIGIN}\n{MOST_SIZE + 1}\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
        f"{ORIGIN}\n5\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n5\n{ROOT} \n",
        f"{ORIGIN}\n5\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{ORIGIN}\n5\n{ROOT[:-2]}9=\n",  # bits behind the last byte
        f"{ORIGIN}\n0\n{ROOT}\n",
        f"{ORIGIN}\r\n5\n{ROOT}\n",
        f"{ORIGIN}\n5\n{ROOT}\n\ud800\n",
    ],
)
def test_what_is_not_written_as_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match="checkpointMalformed"):
        parse_checkpoint(text)


def test_the_largest_size_and_the_empty_log_are_checkpoints() -> None:
    for checkpoint in (Checkpoint(ORIGIN, MOST_SIZE, bytes(32)), Checkpoint(ORIGIN, 0, EMPTY_ROOT)):
        assert parse_checkpoint(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, bytes(32), ()),
        ("a\nb", 1, bytes(32), ()),
        ("\ud800", 1, bytes(32), ()),
        ("a", -1, bytes(32), ()),
        ("a", MOST_SIZE + 1, bytes(32), ()),
        ("a", 1, bytes(31), ()),
        ("a", 0, bytes(32), ()),
        ("a", 1, bytes(32), ("",)),
        ("a", 1, bytes(32), ("x\n",)),
    ],
)
def test_what_cannot_be_a_checkpoint_is_not_written(origin: str, size: int, root: bytes, extensions: tuple[str, ...]) -> None:
    with pytest.raises(NoteError, match="checkpointMalformed"):
        Checkpoint(origin, size, root, extensions)


@given(st.one_of(st.text(), st.lists(st.text(), min_size=3, max_size=5).map("\n".join)))
def test_no_text_raises_anything_but_a_note_error(text: str) -> None:
    try:
        checkpoint = parse_checkpoint(text)
    except NoteError:
        return
    assert checkpoint.text == text


@given(st.binary())
def test_no_bytes_open_as_a_checkpoint(raw: bytes) -> None:
    with pytest.raises(NoteError):
        open_checkpoint(raw, [LOG.verifier])


@given(st.integers(0, MOST_SIZE), st.binary(min_size=32, max_size=32), st.lists(st.from_regex(r"[ -~é]{1,20}", fullmatch=True)))
def test_every_checkpoint_is_read_from_its_text(size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root if size else EMPTY_ROOT, tuple(extensions))
    assert parse_checkpoint(checkpoint.text) == checkpoint


@given(st.one_of(st.text(max_size=25), st.integers().map(str)))
def test_a_decimal_has_one_spelling(text: str) -> None:
    number = parse_decimal(text)
    assert number is None or str(number) == text


def test_a_log_that_signs_under_two_names_has_two_keys() -> None:
    renamed = Ed25519Signer(OTHER.name, OTHER_KEY)
    assert renamed == OTHER
    assert renamed.verifier.text != Ed25519Signer(ORIGIN, OTHER_KEY).verifier.text
