"""A panel to sit at: `python -m hil.panel station.toml`, beside a station that runs with the same file.

What the lamps and the buzzer do is printed as it happens. Type `cast`, `return`, `open`, `close` (the key switch) or `quit`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.station.config import ConfigError, load_station_config
from hil.panel.factory import monotonic_ms
from hil.panel.panel import EmulatedPanel

EXIT_BAD_USE = 2
_LOOK_S = 0.2


def main() -> int:
    """Run the panel until its input ends or says `quit`."""
    parser = argparse.ArgumentParser(prog="python -m hil.panel", description="An emulated panel at the terminal.")
    parser.add_argument("config", metavar="FILE", type=Path, help='the station\'s configuration, with pin_factory = "emulated"')
    try:
        config = load_station_config(parser.parse_args().config).panel
        panel = EmulatedPanel.of(config)
    except (ConfigError, ValueError, OSError) as error:
        sys.stderr.write(f"hil.panel: {error}\n")
        return EXIT_BAD_USE
    with panel, _telling(panel):
        for line in sys.stdin:
            match line.strip():
                case "quit":
                    break
                case "open" | "close" as turned if "polls" in config.inputs.wired():
                    panel.turn_polls(opened=turned == "open")
                case "cast" | "return" as button if button in config.inputs.wired():
                    panel.press(button)
                case other:
                    print(f"{other!r}: type cast, return, open, close (those that are wired) or quit", flush=True)
    return 0


@contextmanager
def _telling(panel: EmulatedPanel) -> Iterator[None]:
    """Print what the lamps do. The thread is waited for: one that still prints at the end of the process would abort it."""
    ended = threading.Event()
    thread = threading.Thread(target=_tell, args=(panel, monotonic_ms(), ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _tell(panel: EmulatedPanel, begun_ms: int, ended: threading.Event) -> None:
    told = 0
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            panel.wait_for(lambda seen, told=told: len(seen.changes) > told, _LOOK_S)  # type: ignore[misc]  # a default binds it now
        for change in panel.changes[told:]:
            print(f"{(change.at_ms - begun_ms) / 1000:9.3f} s  {change.name:<7} {change.state}", flush=True)
            told += 1


if __name__ == "__main__":
    sys.exit(main())
