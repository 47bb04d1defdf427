"""A detached signature is one that minisign takes, and nothing that differs in a bit passes for it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.tlog.minisign import (
    MOST_COMMENT_BYTES,
    MOST_SIGNATURE_FILE_BYTES,
    MinisignError,
    parse_public_key,
    public_key_text,
    sign,
    verify,
)
from tests.tlog.samples import LOG_KEY, OTHER_KEY, flips

PUBLIC = LOG_KEY.public_key().public_bytes_raw()
OTHER_PUBLIC = OTHER_KEY.public_key().public_bytes_raw()
CONTENT = b'{"version":1}'
COMMENT = "scan.example.org/0001 größe 12"
FILE = sign(CONTENT, LOG_KEY, COMMENT)
LINES = FILE.decode().split("\n")

needs_minisign = pytest.mark.skipif(
    shutil.which("minisign") is None, reason="minisign is not installed (Debian package minisign)"
)


def refusal(content: bytes, file: bytes, public: bytes = PUBLIC) -> str:
    """Reason for which the signature is refused."""
    with pytest.raises(MinisignError) as refused:
        verify(content, file, public)
    return refused.value.code


def run_minisign(folder: Path, content: bytes, file: bytes, key: str) -> subprocess.CompletedProcess[bytes]:
    """`minisign -Vm` over the content with the signature beside it."""
    (folder / "MANIFEST.json").write_bytes(content)
    (folder / "MANIFEST.json.minisig").write_bytes(file)
    return subprocess.run(
        ["minisign", "-Vm", "MANIFEST.json", "-P", key], cwd=folder, capture_output=True, timeout=60, check=False
    )


def test_a_signature_file_is_these_bytes() -> None:
    number = hashlib.sha256(PUBLIC).digest()[:8]
    signature = LOG_KEY.sign(hashlib.blake2b(CONTENT, digest_size=64).digest())
    bound = LOG_KEY.sign(signature + COMMENT.encode())
    written = (
        "untrusted comment: signature of a Scrutineer export",
        b64encode(b"ED" + number + signature).decode(),
        "trusted comment: scan.example.org/0001 größe 12",
        b64encode(bound).decode(),
    )
    assert "".join(f"{line}\n" for line in written).encode() == FILE
    assert public_key_text(PUBLIC) == b64encode(b"Ed" + number + PUBLIC).decode()
    assert verify(CONTENT, FILE, PUBLIC) == COMMENT


@needs_minisign
@pytest.mark.parametrize("comment", [COMMENT, "", "x" * MOST_COMMENT_BYTES, "é" * (MOST_COMMENT_BYTES // 2)])
def test_minisign_itself_verifies_our_signature_and_shows_the_comment(tmp_path: Path, comment: str) -> None:
    content = CONTENT * 10_000
    result = run_minisign(tmp_path, content, sign(content, LOG_KEY, comment), public_key_text(PUBLIC))
    assert result.returncode == 0, result.stderr
    assert f"Trusted comment: {comment}\n".encode() in result.stdout


@needs_minisign
def test_minisign_itself_refuses_what_we_refuse(tmp_path: Path) -> None:
    key = public_key_text(PUBLIC)
    changed_comment = FILE.replace("größe 12".encode(), "größe 13".encode())
    for content, file, public in (
        (CONTENT + b" ", FILE, key),
        (CONTENT, changed_comment, key),
        (CONTENT, FILE, public_key_text(OTHER_PUBLIC)),
    ):
        assert run_minisign(tmp_path, content, file, public).returncode != 0
    assert refusal(CONTENT, changed_comment) == "minisignSignature"


def test_every_flipped_bit_of_the_file_of_signatures_is_refused() -> None:
    codes = {refusal(CONTENT, changed) for changed in flips(FILE)}
    assert codes == {"minisignMalformed", "minisignKey", "minisignSignature"}


def test_every_flipped_bit_of_the_content_and_of_the_key_is_refused() -> None:
    assert {refusal(changed, FILE) for changed in flips(CONTENT)} == {"minisignSignature"}
    assert {refusal(CONTENT, FILE, changed) for changed in flips(PUBLIC)} == {"minisignKey"}
    for changed in flips(public_key_text(PUBLIC).encode()):
        with pytest.raises(MinisignError, match="minisignKey"):
            parse_public_key(changed.decode("latin-1"))


def test_a_signature_by_another_key_under_this_keys_number_is_refused() -> None:
    theirs = sign(CONTENT, OTHER_KEY, COMMENT).decode()
    assert refusal(CONTENT, theirs.encode()) == "minisignKey"
    number = hashlib.sha256(PUBLIC).digest()[:8]
    signature = OTHER_KEY.sign(hashlib.blake2b(CONTENT).digest())
    lines = [LINES[0], b64encode(b"ED" + number + signature).decode(), *theirs.split("\n")[2:]]
    assert refusal(CONTENT, "\n".join(lines).encode()) == "minisignSignature"


def test_parts_of_two_signatures_do_not_make_one() -> None:
    second = sign(CONTENT, LOG_KEY, "another comment").decode().split("\n")
    third = sign(CONTENT + b" ", LOG_KEY, COMMENT).decode().split("\n")
    assert refusal(CONTENT, "\n".join([*LINES[:2], *third[2:]]).encode()) == "minisignSignature"
    assert refusal(CONTENT, "\n".join([*LINES[:3], *second[3:]]).encode()) == "minisignSignature"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n\n",
        "\n".join(LINES[:4]),
        "\n".join([*LINES, ""]),
        "\n".join([*LINES[:4], "more"]),
        "\n".join(LINES[1:]),
        "\r\n".join(LINES),
        "\n".join(["untrusted comment: else", *LINES[1:]]),
        "\n".join([LINES[0] + " ", *LINES[1:]]),
        "\n".join([LINES[0], LINES[1] + "=", *LINES[2:]]),
        "\n".join([LINES[0], LINES[1] + " ", *LINES[2:]]),
        "\n".join([LINES[0], LINES[3], *LINES[2:]]),
        "\n".join([LINES[0], b64encode(b"ED" + bytes(71)).decode(), *LINES[2:]]),
        "\n".join([LINES[0], b64encode(b"Ed" + bytes(72)).decode(), *LINES[2:]]),
        "\n".join([*LINES[:2], "Trusted comment: x", *LINES[3:]]),
        "\n".join([*LINES[:2], LINES[2] + " ", *LINES[3:]]),
        "\n".join([*LINES[:2], LINES[2] + "\t", *LINES[3:]]),
        "\n".join([*LINES[:2], LINES[2] + "x" * MOST_COMMENT_BYTES, *LINES[3:]]),
        "\n".join([*LINES[:3], b64encode(bytes(63)).decode(), ""]),
        "\n".join([*LINES[:3], "", ""]),
        "x" * (MOST_SIGNATURE_FILE_BYTES + 1),
    ],
)
def test_what_is_not_written_as_a_signature_file_is_refused(text: str) -> None:
    assert refusal(CONTENT, text.encode()) == "minisignMalformed"


@pytest.mark.parametrize(
    "comment", ["two\nlines", "end\r", "tab\tin", "zero\0", " before", "after ", "\u2028", "\ud800", "x" * 1001]
)
def test_a_comment_that_is_not_one_printable_line_is_not_signed(comment: str) -> None:
    with pytest.raises(MinisignError, match="minisignMalformed"):
        sign(CONTENT, LOG_KEY, comment)


def test_a_key_is_read_from_its_text_only() -> None:
    text = public_key_text(PUBLIC)
    assert parse_public_key(text) == PUBLIC
    for wrong in ("", text + "\n", text[:-4], text + "AAAA", b64encode(b"Ed" + bytes(8) + PUBLIC).decode()):
        with pytest.raises(MinisignError, match="minisignKey"):
            parse_public_key(wrong)
    for length in (0, 31, 33):
        with pytest.raises(MinisignError, match="minisignKey"):
            public_key_text(bytes(length))
        assert refusal(CONTENT, FILE, bytes(length)) == "minisignKey"


@given(st.binary())
def test_no_bytes_raise_anything_but_a_minisign_error(raw: bytes) -> None:
    assert refusal(CONTENT, raw) == "minisignMalformed"


@given(st.integers(0, len(FILE)), st.integers(0, len(FILE)), st.binary(max_size=8))
def test_a_file_with_a_piece_replaced_is_refused_or_the_same(start: int, end: int, piece: bytes) -> None:
    raw = FILE[:start] + piece + FILE[end:]
    if raw != FILE:
        refusal(CONTENT, raw)


@given(st.text())
def test_no_text_raises_anything_but_a_minisign_error(text: str) -> None:
    with pytest.raises(MinisignError):
        parse_public_key(text)


@given(st.binary(), st.text(st.characters(exclude_categories=["C", "Z"]), max_size=50))
def test_every_signature_verifies_and_gives_its_comment(content: bytes, comment: str) -> None:
    assert verify(content, sign(content, LOG_KEY, comment), PUBLIC) == comment
