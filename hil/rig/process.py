"""The station as a process of its own, as a service manager would start it: `scrutineer run`, beside an emulated world.

The scanner reaches it over USB/IP and the panel over a socket; this process only watches, presses, and ends it as it likes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from edge.evidence.medium import LOG_FILE
from edge.evidence.store import Books
from edge.station.config import load_station_config
from edge.station.status import StatusDocument, StatusError, follow_status, read_status
from hil.panel.panel import EmulatedPanel
from hil.rig.evidence import FORM_SHAPE, SMALL, looked_at
from hil.rig.station import INPUTS, OUTPUTS
from hil.usb.device import UsbDevice
from hil.usbip.server import UsbipServer

ROOT: Final = Path(__file__).resolve().parents[2]
BUSID: Final = "1-1"
QUICK: Final[Mapping[str, int]] = {
    "rest_ms": 0,
    "accept_limit_ms": 800,
    "return_limit_ms": 1_500,
    "poll_ms": 10,
    "idle_poll_ms": 50,
    "reconnect_first_ms": 50,
    "reconnect_most_ms": 500,
    "accepted_signal_ms": 200,
}
"""Keys of the configuration's section `station`, for a scanner whose motions take milliseconds."""
START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 30.0
"""For a process that shares its cores with others; both are far above what it takes alone."""

_NOT_OURS: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"})
"""What a service manager told the process that started us is not meant for the station."""
_LOOK_AGAIN_S: Final = 0.01


class StationProcess:
    """A station at work from `with` to its end; in between it can be killed and started again.

    Args:
        folder: Where configuration, evidence and standard error are kept; made if it is missing.
        scanner: The emulated scanner, or any other USB device, started by the caller; it outlives the station.
        election: The election definition, as a file; None = no ballots are read.
        settings: System settings, as a file; None = the published defaults.
        forms: Forms of tally sheets, as files.
        limits: Keys of the configuration's section `station` and their values; `QUICK` for a quick scanner, {} for the defaults.
        scanner_keys: Keys of the section `scanner`, likewise.
        timing: Keys of the section `scanner.timing`, likewise.
        polls_open: How the key switch stands at the start.
    """

    def __init__(
        self,
        folder: Path,
        scanner: UsbDevice,
        *,
        election: bytes | None,
        settings: bytes | None = None,
        forms: Sequence[bytes] = (),
        limits: Mapping[str, int] = QUICK,
        scanner_keys: Mapping[str, str | int] | None = None,
        timing: Mapping[str, int] | None = None,
        polls_open: bool = True,
    ) -> None:
        self.folder = folder
        self.evidence = folder / "evidence"
        self.config = folder / "station.toml"
        self._stderr = folder / "stderr.log"
        self._scanner = scanner
        self._files = {f"form-{number}.toml": form for number, form in enumerate(forms)}
        self._definitions = [{"form": name} for name in self._files]
        if election is not None:
            self._files["definition.json"] = election
            self._definitions.insert(0, {"election": "definition.json"})
        if settings is not None:
            self._files["settings.json"] = settings
            self._definitions[0]["settings"] = "settings.json"
        self._shape = FORM_SHAPE if forms else SMALL
        self._limits = limits
        self._scanner_keys = scanner_keys or {}
        self._timing = timing or {}
        self._polls_open = polls_open
        self._cleanup = contextlib.ExitStack()
        self._panel: EmulatedPanel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._story: _Story | None = None
        self._told: list[StatusDocument] = []

    def __enter__(self) -> Self:
        with self._cleanup:
            self.folder.mkdir(parents=True, exist_ok=True)
            # The path of a socket is short, and the folder's may not be.
            runtime = Path(tempfile.mkdtemp(prefix="scrutineer-"))
            self._cleanup.callback(shutil.rmtree, runtime, ignore_errors=True)
            server = self._cleanup.enter_context(UsbipServer({BUSID: self._scanner}))
            for name, content in self._files.items():
                (self.folder / name).write_bytes(content)
            self.config.write_text(self._toml(runtime, server.port))
            loaded = load_station_config(self.config)
            self._panel = self._cleanup.enter_context(EmulatedPanel.of(loaded.panel))
            self._panel.turn_polls(opened=self._polls_open)
            self._cleanup.callback(self._end)
            self.status_socket = loaded.status.socket
            self.start()
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with self._cleanup:
            if kind is None and self.running:
                status = self.stop()
                if status != 0:
                    raise RuntimeError(f"the station ended with status {status}: {self.stderr[-2000:]}")

    # Its life.

    def start(self) -> None:
        """Start the process, which does not run yet, and begin to follow its status."""
        if self.running:
            raise RuntimeError("the station runs already")
        self._forget()
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        with self._stderr.open("ab") as stderr:
            self._process = subprocess.Popen(  # noqa: S603  our own command
                [sys.executable, "-m", "edge.cli", "run", "--config", str(self.config)],
                cwd=ROOT,  # where `edge` and `hil` are
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        self._story = _Story(self.status_socket, self._process)

    def kill(self) -> None:
        """End the process as a power cut would: at once, without its knowing."""
        self._running_process().send_signal(signal.SIGKILL)
        self._running_process().wait()

    def stop(self, limit_s: float = STOP_LIMIT_S) -> int:
        """Ask the process to end in good order; gives its exit status.

        Raises:
            subprocess.TimeoutExpired: it did not.
        """
        process = self._running_process()
        process.send_signal(signal.SIGTERM)
        return process.wait(limit_s)

    def wait(self, limit_s: float = STOP_LIMIT_S) -> int:
        """Wait for the process to end by itself; gives its exit status."""
        return self._running_process().wait(limit_s)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._running_process().pid

    # What it says.

    @property
    def panel(self) -> EmulatedPanel:
        """The panel; it outlives the process."""
        if self._panel is None:
            raise RuntimeError("the station is not in use")
        return self._panel

    def status(self) -> StatusDocument:
        """Ask how it is."""
        return read_status(self.status_socket)

    @property
    def told(self) -> tuple[StatusDocument, ...]:
        """Every status that was heard since the first start, in order."""
        return (*self._told, *(self._story.documents if self._story else ()))

    def wait_for(
        self, *states: str, count: int | None = None, reason: str | None = None, seconds: float = START_LIMIT_S
    ) -> StatusDocument:
        """Wait until the station is, or after this call was for a moment, in one of these states; gives that status.

        Args:
            states: Names of states.
            count: With this count of sheets; None = any.
            reason: For this reason; None = any.
            seconds: The limit.

        Raises:
            TimeoutError: it was not; the message says what it was.
            RuntimeError: the process has ended.
        """

        def wanted(document: StatusDocument) -> bool:
            return (
                document.state in states
                and (count is None or document.count == count)
                and (reason is None or document.reason == reason)
            )

        return self.wait_until(wanted, seconds)

    def wait_until(self, wanted: Callable[[StatusDocument], bool], seconds: float = START_LIMIT_S) -> StatusDocument:
        """As `wait_for`, for anything that a status says."""
        if self._story is None:
            raise RuntimeError("the station was not started")
        try:
            return self._story.wait_until(wanted, seconds)
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {self.stderr[-2000:]}") from error

    @property
    def stderr(self) -> str:
        """All that the process wrote on standard error, since the first start."""
        return self._stderr.read_text() if self._stderr.exists() else ""

    def journal(self) -> list[dict[str, Any]]:
        """The records that the process wrote on standard error, since the first start; a last one without its end is left out."""
        lines = [line for line in self.stderr.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        return [json.loads(line) for line in lines]

    def books(self) -> Books:
        """What the evidence itself says. Only while the process does not run; nothing of it is changed."""
        if self.running:
            raise RuntimeError("the books are the station's own while it runs")
        if not any(self.evidence.glob(f"*/{LOG_FILE}")):
            # It was killed before there were any.
            return Books()
        with looked_at(load_station_config(self.config)) as store:
            return store.read()

    # The rest.

    def _running_process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the station was not started")
        return self._process

    def _forget(self) -> None:
        """What the last process told goes into the archive."""
        if self._story is not None:
            self._story.join()
            self._told += self._story.documents
            self._story = None

    def _end(self) -> None:
        if self.running:
            self.kill()
        self._forget()

    def _toml(self, runtime: Path, port: int) -> str:
        sections: dict[str, Mapping[str, str | int]] = {
            "scanner": {
                "usb_backend": "usbip",
                "usbip_server": f"127.0.0.1:{port}",
                "usbip_busid": BUSID,
                **self._scanner_keys,
            },
            "scanner.timing": self._timing,
            "panel": {"pin_factory": "emulated", "socket": str(runtime / "panel.sock"), "bounce_ms": 0},
            "panel.outputs": {str(name): number for name, number in OUTPUTS.items()},
            "panel.inputs": {str(name): number for name, number in INPUTS.items()},
            "evidence": {
                "folder": str(self.evidence),
                "device": "scan.example.org/rig",
                "sheets": self._shape.cast,
                "returned_sheets": self._shape.returned,
                "slot_kib": self._shape.slot_bytes >> 10,
            },
            "station": {"runtime_directory": str(runtime), "polls": "switch", **self._limits},
        }
        lines = []
        for definition in self._definitions:
            lines += ["[[definitions]]", *(f"{key} = {json.dumps(file)}" for key, file in definition.items()), ""]
        for name, keys in sections.items():
            # JSON's texts and integers are TOML's, for what stands here.
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""]
        return "\n".join(lines)


class _Story:
    """All that one process tells on its status socket, taken down by a thread."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        self._path = path
        self._process = process
        self._changed = threading.Condition()
        self._documents: list[StatusDocument] = []
        self._over = False
        self._thread = threading.Thread(target=self._listen, name="status of the station", daemon=True)
        self._thread.start()

    @property
    def documents(self) -> tuple[StatusDocument, ...]:
        with self._changed:
            return tuple(self._documents)

    def join(self) -> None:
        """Wait for the end of a story whose process has ended."""
        self._thread.join()

    def wait_until(self, wanted: Callable[[StatusDocument], bool], seconds: float) -> StatusDocument:
        end = time.monotonic() + seconds
        with self._changed:
            seen = max(0, len(self._documents) - 1)
            while True:
                for document in self._documents[seen:]:
                    if wanted(document):
                        return document
                seen = len(self._documents)
                last = ", ".join(f"{document.state} ({document.reason}, {document.count})" for document in self._documents[-8:])
                if self._over:
                    raise RuntimeError(f"the station has ended; its last states: {last}")
                if not self._changed.wait(end - time.monotonic()):
                    raise TimeoutError(f"not in {seconds} s; the last states: {last}")

    def _listen(self) -> None:
        while self._process.poll() is None:
            with contextlib.suppress(StatusError):
                for document in follow_status(self._path):
                    with self._changed:
                        self._documents.append(document)
                        self._changed.notify_all()
            time.sleep(_LOOK_AGAIN_S)
        with self._changed:
            self._over = True
            self._changed.notify_all()
