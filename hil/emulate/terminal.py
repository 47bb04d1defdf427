"""The terminal of a session: verbs come in, lamps and answers go out, and its end ends the session."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

from edge.commands.error import CommandError
from hil.emulate.lamps import Rhythms
from hil.emulate.lines import StoppableLines
from hil.emulate.verbs import StationVerbs
from hil.panel.factory import monotonic_ms
from hil.panel.panel import EmulatedPanel
from hil.scanner.words import VerbError

STANDARD_INPUT = "stdin"
_STDIN = 0
_PROMPT = "> "
_LOOK_S = 0.1
_END_S = 2.0
_ASK_AGAIN_S = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminal:
    """One session's terminal.

    The main thread is free for the station, which needs it for its signals, or for `wait`.

    Args:
        verbs: What lines do.
        panel: Whose lamps are told; None: nobody's.
    """

    def __init__(self, verbs: StationVerbs, panel: EmulatedPanel | None) -> None:
        self._verbs = verbs
        self._panel = panel
        self._lock = threading.Lock()
        self._prompted = False
        # Unlike an Event, it may be filled by a signal handler that interrupts whoever waits for it.
        self._ends: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._failure: BaseException | None = None

    def say(self, text: str) -> None:
        """Print a line above what is being typed."""
        encoding = sys.stdout.encoding or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        with self._lock:
            print(f"\r\x1b[K{text}\n{_PROMPT}" if self._prompted else f"{text}\n", end="", flush=True)

    def wait(self) -> None:
        """Wait for the end of the verbs or for a signal."""
        self._ends.get()

    @contextlib.contextmanager
    def listening(self, source: str, script: Iterable[str] | None, *, stay: bool) -> Iterator[None]:
        """Take verbs and tell lamps until the body ends; when the verbs end, the main thread gets SIGTERM.

        Args:
            source: Where the lines come from, for messages.
            script: Lines; None: standard input, where a person at a terminal may be wrong as often as he likes.
            stay: Go on when there are no more lines.

        Raises:
            CommandError: `scriptFailed`, when the body has ended, if a line could not be done.
        """
        handlers = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        interactive = script is None and sys.stdin is not None and sys.stdin.isatty()
        typed = StoppableLines(_STDIN, self._prompt if interactive else lambda: None)
        lines = script if script is not None else typed if sys.stdin is not None else ()
        threads = [threading.Thread(target=self._obey, args=(lines, None if interactive else source, stay), daemon=True)]
        if self._panel is not None:
            threads.append(threading.Thread(target=self._tell_lamps, args=(self._panel,), daemon=True))
        try:
            for thread in threads:
                thread.start()
            yield
        finally:
            self._over.set()
            typed.stop()
            for thread in threads:
                thread.join(_END_S)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            if self._prompted:
                print()
        if self._failure is not None:
            raise self._failure

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._ends.put(None)

    def _prompt(self) -> None:
        with self._lock:
            self._prompted = True
            print(_PROMPT, end="", flush=True)

    def _obey(self, lines: Iterable[str], strict_source: str | None, stay: bool) -> None:
        try:
            quits = self._follow(lines, strict_source)
        except BaseException as error:  # noqa: BLE001  raised where the session ends
            self._fail(error)
        else:
            if quits or not stay:
                self._end()

    def _follow(self, lines: Iterable[str], strict_source: str | None) -> bool:
        """Do what lines say; whether the last one was `quit`."""
        for number, line in enumerate(lines, 1):
            with self._lock:
                self._prompted = False
            try:
                if not self._verbs.do(line):
                    return True
            except VerbError as error:
                if strict_source is not None:
                    raise CommandError("scriptFailed", f"{strict_source}, line {number}: {error}") from error
                self.say(str(error))
        return False

    def _tell_lamps(self, panel: EmulatedPanel) -> None:
        rhythms = Rhythms()
        told = 0
        connected = False
        try:
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    panel.wait_for(lambda seen, told=told: len(seen.changes) > told, _LOOK_S)  # type: ignore[misc]
                changes = panel.changes[told:]
                told += len(changes)
                said = rhythms.hear(changes, monotonic_ms())
                if panel.connected != connected:
                    connected = not connected
                    said.append("a station has it" if connected else "no station has it, every line is released")
                if said:
                    self.say(f"panel: {', '.join(said)}")
        except OSError as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._end()

    def _end(self) -> None:
        """Have the main thread end; a station that is still starting may not have heard it the first time."""
        main = threading.main_thread().ident
        while main is not None and not self._over.wait(_ASK_AGAIN_S):
            signal.pthread_kill(main, signal.SIGTERM)


@contextlib.contextmanager
def standard_error_in(path: Path) -> Iterator[None]:
    """Let standard error go to a file, so that the records of a station do not run through what a person types."""
    sys.stderr.flush()
    kept = os.dup(sys.stderr.fileno())
    with path.open("ab") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, sys.stderr.fileno())
        os.close(kept)
