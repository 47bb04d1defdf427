"""`ingest` against servers that fail, lie, dawdle and change their minds: it gets the image or says why not, in bounded time."""

from __future__ import annotations

import email.utils
import hashlib
import itertools
import socket
import time
from pathlib import Path

import pytest

from models.ingest.transfer import retry_after
from tests.tools.conftest import Ingest, errors, manifest, picture
from tests.tools.loopback import Answer, File, Server, cut, raw, redirect, silence, slow, status

DATA = picture()
SHA256 = hashlib.sha256(DATA).hexdigest()


def stored(out: Path, name: str = "a.png") -> bytes:
    return (out / "images" / name).read_bytes()


def test_a_dropped_connection_is_gone_on_with(server: Server, ingest: Ingest, out: Path) -> None:
    address = server.serve("/a.png", cut(File(DATA), 10_000), cut(File(DATA), 20_000), File(DATA))
    assert ingest(address) == 0
    assert stored(out) == DATA
    assert server.ranges("/a.png") == [None, "bytes=10000-", "bytes=30000-"]
    assert [one.headers.get("If-Range") for one in server.asked] == [None, '"one"', '"one"']
    assert manifest(out)[address]["tries"] == 3


def test_a_date_is_a_version_too(server: Server, ingest: Ingest, out: Path) -> None:
    date = "Sat, 21 Nov 2026 10:00:00 GMT"
    dated = File(DATA, tag=None, headers={"Last-Modified": date}, keeps_conditions=False)
    assert ingest(server.serve("/a.png", cut(dated, 10_000), dated)) == 0
    assert server.asked[1].headers["If-Range"] == date
    assert server.ranges("/a.png") == [None, "bytes=10000-"]
    assert stored(out) == DATA


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(File(DATA, takes_ranges=False), id="ranges are ignored"),
        pytest.param(File(DATA, tag=None), id="no version"),
        pytest.param(File(DATA, tag='W/"one"'), id="a weak version"),
    ],
)
def test_without_ranges_it_begins_again(server: Server, ingest: Ingest, out: Path, file: File) -> None:
    assert ingest(server.serve("/a.png", cut(file, 10_000), file)) == 0
    assert stored(out) == DATA


@pytest.mark.parametrize("keeps_conditions", [True, False])
def test_a_file_that_changed_midway_is_never_patched_together(
    server: Server, ingest: Ingest, out: Path, keeps_conditions: bool
) -> None:
    other = File(picture(1), tag='"two"', keeps_conditions=keeps_conditions)
    assert ingest(server.serve("/a.png", cut(File(DATA), 10_000), other)) == 0
    assert stored(out) == picture(1)


def test_a_file_that_became_shorter_begins_again(server: Server, ingest: Ingest, out: Path) -> None:
    short = picture(1, size=(200, 200))
    assert ingest(server.serve("/a.png", cut(File(DATA), len(short) + 10), File(short, keeps_conditions=False))) == 0
    assert stored(out) == short


@pytest.mark.parametrize(
    "content_range",
    [
        f"bytes 0-{len(DATA) - 1}/{len(DATA)}",
        f"bytes 10001-{len(DATA) - 1}/{len(DATA)}",
        f"bytes 10000-10004/{len(DATA)}",
        "bytes 10000-10004/*",
        "bytes 10000-99999999999999999999/9",
        "items 10000-10004/10005",
        "bytes",
        "",
    ],
)
def test_a_wrong_part_is_refused(server: Server, ingest: Ingest, out: Path, content_range: str) -> None:
    wrong = status(206, {"Content-Range": content_range}, b"12345")
    assert ingest(server.serve("/a.png", cut(File(DATA), 10_000), wrong, File(DATA))) == 0
    assert stored(out) == DATA
    assert server.ranges("/a.png") == [None, "bytes=10000-", None]
    assert ingest(server.serve("/b.png", wrong), "--tries", "2") == 1
    assert errors(out)["b.png"] == "rangeWrong"


def test_a_server_that_is_busy_is_waited_for(server: Server, ingest: Ingest, out: Path) -> None:
    busy = status(503, {"Retry-After": 1})
    address = server.serve("/a.png", busy, status(429), status(500), File(DATA))
    assert ingest(address) == 0
    times = [one.at for one in server.asked]
    assert times[1] - times[0] >= 1
    assert times[3] - times[1] < 1
    assert manifest(out)[address]["tries"] == 4


def test_a_busy_host_is_left_alone_altogether(server: Server, ingest: Ingest, tmp_path: Path) -> None:
    places = [server.serve("/a.png", status(503, {"Retry-After": 1}), File(DATA)), server.serve("/b.png", File(DATA))]
    (tmp_path / "list").write_text("\n".join(places))
    assert ingest(tmp_path / "list", "--connections", "1") == 0
    assert server.asked[1].at - server.asked[0].at >= 1


def test_who_asks_for_too_long_a_wait_is_given_up(server: Server, ingest: Ingest, out: Path) -> None:
    begun = time.monotonic()
    assert ingest(server.serve("/a.png", status(503, {"Retry-After": 3600})), "--longest-wait", "5") == 1
    assert time.monotonic() - begun < 5
    assert errors(out) == {"a.png": "serverBusy"}


def test_retry_after_in_all_its_forms() -> None:
    now = 1_700_000_000.0
    assert retry_after("120") == 120
    assert retry_after(" 0 ") == 0
    assert retry_after("9" * 400) == 1e9
    assert retry_after(email.utils.formatdate(now + 60, usegmt=True), now) == 60
    assert retry_after(email.utils.formatdate(now - 60, usegmt=True), now) == 0
    assert [retry_after(text) for text in (None, "", "soon", "-5", "1.5", "²")] == [None] * 6


@pytest.mark.parametrize(
    ("answer", "code", "tries"),
    [
        pytest.param(status(404), "httpStatus", 1, id="not found"),
        pytest.param(status(403, body=b"no"), "httpStatus", 1, id="forbidden"),
        pytest.param(status(204), "httpStatus", 1, id="no content"),
        pytest.param(status(503), "serverBusy", 3, id="busy for ever"),
        pytest.param(
            status(200, {"Content-Type": "text/html"}, b" \r\n<!DOCTYPE html><html>log in"), "notAnImage", 2, id="a page"
        ),
        pytest.param(status(200, {"Content-Type": "image/png"}, b'{"error": 1}'), "notAnImage", 2, id="a message"),
        pytest.param(status(200, {}, b""), "imageUnreadable", 2, id="nothing"),
        pytest.param(status(200, {}, DATA[:-20]), "imageUnreadable", 2, id="a torn image"),
        pytest.param(status(200, {}, picture(0, "PNG", (90, 90))), "imageTooSmall", 2, id="a thumbnail"),
        pytest.param(status(200, {}, picture(0, "GIF")), "imageUnreadable", 2, id="a kind that is not read"),
        pytest.param(status(200, {"Content-Encoding": "gzip"}, b"x"), "encodingRefused", 1, id="compressed"),
        pytest.param(cut(File(DATA), 5000), "connectionLost", 3, id="always less than promised"),
        pytest.param(raw(b""), "connectionLost", 3, id="no answer"),
        pytest.param(raw(b"SSH-2.0-OpenSSH\r\n"), "answerUnreadable", 3, id="not HTTP"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200), "answerUnreadable", 3, id="too many headers"),
        pytest.param(raw(b"HTTP/1.1 200 " + b"x" * 70_000), "answerUnreadable", 3, id="a line without end"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nabc"), "connectionLost", 3, id="a torn chunk"
        ),
        pytest.param(status(200, {"Content-Length": 2 << 20}), "fileTooLarge", 1, id="announced too large"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * (1 << 18)] * 5), "fileTooLarge", 1, id="too large"),
    ],
)
def test_every_failure_has_its_code(server: Server, ingest: Ingest, out: Path, answer: Answer, code: str, tries: int) -> None:
    address = server.serve("/a.png", answer)
    assert ingest("--tries", "3", "--most-mib", "1", address) == 1
    entry = manifest(out)[address]
    assert (entry["error"], entry["tries"], entry["file"]) == (code, tries, None)
    assert not list((out / "images").iterdir())


def test_a_page_that_passes_is_asked_for_again(server: Server, ingest: Ingest, out: Path) -> None:
    assert ingest(server.serve("/a.png", status(200, {}, b"<html>in a moment"), File(DATA))) == 0
    assert stored(out) == DATA


def test_chunks_and_a_body_of_unknown_length_are_taken(server: Server, ingest: Ingest, tmp_path: Path, out: Path) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(DATA), DATA)
    places = [server.serve("/a.png", raw(chunked)), server.serve("/b.png", raw(b"HTTP/1.0 200 OK\r\n\r\n" + DATA))]
    (tmp_path / "list").write_text("\n".join(places))
    assert ingest(tmp_path / "list") == 0
    assert stored(out) == stored(out, "b.png") == DATA


def test_more_than_promised_is_not_read(server: Server, ingest: Ingest, out: Path) -> None:
    assert ingest(server.serve("/a.png", status(200, {"Content-Length": len(DATA)}, DATA))) == 0
    longer = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DATA) + DATA + b"more")
    assert ingest(server.serve("/b.png", longer)) == 0
    assert stored(out, "b.png") == DATA


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(silence(3), id="silence"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nX: y", pause=3), id="silence in the headers"),
        pytest.param(raw(*[b"H"] + [b"T"] * 40, pause=0.1), id="headers by the byte"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", *[b"x"] * 40, pause=0.1), id="a body by the byte"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 40, pause=0.1), id="a body without length by the byte"),
    ],
)
def test_slowness_ends(server: Server, ingest: Ingest, out: Path, answer: Answer) -> None:
    begun = time.monotonic()
    assert ingest("--read-timeout", "0.5", "--try-timeout", "0.8", "--tries", "1", server.serve("/a.png", answer)) == 1
    assert time.monotonic() - begun < 2.5
    assert errors(out) == {"a.png": "timedOut"}


def test_a_slow_server_that_goes_on_is_waited_for(server: Server, ingest: Ingest, out: Path) -> None:
    assert ingest("--read-timeout", "0.5", server.serve("/a.png", slow(File(DATA), 0.1))) == 0
    assert stored(out) == DATA


def test_a_try_that_took_too_long_is_gone_on_with(server: Server, ingest: Ingest, out: Path) -> None:
    address = server.serve("/a.png", slow(File(DATA), 0.2), File(DATA))
    assert ingest("--try-timeout", "0.7", address) == 0
    assert stored(out) == DATA
    assert server.ranges("/a.png")[1] is not None


def test_nobody_there(ingest: Ingest, out: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert ingest("--tries", "2", f"http://127.0.0.1:{port}/a.png") == 1
    assert errors(out) == {"a.png": "connectionRefused"}


def test_an_unknown_host(ingest: Ingest, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert ingest("--tries", "2", "http://nowhere.invalid/a.png") == 1
    assert errors(out) == {"a.png": "hostUnknown"}


def test_tls_that_is_none(server: Server, ingest: Ingest, out: Path) -> None:
    assert ingest("--tries", "1", server.address("/a.png").replace("http:", "https:")) == 1
    assert errors(out) == {"a.png": "connectionLost"}
    server.serve("/b.png", redirect(server.address("/a.png").replace("http:", "https:")))
    assert ingest("--tries", "1", server.address("/b.png")) == 1
    assert errors(out)["b.png"] == "connectionLost"


def test_a_wrong_checksum_is_refused(server: Server, ingest: Ingest, out: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{server.serve('/a.png', File(picture(1)), File(DATA))} {SHA256}\n")
    assert ingest(tmp_path / "list") == 0
    assert stored(out) == DATA
    (tmp_path / "list").write_text(f"{server.serve('/b.png', File(picture(1)))} {SHA256}\n")
    assert ingest(tmp_path / "list") == 1
    assert errors(out)["b.png"] == "checksumWrong"


def test_a_host_is_asked_politely(server: Server, ingest: Ingest, tmp_path: Path) -> None:
    places = [server.serve(f"/{number}.png", slow(File(picture(number)), 0.02)) for number in range(6)]
    (tmp_path / "list").write_text("\n".join(places))
    assert ingest("--delay", "0.15", "--connections", "6", "--per-host", "2", tmp_path / "list") == 0
    times = sorted(one.at for one in server.asked)
    assert all(after - before > 0.1 for before, after in itertools.pairwise(times))
    assert server.most_at_once <= 2


def test_several_connections_at_once(server: Server, ingest: Ingest, tmp_path: Path) -> None:
    places = [server.serve(f"/{number}.png", slow(File(picture(number)), 0.03)) for number in range(8)]
    (tmp_path / "list").write_text("\n".join(places))
    assert ingest("--connections", "4", "--per-host", "4", tmp_path / "list") == 0
    assert server.most_at_once == 4
