"""The status socket: what clients get, that none of them can hold the station up, and whose socket it is."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.station import status
from edge.station.status import StatusDocument, StatusError, StatusServer, follow_status, parse_status, read_status

SECONDS = 10
"""How long a test waits for what must happen; never how long it takes."""

WAITING = StatusDocument(
    state="waiting",
    reason=None,
    sentence="Feed a sheet.",
    since_ms=1000,
    signal="ready",
    lamps=MappingProxyType({"ready": True, "fault": False}),
    count=3,
    polls="open",
    scanner={"serial": "A1", "cover_open": False, "sensors": ("front",)},
    last_sheet=None,
    problems=("lowSpace",),
    software="scrutineer 0.1.0",
    uptime_ms=60_000,
    tally_sheets=0,
)
COUNTED = replace(WAITING, count=4, since_ms=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.sock"


@pytest.fixture
def server(path: Path) -> Iterator[StatusServer]:
    server = StatusServer(path)
    yield server
    server.close()


def without_times(document: StatusDocument) -> StatusDocument:
    return replace(document, since_ms=0, uptime_ms=0)


def same(first: StatusDocument, second: StatusDocument) -> bool:
    """Equal as JSON has it, apart from the times."""
    return without_times(first).to_json() == without_times(second).to_json()


@contextlib.contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        client.connect(str(path))
        yield client


def everything(client: socket.socket) -> bytes:
    """What the server sends until it ends the connection, however it ends it."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            data += part
    return data


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_who_asks_gets_the_present_document(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    assert same(read_status(path), WAITING)
    server.publish(COUNTED)
    assert same(read_status(path), COUNTED)


def test_times_go_on_although_the_station_says_nothing_new(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    first = read_status(path)
    until(lambda: read_status(path).since_ms > first.since_ms)
    later = read_status(path)
    assert later.since_ms - first.since_ms == later.uptime_ms - first.uptime_ms


def test_who_asks_too_early_waits_for_the_first_document(server: StatusServer, path: Path) -> None:
    with connected(path) as client:
        client.sendall(b"status\n")
        server.publish(WAITING)
        assert same(parse_status(everything(client)), WAITING)


def test_a_follower_gets_every_change_and_no_line_without_one(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    following = follow_status(path)
    assert same(next(following), WAITING)
    server.publish(replace(WAITING, since_ms=5000, uptime_ms=64_000))
    for count in range(4, 60):
        server.publish(replace(WAITING, count=count))
    assert [next(following).count for _ in range(4, 60)] == list(range(4, 60))
    server.close()
    with pytest.raises(StatusError, match=r"^statusUnreachable: the station has ended"):
        next(following)


def test_a_client_that_has_finished_speaking_is_answered(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    with connected(path) as client:
        client.sendall(b"status\n")
        client.shutdown(socket.SHUT_WR)
        assert same(parse_status(everything(client)), WAITING)


@pytest.mark.parametrize("request_line", [b"\n", b"Status\n", b"status \n", b"\xff\n", b"quit\nstatus\n"])
def test_an_unknown_request_is_told_so(server: StatusServer, path: Path, request_line: bytes) -> None:
    server.publish(WAITING)
    with connected(path) as client:
        client.sendall(request_line)
        assert everything(client) == b'{"error": "unknownRequest"}\n'


def test_a_request_without_end_is_cut_off(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    with connected(path) as client:
        client.sendall(b"x" * 64)
        assert everything(client) == b""


def test_a_client_that_never_asks_is_dropped(server: StatusServer, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "REQUEST_LIMIT_S", 0.05)
    server.publish(WAITING)
    with connected(path) as client:
        client.sendall(b"stat")
        assert everything(client) == b""


def test_a_follower_that_does_not_read_is_dropped_and_nobody_waits_for_it(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    with connected(path) as deaf:
        deaf.sendall(b"follow\n")
        with deaf.makefile("rb") as lines:
            assert same(parse_status(lines.readline()), WAITING)
            large = "x" * 30_000
            for count in range(100):
                server.publish(replace(WAITING, count=count, sentence=large))
                assert read_status(path).count == count
            assert len(everything(deaf)) < 100 * 30_000


def test_a_follower_that_went_away_makes_room(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    for _ in range(2 * status.MOST_CLIENTS):
        with connected(path) as client, client.makefile("rb") as lines:
            client.sendall(b"follow\n")
            assert lines.readline()


def test_one_client_too_many_is_turned_away(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    with contextlib.ExitStack() as stack:
        for _ in range(status.MOST_CLIENTS):
            client = stack.enter_context(connected(path))
            client.sendall(b"follow\n")
            assert client.recv(1) == b"{"
        with pytest.raises(StatusError) as caught:
            read_status(path)
        assert caught.value.code == "statusUnreachable"


def test_the_socket_is_for_owner_and_group(server: StatusServer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert list(path.parent.iterdir()) == [path]


def test_the_socket_of_a_dead_process_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    server = StatusServer(path)
    server.publish(WAITING)
    assert same(read_status(path), WAITING)
    server.close()
    assert not path.exists()
    server.close()


def test_the_socket_of_a_living_station_is_left_alone(server: StatusServer, path: Path) -> None:
    server.publish(WAITING)
    with pytest.raises(StatusError, match=r"^statusSocketBusy: another station answers at"):
        StatusServer(path)
    assert same(read_status(path), WAITING)


def test_a_socket_that_became_anothers_is_not_removed(server: StatusServer, path: Path) -> None:
    path.unlink()
    path.write_text("another's")
    server.close()
    assert path.read_text() == "another's"


@pytest.mark.parametrize("name", ["missing/status.sock", "x" * 120, "x" * 300, "file", "deaf"])
def test_a_place_that_cannot_be_used_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("kept")
    # A datagram socket is a socket, but none that could be asked who is there.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(str(tmp_path / "deaf"))
        with pytest.raises(StatusError) as caught:
            StatusServer(tmp_path / name)
    assert caught.value.code == "statusSocketUnusable"
    assert (tmp_path / "file").read_text() == "kept"


def test_nobody_there_is_unreachable(path: Path) -> None:
    with pytest.raises(StatusError, match=r"^statusUnreachable: no station answers at .*No such file"):
        read_status(path)
    with pytest.raises(StatusError, match=r"^statusUnreachable: "):
        next(follow_status(path))


def test_a_station_that_does_not_answer_is_unreachable(path: Path) -> None:
    server = StatusServer(path)
    with pytest.raises(StatusError, match=r"^statusUnreachable: the station does not answer: timed out"):
        read_status(path, 0.05)
    server.close()


def test_publishing_after_the_end_is_harmless(path: Path) -> None:
    server = StatusServer(path)
    server.close()
    server.publish(WAITING)


def test_what_is_no_document_cannot_be_published(server: StatusServer) -> None:
    nonsense: Any = {"where": Path("/")}
    with pytest.raises(TypeError):
        server.publish(replace(WAITING, scanner=nonsense))
    with pytest.raises(ValueError, match="less than 65536 bytes"):
        server.publish(replace(WAITING, sentence="x" * 65_536))


def test_a_later_stations_additions_are_passed_over_and_its_version_is_not() -> None:
    document = json.loads(WAITING.to_json())
    assert same(parse_status(json.dumps(document | {"added": 1}).encode()), WAITING)
    with pytest.raises(StatusError, match="does not speak version 1"):
        parse_status(json.dumps(document | {"version": 2}).encode())


@pytest.mark.parametrize("key", [*json.loads(WAITING.to_json())])
def test_a_document_that_lacks_something_is_unreadable(key: str) -> None:
    document = json.loads(WAITING.to_json())
    del document[key]
    with pytest.raises(StatusError) as caught:
        parse_status(json.dumps(document).encode())
    assert caught.value.code == "statusUnreadable"


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,version1 ', max_size=60).map(str.encode))
def test_any_bytes_are_a_document_or_unreadable(raw: bytes) -> None:
    with pytest.raises(StatusError) as caught:
        parse_status(raw)
    assert caught.value.code == "statusUnreadable"


texts = st.text(max_size=20)
facts = st.none() | st.dictionaries(texts, texts | st.integers(-(1 << 53), 1 << 53) | st.booleans() | st.none(), max_size=3)
documents = st.builds(
    StatusDocument,
    state=texts,
    reason=st.none() | texts,
    sentence=texts,
    since_ms=st.integers(0, 1 << 53),
    signal=texts,
    lamps=st.dictionaries(texts, st.booleans(), max_size=3),
    count=st.integers(0, 1 << 31),
    polls=texts,
    scanner=facts,
    last_sheet=facts,
    problems=st.lists(texts, max_size=3).map(tuple),
    software=texts,
    uptime_ms=st.integers(0, 1 << 53),
)


@given(documents)
def test_a_document_survives_the_way(document: StatusDocument) -> None:
    assert parse_status(document.to_json().encode()) == document
