"""`ingest`: folders and lists become checked images with a manifest, and a second run gets only what is missing."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from pathlib import Path

import pytest

from edge.commands.error import CommandError
from models.__main__ import main
from tests.tools.conftest import Ingest, errors, manifest, picture
from tests.tools.loopback import File, Server, redirect, status


def listed(folder: Path, *lines: str, name: str = "list.txt") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def images(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "images").iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "scans"
    (home / "deep" / "er").mkdir(parents=True)
    (home / "a.png").write_bytes(picture(1))
    (home / "deep" / "A.JPG").write_bytes(picture(2, "JPEG"))
    (home / "deep" / "er" / "b.tif").write_bytes(picture(3, "TIFF"))
    (home / "broken.png").write_bytes(picture(4)[:-40])
    (home / "notes.txt").write_text("no image")
    (home / ".hidden.png").write_bytes(picture(5))
    return home


def test_a_folder_is_copied_with_everything_that_is_an_image(
    folder: Path, ingest: Ingest, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest(folder) == 1
    owner = (folder / "deep" / "A.JPG").as_uri()
    other = f"A-{hashlib.sha256(owner.encode()).hexdigest()[:8]}.jpg"
    assert images(out) == {"a.png": picture(1), other: picture(2, "JPEG"), "b.tif": picture(3, "TIFF")}
    entry = manifest(out)[(folder / "a.png").as_uri()]
    assert entry["sha256"] == hashlib.sha256(picture(1)).hexdigest()
    assert (entry["file"], entry["bytes"], entry["mediaType"], entry["tries"]) == ("a.png", len(picture(1)), "image/png", 1)
    assert errors(out)["broken.png"] == "imageUnreadable"
    told = capsys.readouterr()
    assert told.out.splitlines()[:2] == ["4 images: 3 are there (0 were before, 3 came), 1 are not", "  1 imageUnreadable"]
    assert "broken.png" in told.out
    assert told.err.splitlines()[0].startswith("checking 0 of 4 images")
    assert not list((out / ".unfinished").iterdir())


def test_a_list_is_fetched(tmp_path: Path, server: Server, ingest: Ingest, out: Path) -> None:
    first = server.serve("/x/one.png?size=2", File(picture(1)))
    second = server.serve("/x/two", File(picture(2, "JPEG")))
    path = listed(tmp_path, "# pictures", "", f"{first} {hashlib.sha256(picture(1)).hexdigest().upper()}", f"  {second}")
    assert ingest(path) == 0
    assert images(out) == {"one.png": picture(1), "two.jpg": picture(2, "JPEG")}
    assert manifest(out)[second]["mediaType"] == "image/jpeg"
    assert {one.headers["Accept-Encoding"] for one in server.asked} == {"identity"}


def test_a_table_an_address_and_standard_input_are_lists_too(
    tmp_path: Path, server: Server, ingest: Ingest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [server.serve(f"/{name}.png", File(picture(number))) for number, name in enumerate("abcd")]
    table = listed(
        tmp_path, "id,sha256,URL", f'1,{hashlib.sha256(picture(0)).hexdigest()},"{places[0]}"', f"2,,{places[1]}", name="l.csv"
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{places[3]}\r\n".encode())))
    assert ingest(table, places[2], "-") == 0
    assert list(manifest(out)) == places
    assert sorted(images(out)) == ["a.png", "b.png", "c.png", "d.png"]


def test_a_second_run_asks_for_nothing_that_is_there(tmp_path: Path, server: Server, ingest: Ingest, out: Path) -> None:
    places = [server.serve(f"/{number}.png", File(picture(number))) for number in range(4)]
    path = listed(tmp_path, *places)
    assert ingest(path) == 0
    before = (out / "manifest.jsonl").read_bytes()
    server.asked.clear()
    assert ingest(path) == 0
    assert not server.asked
    assert (out / "manifest.jsonl").read_bytes() == before
    (out / "images" / "1.png").write_bytes(picture(1)[:-1] + b"x")
    (out / "images" / "2.png").unlink()
    assert ingest(path) == 0
    assert sorted(one.path for one in server.asked) == ["/1.png", "/2.png"]
    assert images(out) == {f"{number}.png": picture(number) for number in range(4)}


def test_a_file_that_changed_in_its_folder_is_copied_again(folder: Path, ingest: Ingest, out: Path) -> None:
    (folder / "broken.png").unlink()
    assert ingest(folder) == 0
    (folder / "a.png").write_bytes(picture(9))
    assert ingest(folder) == 0
    assert images(out)["a.png"] == picture(9)
    (folder / "a.png").write_bytes(picture(9, "JPEG"))
    assert ingest(folder) == 0
    assert images(out)["a.jpg"] == picture(9, "JPEG")
    assert "a.png" not in images(out)


def test_what_failed_is_tried_again_and_a_damaged_file_does_not_stay(
    tmp_path: Path, server: Server, ingest: Ingest, out: Path
) -> None:
    address = server.serve("/a.png", File(picture()))
    assert ingest(address) == 0
    (out / "images" / "a.png").write_bytes(b"damaged")
    server.serve("/a.png", status(404))
    assert ingest(address) == 1
    assert images(out) == {}
    assert manifest(out)[address]["error"] == "httpStatus"
    server.serve("/a.png", File(picture()))
    assert ingest(address) == 0
    assert images(out) == {"a.png": picture()}


def test_a_foreign_file_of_the_same_name_is_left_alone(server: Server, ingest: Ingest, out: Path) -> None:
    (out / "images").mkdir(parents=True)
    (out / "images" / "a.png").write_bytes(b"somebody's")
    address = server.serve("/a.png", File(picture()))
    assert ingest(address) == 0
    found = images(out)
    assert found.pop("a.png") == b"somebody's"
    assert list(found.values()) == [picture()]
    assert manifest(out)[address]["file"] == next(iter(found))


def test_hostile_names_stay_in_the_folder(server: Server, ingest: Ingest, out: Path, tmp_path: Path) -> None:
    paths = [
        "/..%2F..%2Fetc%2Fpasswd.png",
        "/%2e%2e",
        "/a%00b.png",
        "/" + "long" * 200 + ".png",
        "/%F0%9F%97%B3%20urna%C3%B1.png",
        "/.hidden.png",
        "/con.png",
        "/a%5Cb.png",
        "/%ff%fe.png",
        "/same.png",
        "/x/SAME.jpg",
        "/",
    ]
    places = [server.serve(path, File(picture(number))) for number, path in enumerate(paths)]
    assert ingest(listed(tmp_path, *places)) == 0
    found = images(out)
    assert len(found) == len(paths)
    assert all(name.endswith(".png") and len(name.encode()) < 200 and not name.startswith(".") for name in found)
    assert {"passwd.png", "urnañ.png", "hidden.png", "con_.png", "same.png", "b.png", "image.png"} <= set(found)
    assert {path.name for path in tmp_path.iterdir()} == {"list.txt", "set"}
    assert sorted(found.values()) == sorted(picture(number) for number in range(len(paths)))


def test_names_by_content(tmp_path: Path, server: Server, ingest: Ingest, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [server.serve(path, File(picture())) for path in ("/a.png", "/b.png")]
    assert ingest("--names", "sha256", listed(tmp_path, *places)) == 0
    assert list(images(out)) == [f"{hashlib.sha256(picture()).hexdigest()}.png"]
    assert "1 of them have the same bytes as another" in capsys.readouterr().out
    server.asked.clear()
    assert ingest("--names", "sha256", listed(tmp_path, *places)) == 0
    assert not server.asked


def test_the_same_list_gives_the_same_names(tmp_path: Path, server: Server, ingest: Ingest, out: Path) -> None:
    places = [server.serve(f"/{number}/scan.png", File(picture(number))) for number in range(6)]
    path = listed(tmp_path, *places)
    assert ingest(path) == 0
    first = {address: entry["file"] for address, entry in manifest(out).items()}
    assert first[places[0]] == "scan.png"
    for file in (out / "images").iterdir():
        file.unlink()
    (out / "manifest.jsonl").unlink()
    assert ingest("--connections", "1", path) == 0
    assert {address: entry["file"] for address, entry in manifest(out).items()} == first


def test_lines_that_cannot_be_used_do_not_stop_the_others(tmp_path: Path, server: Server, ingest: Ingest, out: Path) -> None:
    good = server.serve("/a.png", File(picture()))
    bad = [
        "ftp://example.org/b.png",
        "file:///etc/passwd",
        "http://user:password@127.0.0.1/c.png",
        "http://",
        "http://127.0.0.1:0/d.png",
        "no address",
        "http://127.0.0.1/e.png 1234",
    ]
    assert ingest(listed(tmp_path, *bad, good)) == 1
    found = manifest(out)
    assert found.pop(good)["error"] is None
    assert {entry["error"] for entry in found.values()} == {"addressBad"}
    assert len(found) == len(bad)
    assert len(server.asked) == 1


def test_an_address_with_two_checksums_is_not_fetched(tmp_path: Path, server: Server, ingest: Ingest, out: Path) -> None:
    address = server.serve("/a.png", File(picture()))
    assert ingest(listed(tmp_path, f"{address} {'0' * 64}", f"{address} {'1' * 64}")) == 1
    assert manifest(out)[address]["error"] == "addressBad"
    assert ingest(listed(tmp_path, address, f"{address} {hashlib.sha256(picture()).hexdigest()}", address)) == 0


def test_a_new_checksum_is_held_against_what_is_there(tmp_path: Path, server: Server, ingest: Ingest, out: Path) -> None:
    address = server.serve("/a.png", File(picture()))
    assert ingest(address) == 0
    assert ingest("--tries", "3", listed(tmp_path, f"{address} {'0' * 64}")) == 1
    assert manifest(out)[address]["error"] == "checksumWrong"
    assert manifest(out)[address]["tries"] == 2
    assert images(out) == {}


def test_redirects_are_followed_within_reason(server: Server, ingest: Ingest, out: Path, tmp_path: Path) -> None:
    server.serve("/real.png", File(picture()))
    good = server.serve("/good", redirect("/next", 301))
    server.serve("/next", redirect(server.address("/real.png"), 307))
    places = [
        server.serve("/loop", redirect("/loop")),
        server.serve("/file", redirect("file:///etc/passwd")),
        server.serve("/ftp", redirect("ftp://127.0.0.1/a.png")),
        server.serve("/user", redirect("http://a:b@127.0.0.1/a.png")),
        server.serve("/nowhere", status(302)),
    ]
    assert ingest(listed(tmp_path, good, *places)) == 1
    assert errors(out) == {
        "good": None,
        "loop": "redirectsTooMany",
        "file": "redirectRefused",
        "ftp": "redirectRefused",
        "user": "redirectRefused",
        "nowhere": "redirectRefused",
    }
    assert images(out) == {"good.png": picture()}
    assert sum(one.path == "/loop" for one in server.asked) == 6


def test_wrong_use(tmp_path: Path, ingest: Ingest, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert ingest(tmp_path / "empty") == 2
    assert ingest(tmp_path / "nothing.txt") == 2
    assert ingest(tmp_path) == 2
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == ["fileNotFound", "fileNotFound", "badUse"]
    with pytest.raises(SystemExit):
        ingest("--connections", "0", "x")
    (tmp_path / "file").write_bytes(b"")
    assert main(["ingest", "http://127.0.0.1:9/a.png", "--out", str(tmp_path / "file")]) == 2
    assert "fileUnwritable" in capsys.readouterr().err


def test_two_at_once_are_refused(server: Server, ingest: Ingest, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    statuses: list[int] = []
    address = server.serve("/a.png", lambda _: statuses.append(ingest(server.address("/b.png"))), File(picture()))
    assert ingest(address, "--tries", "2") == 0
    assert statuses == [2]
    assert "outBusy" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_disk_that_cannot_be_written_ends_the_command(server: Server, ingest: Ingest, out: Path) -> None:
    (out / ".unfinished").mkdir(parents=True)
    (out / ".unfinished").chmod(0o500)
    assert ingest(server.serve("/a.png", File(picture()))) == 2


def test_a_full_disk_ends_the_command(
    server: Server, ingest: Ingest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise CommandError("fileUnwritable", "no space left")

    monkeypatch.setattr("models.ingest.transfer.write_whole", full)
    assert ingest(server.serve("/a.png", File(picture()))) == 2
    assert "fileUnwritable: no space left" in capsys.readouterr().err
