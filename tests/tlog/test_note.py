"""Signed notes are read and written byte for byte as other tools do, and nothing else passes for one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.tlog import canonical_base64
from edge.evidence.tlog.note import (
    COSIGNATURE,
    ED25519,
    MOST_NOTE_BYTES,
    MOST_SIGNATURES,
    Ed25519Signer,
    NoteError,
    NoteSignature,
    VerifierKey,
    add_signature,
    open_note,
    parse_note,
    sign_note,
)
from tests.tlog.samples import LOG, LOG_KEY, OTHER, flips

# The example in the documentation of golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
""".encode()
# The example in C2SP signed-note: no published key, an empty line within the text.
POEM = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
""".encode()

TEXT = "first line\n\nline after an empty one — è\n"
NOTE = sign_note(TEXT, LOG)


def code_of(raw: bytes, *known: VerifierKey) -> str:
    """Reason for which the note is refused."""
    with pytest.raises(NoteError) as refused:
        open_note(raw, known or (LOG.verifier,))
    return refused.value.code


def test_the_published_note_verifies_with_the_published_key() -> None:
    key = VerifierKey.parse(PUBLISHED_KEY)
    assert (key.name, key.algorithm, key.key_id.hex(), key.text) == ("PeterNeumann", ED25519, "c74f20a3", PUBLISHED_KEY)
    note = open_note(PUBLISHED_NOTE, [key])
    assert note.text.startswith("If you think")
    assert note.text.endswith("is.\n")
    assert note.verified_by == (key,)


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = parse_note(POEM)
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [(line.name, line.key_id.hex(), len(line.signature)) for line in note.signatures] == [
        ("quasimodo.example/salvatore", "367ba04b", 64)
    ]
    assert note.verified_by == ()


def test_a_note_is_these_bytes() -> None:
    signature = LOG_KEY.sign(TEXT.encode())
    public = LOG_KEY.public_key().public_bytes_raw()
    key_id = hashlib.sha256(b"scan.example.org/0001/interop\n\x01" + public).digest()[:4]
    line = "— scan.example.org/0001/interop " + canonical_base64.encode(key_id + signature) + "\n"
    assert (TEXT + "\n" + line).encode() == NOTE
    assert LOG.verifier.text == "scan.example.org/0001/interop+e6f03177+AZsfhHkc/HZjBFhU04netcqVRJ2HXydqg4QLBgqznPxx"


def test_a_signer_does_not_show_its_key() -> None:
    secret = LOG_KEY.private_bytes_raw()
    assert secret.hex() not in repr(LOG)
    assert "private" not in repr(LOG)


def test_two_keys_sign_in_order_and_either_is_enough() -> None:
    raw = sign_note(TEXT, LOG, OTHER)
    assert [line.name for line in parse_note(raw).signatures] == [LOG.verifier.name, OTHER.verifier.name]
    assert open_note(raw, [OTHER.verifier]).verified_by == (OTHER.verifier,)
    assert open_note(raw, [OTHER.verifier, LOG.verifier]).verified_by == (LOG.verifier, OTHER.verifier)


def test_a_line_is_added_beneath_the_others() -> None:
    added = parse_note(sign_note(TEXT, OTHER)).signatures[0]
    assert add_signature(NOTE, added.name, added.key_id, added.signature) == sign_note(TEXT, LOG, OTHER)


def test_a_line_of_an_unknown_type_is_kept_and_passed_over() -> None:
    opaque = VerifierKey("chip.example.org", 0x02, b"any DER")
    assert opaque.key_id == hashlib.sha256(b"any DER").digest()[:4]
    assert VerifierKey.parse(opaque.text) == opaque
    assert not opaque.verify(b"", b"")
    raw = add_signature(NOTE, opaque.name, opaque.key_id, b"opaque")
    note = open_note(raw, [opaque, LOG.verifier])
    assert note.verified_by == (LOG.verifier,)
    assert note.signatures[1] == NoteSignature(opaque.name, opaque.key_id, b"opaque")
    assert code_of(raw, opaque) == "noteUnsigned"


def test_one_public_key_has_another_id_under_another_name_and_type() -> None:
    public = LOG_KEY.public_key().public_bytes_raw()
    keys = [VerifierKey("a.example", ED25519, public), VerifierKey("b.example", ED25519, public)]
    keys.append(VerifierKey("a.example", COSIGNATURE, public))
    assert len({key.key_id for key in keys}) == 3
    renamed = Ed25519Signer("b.example", LOG_KEY)
    assert code_of(sign_note(TEXT, renamed), keys[0]) == "noteUnsigned"


def test_a_signature_of_one_type_does_not_verify_as_the_other() -> None:
    timed = VerifierKey(LOG.name, COSIGNATURE, LOG.verifier.public)
    plain = LOG_KEY.sign(TEXT.encode())
    assert not timed.verify(TEXT.encode(), bytes(8) + plain)
    for signature in (b"", bytes(7), bytes(72), b"\xff" * 8 + plain):
        assert not timed.verify(TEXT.encode(), signature)
        assert not LOG.verifier.verify(TEXT.encode(), signature)


def test_a_known_key_that_fails_refuses_the_note_although_another_holds() -> None:
    raw = add_signature(NOTE, OTHER.verifier.name, OTHER.verifier.key_id, bytes(64))
    assert open_note(raw, [LOG.verifier]).verified_by == (LOG.verifier,)
    assert code_of(raw, LOG.verifier, OTHER.verifier) == "noteSignature"


def test_each_of_two_lines_by_one_key_has_to_hold() -> None:
    line = parse_note(NOTE).signatures[0].line.encode()
    assert open_note(NOTE + line, [LOG.verifier]).verified_by == (LOG.verifier,)
    bad = NoteSignature(LOG.name, LOG.verifier.key_id, bytes(64)).line.encode()
    assert code_of(NOTE + bad) == "noteSignature"
    assert code_of(NOTE.removesuffix(line) + bad + line) == "noteSignature"


def test_two_known_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_note(NOTE, [LOG.verifier, LOG.verifier]).verified_by == (LOG.verifier,)
    monkeypatch.setattr(VerifierKey, "key_id", property(lambda _: b"same"))
    twin = VerifierKey(LOG.name, ED25519, OTHER.verifier.public)
    assert code_of(NOTE, LOG.verifier, twin) == "keyMalformed"


def test_an_unknown_name_or_id_is_not_the_known_key() -> None:
    line = parse_note(NOTE).signatures[0]
    other_id = NoteSignature(line.name, b"\0\0\0\0", line.signature).line
    other_name = NoteSignature("else.example.org", line.key_id, line.signature).line
    for changed in (other_id, other_name):
        assert code_of(f"{TEXT}\n{changed}".encode()) == "noteUnsigned"
    with pytest.raises(NoteError, match="noteUnsigned"):
        open_note(NOTE, [])


def test_every_flipped_bit_refuses_the_note() -> None:
    codes = {code_of(changed) for changed in flips(NOTE)}
    assert codes == {"noteMalformed", "noteSignature", "noteUnsigned"}


def test_every_flipped_bit_of_a_key_refuses_it() -> None:
    for changed in flips(PUBLISHED_KEY.encode()):
        with pytest.raises(NoteError, match="keyMalformed"):
            VerifierKey.parse(changed.decode("latin-1"))


LINE = parse_note(NOTE).signatures[0].line
BASE64 = LINE.split(" ")[2].removesuffix("\n")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        TEXT + "\n",
        TEXT + LINE,
        f"{TEXT}\n{LINE}\n",
        f"{TEXT}\n{LINE}more",
        f"{TEXT}\n{LINE}".removesuffix("\n"),
        f"{TEXT}\n {LINE}",
        f"{TEXT}\n{LINE.replace('—', '-')}",
        f"{TEXT}\n{LINE.replace('— ', '—')}",
        f"{TEXT}\n{LINE.replace('— ', '—  ')}",
        f"{TEXT}\n{LINE.replace('— ', '— + ')}",
        f"{TEXT}\n— {BASE64}\n",
        f"{TEXT}\n— a+b {BASE64}\n",
        f"{TEXT}\n— a\u00a0b {BASE64}\n",
        f"{TEXT}\n— a\u2028b {BASE64}\n",
        f"{TEXT}\n— name {BASE64} \n",
        f"{TEXT}\n— name {BASE64}=\n",
        f"{TEXT}\n— name {BASE64.removesuffix('=')}\n",
        f"{TEXT}\n— name AAAAAA==\n",  # a key id and nothing more
        f"{TEXT}\n— name AAAAAB==\n",
        f"{TEXT}\n— name AAAAAAF=\n",  # bits behind the last byte
        f"{TEXT}\n— name AAAA-_AA\n",
        f"{TEXT}\n— name AAAAAAAAè\n",
        f"tab\tin it\n\n{LINE}",
        f"return\r\n\n{LINE}",
        f"zero\0\n\n{LINE}",
    ],
)
def test_what_is_not_written_as_a_note_is_refused(raw: str) -> None:
    assert code_of(raw.encode()) == "noteMalformed"


def test_a_note_that_is_not_utf8_is_refused() -> None:
    for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80"):
        assert code_of(bad + NOTE) == "noteMalformed"


def test_size_and_number_of_signatures_are_bounded() -> None:
    signers = [Ed25519Signer(f"key{number}.example", LOG_KEY) for number in range(MOST_SIGNATURES + 1)]
    raw = sign_note(TEXT, *signers[:-1])
    assert len(open_note(raw, [signer.verifier for signer in signers]).verified_by) == MOST_SIGNATURES
    line = parse_note(sign_note(TEXT, signers[-1])).signatures[0]
    assert code_of(raw + line.line.encode()) == "noteMalformed"
    with pytest.raises(NoteError, match="noteMalformed"):
        add_signature(raw, line.name, line.key_id, line.signature)
    most = "x" * (MOST_NOTE_BYTES - len(LINE.encode()) - 2) + "\n"
    assert len(sign_note(most, LOG)) == MOST_NOTE_BYTES
    with pytest.raises(NoteError, match="noteMalformed"):
        sign_note("x" + most, LOG)


@pytest.mark.parametrize("text", ["", "no end", "a\r\n", "a\0\n", "\ud800\n"])
def test_a_text_that_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError, match="noteMalformed"):
        sign_note(text, LOG)


def test_nobody_and_one_key_twice_do_not_make_a_note() -> None:
    for signers in ((), (LOG, LOG)):
        with pytest.raises(NoteError, match="noteMalformed"):
            sign_note(TEXT, *signers)
    with pytest.raises(NoteError, match="noteMalformed"):
        add_signature(NOTE, LOG.name, LOG.verifier.key_id, bytes(64))


@pytest.mark.parametrize(
    ("name", "key_id", "signature"),
    [
        ("a b", b"1234", b"s"),
        ("a", b"123", b"s"),
        ("a", b"12345", b"s"),
        ("a", b"1234", b""),
        ("", b"1234", b"s"),
        ("\ud800", b"1234", b"s"),
    ],
)
def test_a_line_that_cannot_be_one_is_not_added(name: str, key_id: bytes, signature: bytes) -> None:
    with pytest.raises(NoteError, match="noteMalformed"):
        add_signature(NOTE, name, key_id, signature)


@pytest.mark.parametrize(
    ("name", "algorithm", "public"),
    [
        ("", ED25519, bytes(32)),
        ("a b", ED25519, bytes(32)),
        ("a+b", ED25519, bytes(32)),
        ("a\nb", ED25519, bytes(32)),
        ("a\x1bb", ED25519, bytes(32)),
        ("\ud800", ED25519, bytes(32)),
        ("a", ED25519, bytes(31)),
        ("a", COSIGNATURE, bytes(33)),
        ("a", 0x02, b""),
        ("a", 0, bytes(32)),
        ("a", 256, bytes(32)),
    ],
)
def test_what_cannot_be_a_key_is_refused(name: str, algorithm: int, public: bytes) -> None:
    with pytest.raises(NoteError, match="keyMalformed"):
        VerifierKey(name, algorithm, public)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "++",
        "name",
        "name+c74f20a3",
        "name+c74f20a3+",
        PUBLISHED_KEY + "\n",
        PUBLISHED_KEY.replace("c74f20a3", "C74F20A3"),
    ],
)
def test_a_text_that_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match="keyMalformed"):
        VerifierKey.parse(text)


@given(st.binary())
def test_no_bytes_raise_anything_but_a_note_error(raw: bytes) -> None:
    with pytest.raises(NoteError):
        open_note(raw, [LOG.verifier])


@given(st.integers(0, len(NOTE)), st.integers(0, len(NOTE)), st.binary(max_size=8))
def test_a_note_with_a_piece_replaced_is_refused_or_the_same(start: int, end: int, piece: bytes) -> None:
    raw = NOTE[:start] + piece + NOTE[end:]
    try:
        note = open_note(raw, [LOG.verifier])
    except NoteError:
        return
    assert raw == NOTE
    assert note.text == TEXT


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_without_controls_is_read_as_it_was_signed(text: str) -> None:
    text += "\n"
    if any(character < " " and character != "\n" for character in text):
        with pytest.raises(NoteError, match="noteMalformed"):
            sign_note(text, LOG)
    else:
        assert open_note(sign_note(text, LOG), [LOG.verifier]).text == text


@given(st.one_of(st.text(), st.from_regex(r"[a-z]{1,5}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{4,48}", fullmatch=True)))
def test_no_text_raises_anything_but_a_key_error(text: str) -> None:
    with pytest.raises(NoteError, match="keyMalformed"):
        VerifierKey.parse(text)


@given(st.binary(min_size=1, max_size=80), st.integers(1, 255), st.from_regex(r"[a-z./0-9-]{1,20}", fullmatch=True))
def test_every_key_is_read_from_its_text(public: bytes, algorithm: int, name: str) -> None:
    if algorithm in {ED25519, COSIGNATURE}:
        public = hashlib.sha256(public).digest()
    key = VerifierKey(name, algorithm, public)
    assert VerifierKey.parse(key.text) == key


@given(st.binary(max_size=40))
def test_base64_has_one_spelling(content: bytes) -> None:
    text = canonical_base64.encode(content)
    assert canonical_base64.decode(text) == content
    for other in (text + "\n", text + "=", " " + text, text + "A", text.rstrip("=") + "===", text.replace("A", "a") + "\u0660"):
        assert canonical_base64.decode(other) != content
