"""A real HTTP server on the loopback that misbehaves as told: each path has answers, one a request, the last for all others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Message
    at: float


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.enter()
        self.server.asked.append(Asked(self.path, self.headers, time.monotonic()))
        try:
            answers = self.server.answers.get(self.path, [status(404)])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            answer(self)
        except OSError:
            pass  # the other side left
        finally:
            self.server.leave()

    def log_message(self, *_: object) -> None:
        pass

    def head(self, code: int, headers: Mapping[str, object]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()


Answer = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[Asked] = []
        self.most_at_once = self._now = 0
        self._lock = threading.Lock()

    def serve(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return self.address(path)

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def ranges(self, path: str) -> list[str | None]:
        return [one.headers.get("Range") for one in self.asked if one.path == path]

    def enter(self) -> None:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)

    def leave(self) -> None:
        with self._lock:
            self._now -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  as the base class has it
        pass


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class File:
    """A file as a good server gives it: with a version, and from any byte on."""

    data: bytes
    tag: str | None = '"one"'
    headers: dict[str, object] = field(default_factory=dict)
    takes_ranges: bool = True
    keeps_conditions: bool = True
    """Whether it looks at If-Range."""

    def __call__(self, handler: Handler) -> None:
        self.part(handler, None)

    def part(self, handler: Handler, sent: int | None, pause: float = 0) -> None:
        """Answer, but leave after so many bytes of the body."""
        begin, code = 0, 200
        headers = {"Content-Type": "image/png", **({"ETag": self.tag} if self.tag else {}), **self.headers}
        wanted = handler.headers.get("Range")
        if self.takes_ranges and wanted and (not self.keeps_conditions or handler.headers.get("If-Range") == self.tag):
            begin, code = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            if begin >= len(self.data):
                handler.head(416, {"Content-Range": f"bytes */{len(self.data)}", "Content-Length": 0})
                return
            headers["Content-Range"] = f"bytes {begin}-{len(self.data) - 1}/{len(self.data)}"
        body = self.data[begin:]
        handler.head(code, {"Content-Length": len(body), **headers})
        for start in range(0, len(body) if sent is None else min(sent, len(body)), 1 << 12):
            end = min(start + (1 << 12), len(body) if sent is None else sent)
            time.sleep(pause)
            handler.wfile.write(body[start:end])


def cut(file: File, after: int) -> Answer:
    """Drop the connection after so many bytes of the body."""
    return lambda handler: file.part(handler, after)


def slow(file: File, pause: float) -> Answer:
    """Wait before every 4 KiB."""
    return lambda handler: file.part(handler, None, pause)


def status(code: int, headers: Mapping[str, object] | None = None, body: bytes = b"") -> Answer:
    def answer(handler: Handler) -> None:
        handler.head(code, {"Content-Length": len(body), **(headers or {})})
        handler.wfile.write(body)

    return answer


def redirect(to: str, code: int = 302) -> Answer:
    return status(code, {"Location": to})


def raw(*pieces: bytes, pause: float = 0) -> Answer:
    """These bytes instead of an answer, with pauses between them."""

    def answer(handler: Handler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)

    return answer


def silence(seconds: float) -> Answer:
    return lambda _: time.sleep(seconds)
