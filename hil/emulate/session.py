"""`scrutineer emulate` from its arguments to its end: what is served, where the verbs come from, how long."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

from edge.commands.error import CommandError
from edge.commands.run import run as run_station
from hil.emulate.folder import StationFolder, make_folder, open_folder
from hil.emulate.knobs import turned
from hil.emulate.terminal import STANDARD_INPUT, Terminal, standard_error_in
from hil.emulate.verbs import StationVerbs
from hil.panel.panel import EmulatedPanel
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.words import VerbError
from hil.usb.backend import PortBackend
from hil.usb.in_process import InProcessPort
from hil.usbip.server import UsbipServer

_ADDRESS = "127.0.0.1:3240"
_BUSID = "1-1"
_RECORDS = "station.log"
_LONGEST_SCRIPT = 1 << 20


def run(arguments: argparse.Namespace) -> int:
    """Make a folder, or emulate until the verbs end; with `stay`, until SIGINT or SIGTERM.

    Args:
        arguments: As `edge.cli` parses them.

    Raises:
        CommandError: `badUse`, `addressUnavailable`; `scriptFailed` for a line that cannot be done; those of reading files.
    """
    _refuse_contradictions(arguments)
    if arguments.make is not None:
        make_folder(arguments.make)
        return 0
    timings, behaviour = turned(arguments.speed, arguments.knob)
    folder = None if arguments.folder is None else open_folder(arguments.folder)
    script = None if arguments.script is None else _read_script(arguments.script)
    with contextlib.ExitStack() as stack:
        scanner = stack.enter_context(EmulatedScanner(timings, behaviour))
        panel = stack.enter_context(_panel(folder)) if arguments.panel and folder is not None else None
        sheets, config = (folder.sheets, folder.config) if folder is not None else ((), None)
        verbs = StationVerbs(scanner, sys.stdout, sheets, config, panel)
        if script is not None:
            _check(verbs, script, str(arguments.script))
        terminal = Terminal(verbs, panel)
        if not arguments.in_process:
            stack.enter_context(_serving(scanner, folder, arguments.listen, terminal))
        source = STANDARD_INPUT if script is None else str(arguments.script)
        with terminal.listening(source, script, stay=arguments.stay):
            if arguments.in_process and folder is not None:
                _run_station(folder, scanner, terminal)
            else:
                terminal.wait()
    return 0


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    others = ("folder", "script", "listen", "panel", "in_process", "stay", "knob")
    if arguments.make is not None and any(getattr(arguments, name) for name in others):
        raise CommandError("badUse", "--make only makes a folder; use it in a second command")
    for name in ("panel", "in_process"):
        if getattr(arguments, name) and arguments.folder is None:
            raise CommandError("badUse", f"--{name.replace('_', '-')} needs --folder, for the station that it belongs to")
    if arguments.in_process and arguments.listen is not None:
        raise CommandError("badUse", "--in-process has no USB/IP, so there is nothing to --listen at")


def _read_script(path: Path) -> list[str]:
    try:
        if path.exists() and path.is_dir():
            raise CommandError("fileUnreadable", f"{str(path)!r} is a folder")
        with path.open("rb") as file:
            text = file.read(_LONGEST_SCRIPT + 1)
        if len(text) > _LONGEST_SCRIPT:
            raise CommandError("fileUnreadable", f"{str(path)!r} is longer than {_LONGEST_SCRIPT} bytes")
        return text.decode().splitlines()
    except FileNotFoundError as error:
        raise CommandError("fileNotFound", f"there is no file {str(path)!r}") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error


def _check(verbs: StationVerbs, script: list[str], name: str) -> None:
    """Refuse a script before anything happens, rather than in the middle of it."""
    for number, line in enumerate(script, 1):
        try:
            verbs.check(line)
        except VerbError as error:
            raise CommandError("scriptFailed", f"{name}, line {number}: {error}") from error


def _panel(folder: StationFolder) -> EmulatedPanel:
    try:
        return EmulatedPanel.of(folder.config.panel)
    except ValueError as error:
        raise CommandError("badUse", f"{folder.path}: {error}") from error
    except OSError as error:
        raise CommandError("fileUnreadable", f"{folder.config.panel.socket}: {error.strerror or error}") from error


@contextlib.contextmanager
def _serving(scanner: EmulatedScanner, folder: StationFolder | None, listen: str | None, terminal: Terminal) -> Iterator[None]:
    """Offer the scanner over USB/IP, where the folder's station looks for it unless told otherwise."""
    busid = _BUSID
    address = _ADDRESS
    if folder is not None and folder.config.scanner.usb_backend == "usbip":
        address, busid = folder.config.scanner.usbip_server, folder.config.scanner.usbip_busid
    host, port = _host_and_port(listen or address)
    try:
        server = UsbipServer({busid: scanner}, host, port)
    except OSError as error:
        raise CommandError("addressUnavailable", f"cannot listen at {host}:{port}: {error.strerror or error}") from error
    with server:
        place = f"[{host}]:{server.port}" if ":" in host else f"{host}:{server.port}"
        terminal.say(f"the scanner is at {place}, bus id {busid}")
        if folder is not None and place != address:
            terminal.say(f'for this station, {folder.path.name} must say: usbip_server = "{place}"')
        yield


def _host_and_port(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port)
    except ValueError as error:
        raise CommandError("badUse", f"--listen takes an address and a port, such as {_ADDRESS}, not {listen!r}") from error
    if not address.is_loopback or not 0 <= number <= 0xFFFF:
        raise CommandError("badUse", f"--listen takes an address of this machine itself, such as {_ADDRESS}, not {listen!r}")
    return str(address), number


def _run_station(folder: StationFolder, scanner: EmulatedScanner, terminal: Terminal) -> None:
    """The folder's station in this process, at the scanner without a cable; it ends with the verbs or by a signal."""
    records = folder.path.parent / _RECORDS
    terminal.say(f"the station runs in this process; its records go to {records}")
    with standard_error_in(records):
        run_station(argparse.Namespace(config=folder.path), PortBackend(InProcessPort(scanner)))
