"""What comes out: text for a person, JSON for a program, a page with pictures, and an exit status that does not flatter."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.audit.checks.limits import LIMITS
from edge.audit.report_json import json_report, verdict
from edge.audit.report_text import text_report
from edge.audit.verification import Check, Finding, Outcome, Repeat, SheetVerdict, Verification
from edge.audit.verify import verify
from edge.commands import verify as command
from edge.commands.error import CommandError
from edge.evidence.archive import SheetKind
from edge.evidence.tlog.note import Ed25519Signer, add_signature, sign_note
from tests.audit.archive_fake import FakeArchive, archive
from tests.audit.exported import exported, trust_list, write

AUTHORITY = Ed25519Signer("authority.example.org", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
SECOND = Ed25519Signer("second.example.org", Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))))
HOSTILE = "\x1b[2J\u202evil</script>\r\nINJECTED \ud800 \N{SNOWMAN}"


def verification(*checks: Check, **others: object) -> Verification:
    told: dict[str, Any] = {
        "folder": "scrutineer-0001-abc-9",
        "origin": "scan.example.org/0001/abc",
        "kind": "closed",
        "size": 9,
        "root": "A" * 43 + "=",
        "checks": checks,
        "sheets": (),
        "totals": None,
        "verifier": "scrutineer-edge 0.1.0",
    }
    return Verification(**(told | others))


RIGHT = Check("files", Outcome.PASSED, "All files are as in the list.")
WRONG = Check("log", Outcome.FAILED, "This does not hold.", (Finding("fileChanged", "log/vkey", "has other contents"),))
OPEN = Check("authority", Outcome.NOT_CHECKED, "No key was given.")
LIMIT = Check("limitPaper", Outcome.NOT_CHECKED, "The paper itself.")


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ((RIGHT, LIMIT), "right"),
        ((RIGHT, OPEN, LIMIT), "incomplete"),
        ((RIGHT, WRONG, LIMIT), "wrong"),
        ((OPEN, WRONG), "wrong"),
    ],
)
def test_the_verdict_is_the_worst_of_the_answers(checks: tuple[Check, ...], said: str) -> None:
    assert verdict(verification(*checks)) == said
    last = text_report(verification(*checks)).splitlines()[-2:]
    assert said.upper() in " ".join(text_report(verification(*checks)).splitlines()[-4:])
    assert last[-1].startswith("=")


def test_the_text_names_every_file_and_code_and_what_nobody_can_check() -> None:
    text = text_report(verification(RIGHT, WRONG, OPEN, LIMIT), width=100)
    for words in ("right: files", "WRONG: log", "fileChanged: log/vkey: has other contents", "not checked: authority"):
        assert words in text
    assert text.index("What nobody can check from a folder") < text.index("The paper itself")
    assert "scan.example.org/0001/abc" in text
    assert text.endswith("\n")


def test_a_name_of_a_file_is_never_broken() -> None:
    name = f"sheets/12345678-1234-4234-8234-123456789abc/{'x' * 100}"
    check = replace(WRONG, findings=(Finding("fileMissing", name, "is not there"),))
    assert name in text_report(verification(check), width=60)


def test_many_findings_are_counted_and_the_first_shown() -> None:
    many = tuple(Finding("fileExtra", f"file-{number}", "is not in the list") for number in range(500))
    text = text_report(verification(replace(WRONG, findings=many)))
    assert "file-19" in text
    assert "file-20" not in text
    assert "and 480 more" in text
    assert len(json.loads(json_report(verification(replace(WRONG, findings=many))))["checks"][0]["findings"]) == 500


def test_whatever_an_export_holds_only_printable_characters_come_out() -> None:
    finding = Finding(HOSTILE, HOSTILE, HOSTILE)
    sheet = SheetVerdict(HOSTILE, SheetKind.CAST, Repeat.DIFFERENT, {"disposition": {"kind": [HOSTILE]}}, (finding,))
    told = verification(
        Check(HOSTILE, Outcome.FAILED, HOSTILE, (finding,)),
        folder=HOSTILE,
        origin=HOSTILE,
        sheets=(sheet,),
        totals={"a": HOSTILE},
    )
    text = text_report(told)
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert not any(line.startswith("INJECTED") for line in text.splitlines())
    raw = json_report(told)
    assert raw.isascii()
    assert b"\x1b" not in raw
    assert json.loads(raw)["origin"] == HOSTILE


def test_the_colours_are_for_terminals_only() -> None:
    assert "\x1b[" not in text_report(verification(RIGHT, WRONG))
    assert "\x1b[1;31m" in text_report(verification(RIGHT, WRONG), colour=True)


def test_the_json_has_everything_but_the_records() -> None:
    sheet = SheetVerdict("id", SheetKind.CAST, Repeat.SAME, {"disposition": {"kind": "hold"}}, ())
    document = json.loads(json_report(verification(RIGHT, LIMIT, sheets=(sheet,), totals={"total": 1})))
    assert document["version"] == 1
    assert document["verdict"] == "right"
    assert document["sheets"] == [{"id": "id", "kind": "cast", "repeat": "same", "disposition": "hold", "findings": []}]
    assert [check["limit"] for check in document["checks"]] == [False, True]
    assert document["totals"] == {"total": 1}


def test_the_limits_are_told_with_this_exports_figures(tmp_path: Path) -> None:
    made = archive(cast=3, returned=2)
    seen = verify(write(exported(made), tmp_path / "export"), trust_list(made), processes=1)
    said = {check.id: check.sentence for check in seen.checks if check.id in LIMITS}
    assert "3 ballots" in said["limitPaper"]
    assert "0 of 2 returned sheets (person 1, rejected 1)" in said["limitReturned"]
    assert f"of {seen.size} entries" in said["limitClock"]
    assert seen.origin in said["limitKey"]


# The command.


@cache
def made() -> FakeArchive:
    return archive()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(exported(made()), tmp_path / "export")


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """The trust list, signed by one authority."""
    file = tmp_path / "trust.list"
    file.write_bytes(sign_note(trust_list(made()).text, AUTHORITY))
    return file


Run = Callable[..., int]


@pytest.fixture
def run(folder: Path, trust: Path, tmp_path: Path) -> Run:
    def run_with(**others: object) -> int:
        usual: dict[str, Any] = {
            "directory": folder,
            "trust": trust,
            "authority": [AUTHORITY.verifier.text],
            "json": None,
            "html": None,
            "witness": tmp_path / "witness",
            "no_witness": False,
        }
        return command.run(argparse.Namespace(**(usual | others)))

    return run_with


def refused(run: Run, **others: object) -> str:
    with pytest.raises(CommandError) as error:
        run(**others)
    return error.value.code


def test_an_honest_export_ends_with_0(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    out = capsys.readouterr().out
    assert "RIGHT: everything that can be checked was checked" in out
    assert run() == 0


def test_a_changed_export_ends_with_1(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.txt").write_text("trust me")
    assert run() == 1
    assert "fileChanged: README.txt" in capsys.readouterr().out


@pytest.mark.parametrize("others", [{"authority": None}, {"authority": []}, {"witness": None, "no_witness": True}])
def test_what_was_left_unchecked_ends_with_3(run: Run, others: dict[str, Any]) -> None:
    assert run(**others) == 3


def test_without_a_trust_list_it_ends_with_3(run: Run) -> None:
    assert run(trust=None, authority=None) == 3


def test_the_json_goes_to_standard_output_or_a_file(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(json="-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "right"
    assert run(json=str(tmp_path / "report.json")) == 0
    assert "RIGHT" in capsys.readouterr().out
    assert json.loads((tmp_path / "report.json").read_bytes())["size"] == document["size"]
    assert not (tmp_path / "report.json.part").exists()


def test_the_page_is_written_with_the_pictures(run: Run, tmp_path: Path) -> None:
    assert run(html=tmp_path / "report.html") == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("data:image/png") >= 2


def test_without_an_election_package_there_is_no_page(
    run: Run, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "package" / "election.json").unlink()
    assert run(html=tmp_path / "report.html") == 1
    assert "no page was written" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_wrong_use_is_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    assert refused(run, directory=tmp_path / "missing") == "exportMissing"
    assert refused(run, trust=tmp_path / "missing") == "fileNotFound"
    assert refused(run, trust=tmp_path) == "fileUnreadable"
    assert refused(run, trust=None) == "badUse"
    assert refused(run, authority=["no key"]) == "badUse"
    assert refused(run, no_witness=True) == "badUse"
    assert refused(run, json=str(folder / "report.json")) == "badUse"
    assert refused(run, html=folder / "inner" / "report.html") == "badUse"
    assert refused(run, json=str(tmp_path / "missing" / "report.json")) == "fileUnwritable"
    (tmp_path / "file").touch()
    assert refused(run, witness=tmp_path / "file") == "witnessUnavailable"


def test_a_trust_list_has_to_be_signed_by_every_authority_that_is_given(run: Run, trust: Path) -> None:
    assert refused(run, authority=[SECOND.verifier.text]) == "trustUnsigned"
    assert refused(run, authority=[AUTHORITY.verifier.text, SECOND.verifier.text]) == "trustUnsigned"
    raw = trust.read_bytes()
    text = trust_list(made()).text.encode()
    trust.write_bytes(add_signature(raw, SECOND.name, SECOND.verifier.key_id, SECOND.sign(text)))
    assert run(authority=[AUTHORITY.verifier.text, SECOND.verifier.text]) == 0
    trust.write_bytes(raw[:-10] + b"AAAAAAAA=\n")
    assert refused(run) in {"trustSignature", "trustMalformed"}
    trust.write_bytes(b"nothing")
    assert refused(run) == "trustMalformed"


def test_the_usual_witness_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert command.default_witness() == tmp_path / "state" / "scrutineer" / "witness"
    assert run(witness=None) == 0
    assert (tmp_path / "state" / "scrutineer" / "witness" / "witness.key").exists()
    for setting in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", setting)
        assert command.default_witness() == Path.home() / ".local" / "state" / "scrutineer" / "witness"


def test_a_witness_that_cannot_speak_leaves_the_question_open(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    for state in (tmp_path / "witness").glob("*.state"):
        state.write_bytes(b"damaged")
    assert run() == 3
    assert "witnessCorrupt" in capsys.readouterr().out
