"""`scrutineer compare`: folders of records that may be damaged, and what is said of them."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge import cli
from edge.commands.compare import HEADER, MOST_RECORD_BYTES
from edge.definition.canonical_json import canonical_bytes
from edge.definition.form import Form, load_form
from edge.tally.decide import decide_tally
from edge.tally.ink_hash import InkHash
from edge.tally.record import record
from tests.tally.test_record import CODE, as_read, refused
from tests.tally.test_rules import FORM
from tests.tally.test_suggestions import sheet

Json = dict[str, Any]
NOTHING, FOUND, WRONG_USE, INCOMPLETE = 0, 1, 2, 3


@pytest.fixture(scope="module")
def form() -> Form:
    return load_form(FORM + CODE)


def ink(seed: int) -> str:
    """Somebody's writing in 30 cells."""
    cells = np.random.default_rng(seed).integers(0, 1 << 32, 30).tolist()
    return str(InkHash(tuple(cells)))


def document(form: Form, number: int, table: str, writing: str | None, **cells: str | None) -> Json:
    """What `scrutineer read` keeps of an image; `cells` are other texts than the sheet's own."""
    interpretation = as_read(form, sheet(**cells))
    told = record(interpretation, decide_tally(interpretation, form))
    told["fields"]["station"] = table
    told["inkHash"] = writing
    return {
        "image": {"name": f"{number}.png", "sha256": f"{number:064x}"},
        "readWith": {},
        "record": told,
        "error": None,
    }


@pytest.fixture
def folder(tmp_path: Path, form: Form) -> Path:
    """Three sheets with nothing in common."""
    records = tmp_path / "results.records"
    records.mkdir()
    for number in range(3):
        keep(records, document(form, number, f"{number:05}", ink(number)))
    return records


def keep(folder: Path, told: Json) -> Path:
    path = folder / f"{told['image']['name']}.json"
    path.write_bytes(canonical_bytes(told))
    return path


def test_nothing_is_found_among_sheets_with_nothing_in_common(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", str(folder)]) == NOTHING
    assert capfd.readouterr().out == "3 sheets, 3 pairs by ink: nothing found; 0 sheets not compared or only in part\n"


def test_what_is_planted_is_told_in_three_ways(
    folder: Path, form: Form, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    keep(folder, document(form, 3, "00009", ink(1)))
    keep(folder, document(form, 4, "00002", ink(4), votes_a=" 31", votes_valid=" 43"))
    other = tmp_path / "other.records"
    other.mkdir()
    keep(other, document(form, 0, "00000", ink(0)))
    table = tmp_path / "found.csv"
    assert cli.main(["compare", str(folder), str(other), "--out", str(table)]) == FOUND
    out = capfd.readouterr().out
    assert out.splitlines() == [
        "1. copiedInk: the same handwriting under different codes: copied, or used again",
        f"     station=00001  1.png  {folder}/1.png.json",
        f"     station=00009  3.png  {folder}/3.png.json  (0.0 % of the ink's bits differ)",
        "   no field differs, of 7 that more than one has",
        "2. sameImage: the very same image",
        f"     station=00000  0.png  {folder}/0.png.json",
        f"     station=00000  0.png  {other}/0.png.json",
        "   no field differs, of 7 that more than one has",
        "3. otherNumbers: one code, written apart, and other numbers",
        f"     station=00002  2.png  {folder}/2.png.json",
        f"     station=00002  4.png  {folder}/4.png.json",
        "   fields that differ: votes.a, votes.valid",
        "6 sheets, 10 pairs by ink: 1 copiedInk, 1 sameImage, 1 otherNumbers; 0 sheets not compared or only in part",
    ]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(HEADER)
    assert [(row["finding"], row["kind"], row["image"], row["codes"]) for row in rows] == [
        ("1", "copiedInk", "1.png", "station=00001"),
        ("1", "copiedInk", "3.png", "station=00009"),
        ("2", "sameImage", "0.png", "station=00000"),
        ("2", "sameImage", "0.png", "station=00000"),
        ("3", "otherNumbers", "2.png", "station=00002"),
        ("3", "otherNumbers", "4.png", "station=00002"),
    ]
    assert (rows[1]["bitsDiffer"], rows[1]["bitsCompared"]) == ("0", "960")
    assert (rows[5]["fieldsDiffer"], rows[5]["bitsCompared"]) == ("votes.a votes.valid", "")
    assert cli.main(["compare", str(folder), str(other), "--json"]) == FOUND
    raw = capfd.readouterr().out.removesuffix("\n").encode()
    told = json.loads(raw)
    assert rfc8785.dumps(told) == raw
    assert (told["kind"], told["sheets"], told["pairs"], told["pairsApart"]) == ("crossSheetReport", 6, 10, 0)
    assert [finding["kind"] for finding in told["findings"]] == ["copiedInk", "sameImage", "otherNumbers"]
    assert told["findings"][0]["sheets"][1] == {
        "record": f"{folder}/3.png.json",
        "image": "3.png",
        "form": "three-rules",
        "codes": {"station": "00009"},
        "ink": {"differing": 0, "compared": 960},
    }
    assert told["findings"][2]["fieldsDiffer"] == ["votes.a", "votes.valid"]


def test_a_folder_that_is_given_twice_is_compared_once(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", str(folder), str(folder / ".." / folder.name)]) == NOTHING
    assert capfd.readouterr().out.startswith("3 sheets, ")


def reasons(capfd: pytest.CaptureFixture[str], folder: Path) -> dict[str, str]:
    """Why each file was left out."""
    assert cli.main(["compare", str(folder), "--json"]) == INCOMPLETE
    told = json.loads(capfd.readouterr().out)
    return {Path(left["record"]).name: left["code"] for left in told["notCompared"]}


def test_what_cannot_be_compared_is_named(folder: Path, form: Form, capfd: pytest.CaptureFixture[str]) -> None:
    keep(folder, document(form, 10, "00010", None))
    keep(folder, document(form, 11, "00011", "1:zz"))
    keep(folder, document(form, 12, "00012", "1:" + ",".join("-" * 30)))
    unread = document(form, 13, "", ink(13))
    del unread["record"]["fields"]["station"]
    keep(folder, unread)
    bad_image = document(form, 14, "00014", None) | {"record": None, "error": {"code": "imageUnreadable", "detail": "no image"}}
    keep(folder, bad_image)
    nothing = refused(form)
    keep(folder, document(form, 15, "00015", None) | {"record": record(nothing, decide_tally(nothing, form))})
    (folder / "20.json").write_bytes(b'{"image":')
    (folder / "21.json").write_bytes(b"[]")
    (folder / "22.json").write_bytes(b'{"kind": "tallySheet", "form": {"name": "f", "name": "g"}}')
    (folder / "23.json").write_bytes(b" " * (MOST_RECORD_BYTES + 1))
    (folder / "24.json").write_bytes(b"[" * 100_000)
    (folder / "25.json").symlink_to(folder / "0.png.json")
    (folder / "26.json").mkdir()
    os.mkfifo(folder / "27.json")
    (folder / "28.json").write_bytes(canonical_bytes(document(form, 28, "00028", ink(28)) | {"image": {"name": 3, "sha256": ""}}))
    (folder / "29.json").write_bytes(b'{"image": {"name": "a", "sha256": "b"}, "record": {}, "error": "e"}')
    (folder / "30").mkdir()
    (folder / "notes.txt").write_text("no record")
    (folder / ".0.unfinished").write_bytes(b"")
    assert reasons(capfd, folder) == {
        "10.png.json": "inkMissing",
        "11.png.json": "inkMalformed",
        "12.png.json": "inkTooLittle",
        "13.png.json": "codeUnread",
        "14.png.json": "imageUnread",
        "15.png.json": "formUnread",
        "20.json": "recordUnreadable",
        "21.json": "recordMalformed",
        "22.json": "recordUnreadable",
        "23.json": "recordUnreadable",
        "24.json": "recordUnreadable",
        "25.json": "recordUnreadable",
        "26.json": "recordUnreadable",
        "27.json": "recordUnreadable",
        "28.json": "recordMalformed",
        "29.json": "imageUnread",
        "record.json": "recordUnreadable",
    }
    assert cli.main(["compare", str(folder)]) == INCOMPLETE
    out = capfd.readouterr().out
    assert f"  inkTooLittle  {folder}/12.png.json: 0 cells have writing, 16 are needed: not compared by ink\n" in out
    assert f"  imageUnread  {folder}/14.png.json: 14.png: imageUnreadable\n" in out


def exported(folder: Path, name: str, told: Json, image: bytes) -> None:
    """A sheet as an export has it."""
    (folder / name).mkdir(parents=True)
    (folder / name / "record.json").write_bytes(canonical_bytes(told["record"] | {"scan": "B"}))
    (folder / name / "scan-a-grey.png").write_bytes(b"the back")
    (folder / name / "scan-b-grey.png").write_bytes(image)


def test_the_sheets_of_an_export_are_compared(tmp_path: Path, form: Form, capfd: pytest.CaptureFixture[str]) -> None:
    tally = tmp_path / "tally"
    for number in range(3):
        exported(tally, f"id-{number}", document(form, number, f"{number:05}", ink(number)), f"scan {number}".encode())
    assert cli.main(["compare", str(tally)]) == NOTHING
    capfd.readouterr()
    exported(tally, "id-8", document(form, 8, "00008", ink(8)), b"scan 2")
    exported(tally, "id-9", document(form, 9, "00009", ink(0)), b"scan 9")
    assert cli.main(["compare", str(tally), "--json"]) == FOUND
    told = json.loads(capfd.readouterr().out)
    assert [(finding["kind"], [one["image"] for one in finding["sheets"]]) for finding in told["findings"]] == [
        ("copiedInk", ["id-0", "id-9"]),
        ("sameImage", ["id-2", "id-8"]),
    ]


def test_an_image_that_is_not_there_is_not_compared(tmp_path: Path, form: Form) -> None:
    tally = tmp_path / "tally"
    for number in range(2):
        exported(tally, f"id-{number}", document(form, number, f"{number:05}", ink(number)), b"one scan")
    assert cli.main(["compare", str(tally)]) == FOUND
    (tally / "id-1" / "scan-b-grey.png").unlink()
    assert cli.main(["compare", str(tally)]) == NOTHING


def test_what_a_record_says_cannot_reach_the_terminal(folder: Path, form: Form, capfd: pytest.CaptureFixture[str]) -> None:
    told = document(form, 1, "\x1b[2J\u202e", ink(0))
    told["image"]["name"] = "a\nb\ud800"
    (folder / "hostile.json").write_text(json.dumps(told), encoding="utf-8")
    assert cli.main(["compare", str(folder), "--out", str(folder / "table.csv")]) == FOUND
    out = capfd.readouterr().out
    assert "station=\\u001b[2J\\u202e  a\\u000ab\\ud800" in out
    assert "\\u001b" in (folder / "table.csv").read_text("utf-8")
    assert cli.main(["compare", str(folder), "--json"]) == FOUND
    assert all(letter.isprintable() for letter in capfd.readouterr().out.removesuffix("\n"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.binary(max_size=80) | st.integers(0, 4000))
def test_damaged_bytes_never_end_the_command(folder: Path, form: Form, damage: bytes | int) -> None:
    whole = canonical_bytes(document(form, 1, "00001", ink(50)))
    if isinstance(damage, int):
        place = damage % len(whole)
        damage = whole[:place] + bytes((whole[place] ^ 1 << damage % 7,)) + whole[place + 1 :]
    (folder / "damaged.json").write_bytes(damage)
    assert cli.main(["compare", str(folder)]) in {NOTHING, FOUND, INCOMPLETE}


def complaint(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["compare", *arguments]) == WRONG_USE
    out, err = capfd.readouterr()
    assert out == ""
    return err.splitlines()[-1].split(": ")[1]


def test_wrong_use_is_told(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert complaint(capfd, str(tmp_path / "nowhere")) == "fileNotFound"
    assert complaint(capfd, str(folder / "0.png.json")) == "fileNotFound"
    (tmp_path / "empty").mkdir()
    assert complaint(capfd, str(folder), str(tmp_path / "empty")) == "fileNotFound"
    assert complaint(capfd, str(folder), "--out", str(tmp_path)) == "fileUnwritable"
    assert complaint(capfd, str(folder), "--out", str(tmp_path / "no" / "table.csv")) == "fileUnwritable"
    with pytest.raises(SystemExit) as exit_of:
        cli.main(["compare"])
    assert exit_of.value.code == WRONG_USE


def test_records_are_left_as_they_are(folder: Path) -> None:
    before = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()}
    cli.main(["compare", str(folder)])
    assert {path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()} == before
