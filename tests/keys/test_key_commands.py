"""The commands of keys and trust lists, from a station's key to a list with two signatures."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from edge.commands.error import CommandError
from edge.commands.keys import run_enrol
from edge.commands.trust import EXIT_CHECKED, EXIT_NOT_CHECKED, run_trust_make_key, run_trust_show, run_trust_sign
from edge.evidence.keys.enrolment import fingerprint
from edge.evidence.keys.trust import open_trust_list
from edge.evidence.tlog.note import VerifierKey
from tests.keys.stations import BALLOT_HASH, PACKAGE, SOFTWARE, TITLE, authority, device_signer, enrolment_bytes, flipped

Captured = pytest.CaptureFixture[bytes]


def make_key(path: Path, name: str = "authority.example.org") -> int:
    return run_trust_make_key(argparse.Namespace(file=path, name=name))


def sign(key: Path, *enrolments: Path, add: Path | None = None) -> int:
    return run_trust_sign(argparse.Namespace(key=key, enrolments=list(enrolments), add=add))


def show(path: Path, *authorities: str) -> int:
    return run_trust_show(argparse.Namespace(file=path, authority=list(authorities) or None))


@pytest.fixture
def enrolments(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"enrolment-{number}" for number in (1, 2)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(enrolment_bytes(number))
    return paths


@pytest.fixture
def key(tmp_path: Path, capfdbinary: Captured) -> tuple[Path, str]:
    """An authority's key file and its verifier key."""
    path = tmp_path / "authority.key"
    assert make_key(path) == 0
    return path, capfdbinary.readouterr().out.decode().removesuffix("\n")


def refusal(call: object, *arguments: object) -> str:
    assert callable(call)
    with pytest.raises(CommandError) as refused:
        call(*arguments)
    return refused.value.code


def test_an_enrolment_is_written_as_it_is_and_told(capfdbinary: Captured) -> None:
    assert run_enrol(enrolment_bytes(1)) == 0
    out, err = capfdbinary.readouterr()
    assert out == enrolment_bytes(1)
    for part in (device_signer(1).name, fingerprint(device_signer(1).verifier), SOFTWARE.hex(), PACKAGE.hex(), TITLE):
        assert part in err.decode()


def test_an_enrolment_that_nobody_would_read_is_not_written(capfdbinary: Captured) -> None:
    assert refusal(run_enrol, flipped(enrolment_bytes(1), 2000)) in {"enrolmentSignature", "enrolmentMalformed"}
    assert capfdbinary.readouterr() == (b"", b"")


def test_a_new_key_is_published_by_its_verifier_key_alone(tmp_path: Path, capfdbinary: Captured) -> None:
    assert make_key(tmp_path / "authority.key") == 0
    out, err = capfdbinary.readouterr()
    verifier = VerifierKey.parse(out.decode().removesuffix("\n"))
    assert verifier.name == "authority.example.org"
    assert fingerprint(verifier) in err.decode()
    assert "authority.key" in err.decode()
    private = (tmp_path / "authority.key").read_text().splitlines()[2]
    assert private not in (out + err).decode()


def test_a_key_is_not_made_twice_nor_under_a_name_that_is_none(tmp_path: Path, capfdbinary: Captured) -> None:
    make_key(tmp_path / "authority.key")
    capfdbinary.readouterr()
    assert refusal(make_key, tmp_path / "authority.key") == "keyExists"
    assert refusal(make_key, tmp_path / "none" / "authority.key") == "keyMissing"
    assert refusal(make_key, tmp_path / "other.key", "Lower Example") == "badUse"
    assert not (tmp_path / "other.key").exists()
    assert capfdbinary.readouterr().out == b""


def test_a_list_is_signed_told_and_shown(
    key: tuple[Path, str], enrolments: list[Path], tmp_path: Path, capfdbinary: Captured
) -> None:
    assert sign(key[0], *enrolments) == 0
    raw, err = capfdbinary.readouterr()
    read = open_trust_list(raw, [VerifierKey.parse(key[1])])
    assert read.logs == (device_signer(1).verifier, device_signer(2).verifier)
    told = [*(fingerprint(log) for log in read.logs), *(log.name for log in read.logs), BALLOT_HASH, TITLE, PACKAGE.hex()]
    assert [part for part in [*told, SOFTWARE.hex(), fingerprint(read.signed_by[0])] if part not in err.decode()] == []
    assert "same software" not in err.decode()

    path = tmp_path / "trust.list"
    path.write_bytes(raw)
    assert show(path, key[1]) == EXIT_CHECKED
    out = capfdbinary.readouterr().out.decode()
    assert [part for part in told if part not in out] == []
    assert "signed by      authority.example.org, fingerprint" in out
    assert "NOT CHECKED" not in out

    assert show(path) == EXIT_NOT_CHECKED
    out = capfdbinary.readouterr().out.decode()
    assert "NOT CHECKED" in out
    assert "claimed by" in out
    assert "signed by " not in out


def test_two_officials_sign_one_list(
    key: tuple[Path, str], enrolments: list[Path], tmp_path: Path, capfdbinary: Captured
) -> None:
    make_key(tmp_path / "second.key", "second.example.org")
    second = capfdbinary.readouterr().out.decode().strip()
    sign(key[0], *enrolments)
    path = tmp_path / "trust.list"
    path.write_bytes(capfdbinary.readouterr().out)

    assert show(path, key[1], second) == EXIT_NOT_CHECKED
    assert "not signed by  second.example.org" in capfdbinary.readouterr().out.decode()

    assert sign(tmp_path / "second.key", add=path) == 0
    by_list, err = capfdbinary.readouterr()
    assert "also signed by authority.example.org (not checked here)" in err.decode()
    assert fingerprint(device_signer(2).verifier) in err.decode()
    assert sign(tmp_path / "second.key", *reversed(enrolments), add=path) == 0
    by_enrolments, err = capfdbinary.readouterr()
    assert by_list == by_enrolments
    assert SOFTWARE.hex() in err.decode()

    assert refusal(lambda: sign(tmp_path / "second.key", enrolments[0], add=path)) == "trustMismatch"
    assert refusal(lambda: sign(key[0], add=path)) == "trustSigned"
    path.write_bytes(by_list)
    assert show(path, key[1], second) == EXIT_CHECKED
    assert show(path, second) == EXIT_CHECKED


def test_stations_with_different_software_are_pointed_out(
    key: tuple[Path, str], enrolments: list[Path], capfdbinary: Captured
) -> None:
    enrolments[1].write_bytes(enrolment_bytes(2, software=bytes(32)))
    assert sign(key[0], *enrolments) == 0
    err = capfdbinary.readouterr().err.decode()
    assert "the stations do not all run the same software" in err
    assert bytes(32).hex() in err


def test_refusals_have_their_codes_and_nothing_is_written(
    key: tuple[Path, str], enrolments: list[Path], tmp_path: Path, capfdbinary: Captured
) -> None:
    other = tmp_path / "other"
    other.write_bytes(enrolment_bytes(3, package=bytes(32)))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(enrolment_bytes(3).replace(b"Lower", b"Upper"))
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, 1 << 40)
    os.mkfifo(tmp_path / "pipe")
    sign(key[0], *enrolments)
    raw = capfdbinary.readouterr().out
    path = tmp_path / "trust.list"
    path.write_bytes(raw)
    wrong = tmp_path / "wrong.list"
    wrong.write_bytes(raw.replace(b"Lower", b"Upper"))
    for code, call in (
        ("badUse", lambda: sign(key[0])),
        ("trustMismatch", lambda: sign(key[0], *enrolments, other)),
        ("trustMismatch", lambda: sign(key[0], enrolments[0], enrolments[0])),
        ("enrolmentSignature", lambda: sign(key[0], *enrolments, damaged)),
        ("enrolmentMalformed", lambda: sign(key[0], huge)),
        ("enrolmentMalformed", lambda: sign(key[0], path)),
        ("fileNotFound", lambda: sign(key[0], tmp_path / "none")),
        ("fileUnreadable", lambda: sign(key[0], tmp_path)),
        ("fileUnreadable", lambda: sign(key[0], tmp_path / "pipe")),
        ("fileUnreadable", lambda: sign(key[0], Path("a\0b"))),
        ("trustMalformed", lambda: sign(key[0], add=huge)),
        ("keyMissing", lambda: sign(tmp_path / "none", *enrolments)),
        ("keyTooOpen", lambda: sign(enrolments[0], *enrolments)),
        ("trustUnsigned", lambda: show(path, authority(key=3).verifier.text)),
        ("trustSignature", lambda: show(wrong, key[1])),
        ("trustMalformed", lambda: show(enrolments[0])),
        ("badUse", lambda: show(path, "authority.example.org")),
    ):
        assert refusal(call) == code
    assert capfdbinary.readouterr() == (b"", b"")


def test_the_name_of_a_stranger_does_not_reach_the_terminal_as_it_is(
    key: tuple[Path, str], enrolments: list[Path], tmp_path: Path, capfdbinary: Captured
) -> None:
    sign(key[0], *enrolments)
    path = tmp_path / "trust.list"
    path.write_bytes(capfdbinary.readouterr().out.replace("— authority".encode(), "— \u202eauthority\x9b2J".encode()))
    assert show(path) == EXIT_NOT_CHECKED
    assert "claimed by     ?authority?2J.example.org" in capfdbinary.readouterr().out.decode()
