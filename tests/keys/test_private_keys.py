"""The device's key, day keys and an authority's key: kept whole, and shown nowhere."""

from __future__ import annotations

import base64
import copy
import json
import logging
import os
import pickle
import ssl
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from hypothesis import example, given
from hypothesis import strategies as st

from edge.evidence.keys.authority_key import is_authority_name, load_authority_key, make_authority_key
from edge.evidence.keys.day_key import DayKey, discard_day_key, load_day_key, make_day_key
from edge.evidence.keys.device_key import load_device_key, make_device_key
from edge.evidence.keys.error import KeyFileError
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.keys.private_pem import private_pem, read_private_pem
from edge.evidence.tlog.note import Ed25519Signer
from tests.keys.stations import damaged, flipped

LABEL = "3a5f-01"
FIXED = Ed25519PrivateKey.from_private_bytes(bytes(range(100, 132)))


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys").open(create=True)


def shown_forms(secret: bytes) -> list[str]:
    """How a secret could look in a text."""
    return [
        secret.hex(),
        secret.hex().upper(),
        base64.b64encode(secret).decode()[:-4],
        repr(secret)[2:-1],
        str(list(secret))[1:-1],
        base64.b64encode(b"\x04\x20" + secret).decode()[4:-4],  # as it lies in PKCS#8
    ]


def assert_hidden(secret: bytes, text: str) -> None:
    assert [form for form in shown_forms(secret) if form in text] == []


def seed(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes_raw()


def overwrite(path: Path, content: bytes) -> None:
    """Put other bytes of the same number into a file, without the care and the waiting of a real change."""
    with path.open("r+b") as file:
        file.write(content)


def test_the_device_key_is_the_same_after_loading(folder: KeyFolder) -> None:
    made = make_device_key(folder)
    assert seed(load_device_key(folder)) == seed(made)
    assert [path.name for path in folder.path.iterdir()] == ["device.key"]


def test_the_device_key_is_made_once(folder: KeyFolder) -> None:
    made = make_device_key(folder)
    with pytest.raises(KeyFileError) as refused:
        make_device_key(folder)
    assert refused.value.code == "keyExists"
    assert seed(load_device_key(folder)) == seed(made)


def test_two_devices_have_different_keys(tmp_path: Path) -> None:
    keys = {seed(make_device_key(KeyFolder(tmp_path / str(number)).open(create=True))) for number in range(4)}
    assert len(keys) == 4


def test_other_tools_read_the_device_key(folder: KeyFolder) -> None:
    made = make_device_key(folder)
    content = folder.read("device.key")
    read = load_pem_private_key(content, password=None)
    assert isinstance(read, Ed25519PrivateKey)
    assert seed(read) == seed(made)
    try:
        shown = subprocess.run(
            ["openssl", "pkey", "-in", folder.path / "device.key", "-pubout", "-outform", "DER"], capture_output=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("there is no openssl command")
    assert shown.stdout[-32:] == made.public_key().public_bytes_raw()


def test_every_turned_bit_of_the_device_key_is_noticed(folder: KeyFolder) -> None:
    make_device_key(folder)
    content = folder.read("device.key")
    for bit in range(8 * len(content)):
        overwrite(folder.path / "device.key", flipped(content, bit))
        with pytest.raises(KeyFileError) as refused:
            load_device_key(folder)
        assert refused.value.code == "keyMalformed", bit


def other_keys() -> list[bytes]:
    pem = FIXED.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return [
        b"\n",
        b"# a line\n",
        pem,
        b"# another line\n" + pem,
        b"# scrutineer device key, public half " + base64.b64encode(bytes(32)) + b"\n" + pem,
        curve,
        b"# line\n" + curve,
        FIXED.private_bytes_raw(),
        FIXED.public_key().public_bytes_raw(),
    ]


@pytest.mark.parametrize("content", other_keys())
def test_another_key_is_no_device_key(folder: KeyFolder, content: bytes) -> None:
    folder.write_new("device.key", content)
    with pytest.raises(KeyFileError) as refused:
        load_device_key(folder)
    assert refused.value.code == "keyMalformed"
    assert "enrol the device again" in refused.value.detail


@given(st.one_of(st.binary(max_size=300), damaged(private_pem(FIXED, "a line"))))
@example(private_pem(FIXED, "a line").replace(b"# a line", b"# a \x00ine"))
def test_a_key_file_is_read_as_written_or_not_at_all(content: bytes) -> None:
    told: tuple[object, ...] = ()
    try:
        private, line = read_private_pem(content)
    except ValueError as error:
        told = (str(error), error.__cause__, error.__context__)
    else:
        assert private_pem(private, line) == content
    assert told in {(), ("not an Ed25519 key in the form in which it was written", None, None)}


def test_a_line_break_does_not_get_into_the_line_of_a_key() -> None:
    with pytest.raises(ValueError, match="one printable line"):
        private_pem(FIXED, "a\nb")


def test_a_day_key_is_the_same_after_loading_and_gone_after_discarding(folder: KeyFolder) -> None:
    made = make_day_key(folder, LABEL)
    assert load_day_key(folder, LABEL).material() == made.material()
    assert len(made.material()) == 32
    assert make_day_key(folder, "b").material() != made.material()
    assert discard_day_key(folder, LABEL)
    assert not discard_day_key(folder, LABEL)
    with pytest.raises(KeyFileError) as refused:
        load_day_key(folder, LABEL)
    assert refused.value.code == "keyMissing"
    assert load_day_key(folder, "b").label == "b"


def test_a_day_key_comes_from_the_approved_generator(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "RAND_bytes", lambda count: bytes(range(count)))
    assert make_day_key(folder, LABEL).material() == bytes(range(32))


def test_a_day_key_is_not_made_twice(folder: KeyFolder) -> None:
    made = make_day_key(folder, LABEL)
    with pytest.raises(KeyFileError) as refused:
        make_day_key(folder, LABEL)
    assert refused.value.code == "keyExists"
    assert load_day_key(folder, LABEL).material() == made.material()


def test_a_missing_folder_is_not_a_discarded_key(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError) as refused:
        discard_day_key(KeyFolder(tmp_path / "not mounted"), LABEL)
    assert refused.value.code == "keyMissing"


def test_every_turned_bit_of_a_day_key_is_noticed(folder: KeyFolder) -> None:
    make_day_key(folder, LABEL)
    name = f"day-{LABEL}.key"
    content = folder.read(name)
    for bit in range(8 * len(content)):
        overwrite(folder.path / name, flipped(content, bit))
        with pytest.raises(KeyFileError) as refused:
            load_day_key(folder, LABEL)
        assert refused.value.code == "keyMalformed"
    for shorter in (content[:-1], content[:32], content[:31], content[:1], content + b"\n"):
        folder.replace(name, shorter)
        with pytest.raises(KeyFileError) as refused:
            load_day_key(folder, LABEL)
        assert refused.value.code == "keyMalformed"


def test_a_renamed_day_key_is_noticed(folder: KeyFolder) -> None:
    make_day_key(folder, "a")
    (folder.path / "day-a.key").rename(folder.path / "day-b.key")
    with pytest.raises(KeyFileError) as refused:
        load_day_key(folder, "b")
    assert refused.value.code == "keyMalformed"


@pytest.mark.parametrize("label", ["", "A", "g", "a/b", "../a", "a" * 65, "a\n", "a.b"])
def test_labels_that_are_none_are_a_mistake_of_the_caller(folder: KeyFolder, label: str) -> None:
    for call in (make_day_key, load_day_key, discard_day_key):
        with pytest.raises(ValueError, match="label of a day key"):
            call(folder, label)
    with pytest.raises(ValueError, match="label of a day key"):
        DayKey(label, bytes(32))


def test_a_day_key_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DayKey("a", bytes(31))


def test_a_day_key_shows_nothing_and_is_not_carried_away(caplog: pytest.LogCaptureFixture) -> None:
    secret = bytes(range(7, 39))
    key = DayKey(LABEL, secret)
    logging.getLogger("a test").warning("%s %r", key, {"key": key})
    for text in (repr(key), str(key), f"{key}", f"{[key]}", "%s" % key, caplog.text):  # noqa: UP031  every way of writing it
        assert "DayKey('3a5f-01')" in text
        assert_hidden(secret, text)
    assert not hasattr(key, "__dict__")
    carriers: list[Callable[[object], object]] = [pickle.dumps, copy.copy, copy.deepcopy, json.dumps]
    for carry in carriers:
        with pytest.raises(TypeError) as refused:
            carry(key)
        assert_hidden(secret, str(refused.value))


def test_a_signing_key_shows_nothing_and_is_not_pickled(folder: KeyFolder, caplog: pytest.LogCaptureFixture) -> None:
    key = make_device_key(folder)
    signer = Ed25519Signer("scan.example.org/0001", key)
    logging.getLogger("a test").warning("%s %r %s", key, key, signer)
    assert_hidden(seed(key), f"{key!r} {key} {signer!r} {signer} {folder!r} {caplog.text}")
    for one in (key, signer):
        with pytest.raises(TypeError) as refused:
            pickle.dumps(one)
        assert_hidden(seed(key), str(refused.value))


def test_refusals_show_nothing_of_the_file(folder: KeyFolder, tmp_path: Path) -> None:
    device = make_device_key(folder)
    day = make_day_key(folder, LABEL)
    make_authority_key(tmp_path / "authority.key", "authority.example.org")
    authority = load_authority_key(tmp_path / "authority.key").private
    pem = folder.read("device.key")
    folder.replace("device.key", pem.replace(b"-----END", b"-----FIN"))
    folder.replace(f"day-{LABEL}.key", day.material())
    text = (tmp_path / "authority.key").read_bytes()
    (tmp_path / "authority.key").write_bytes(text[:-1])
    calls: list[tuple[Callable[[], object], bytes]] = [
        (lambda: load_device_key(folder), seed(device)),
        (lambda: load_day_key(folder, LABEL), day.material()),
        (lambda: load_authority_key(tmp_path / "authority.key"), seed(authority)),
    ]
    for call, secret in calls:
        with pytest.raises(KeyFileError) as refused:
            call()
        assert refused.value.code == "keyMalformed"
        assert_hidden(secret, "".join(traceback.format_exception(refused.value)) + repr(refused.value))


def test_an_authority_key_is_the_same_after_loading(tmp_path: Path) -> None:
    path = tmp_path / "authority.key"
    verifier = make_authority_key(path, "authority.example.org")
    assert verifier.name == "authority.example.org"
    assert load_authority_key(path).verifier == verifier
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().splitlines()[0] == f"# scrutineer authority key, public half {verifier.text}"
    assert [one.name for one in tmp_path.iterdir()] == ["authority.key"]


def test_every_turned_bit_of_an_authority_key_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "authority.key"
    make_authority_key(path, "authority.example.org")
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        overwrite(path, flipped(content, bit))
        with pytest.raises(KeyFileError) as refused:
            load_authority_key(path)
        assert refused.value.code == "keyMalformed", bit


def test_a_device_key_is_no_authority_key(folder: KeyFolder) -> None:
    make_device_key(folder)
    with pytest.raises(KeyFileError) as refused:
        load_authority_key(folder.path / "device.key")
    assert refused.value.code == "keyMalformed"


def test_an_authority_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "authority.key"
    path.write_bytes(b"something else")
    with pytest.raises(KeyFileError) as refused:
        make_authority_key(path, "authority.example.org")
    assert refused.value.code == "keyExists"
    assert path.read_bytes() == b"something else"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(KeyFileError) as refused:
        make_authority_key(tmp_path / "link", "authority.example.org")
    assert refused.value.code == "keyExists"
    assert not (tmp_path / "nowhere").exists()


def test_an_authority_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "authority.key"
    make_authority_key(path, "authority.example.org")
    path.chmod(0o640)
    with pytest.raises(KeyFileError) as refused:
        load_authority_key(path)
    assert refused.value.code == "keyTooOpen"
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(KeyFileError) as refused:
        load_authority_key(tmp_path / "link")
    assert refused.value.code == "keyForeign"


def test_no_authority_key_is_left_where_the_file_system_keeps_no_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    monkeypatch.setattr(os, "fchmod", lambda *_: None)
    monkeypatch.setattr(os, "open", lambda path, flags, mode=0o644, **more: real(path, flags, mode | 0o044, **more))
    with pytest.raises(KeyFileError) as refused:
        make_authority_key(tmp_path / "authority.key", "authority.example.org")
    assert refused.value.code == "keyTooOpen"
    assert list(tmp_path.iterdir()) == []


def test_no_authority_key_is_left_when_its_folder_cannot_be_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fail(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyFileError) as refused:
        make_authority_key(tmp_path / "authority.key", "authority.example.org")
    assert refused.value.code == "keyUnavailable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "/a", "a/", "ä", "a" * 129, ".a"])
def test_names_that_an_authority_cannot_have(tmp_path: Path, name: str) -> None:
    assert not is_authority_name(name)
    with pytest.raises(ValueError, match="cannot be the name"):
        make_authority_key(tmp_path / "authority.key", name)
    assert list(tmp_path.iterdir()) == []
