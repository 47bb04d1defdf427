"""`scrutineer run --config FILE`: the station."""

from __future__ import annotations

import argparse
import signal
from importlib import metadata
from typing import Any

from edge.commands.connection import connector
from edge.commands.definition import read_election, read_settings
from edge.commands.error import CommandError
from edge.definition.election import Election
from edge.definition.errors import DefinitionError
from edge.definition.settings import SystemSettings
from edge.evidence.sqlite_store import SqliteStore
from edge.station.config import ConfigError, StationConfig, effective, load_station_config
from edge.station.daemon import Daemon, Outside
from edge.station.events import CastPressed, PollsTurned, ReturnPressed, StopRequested
from edge.station.journal import Journal, Priority, open_journal
from edge.station.notify import Notifier, NotifyError, open_notifier
from edge.station.panel import PanelError, open_panel
from edge.station.sheet import sheet_reader
from edge.station.state import Limits
from edge.station.status import StatusError, StatusServer


def run(arguments: argparse.Namespace, usb_backend: Any = None) -> int:  # noqa: ANN401  pyusb has no types
    """Run the station until it is told to end.

    Args:
        arguments: `config`, the path of the configuration.
        usb_backend: What reaches the scanner, instead of what the configuration names; a pyusb backend.

    Raises:
        CommandError: when it cannot begin with what it was given.
    """
    try:
        config = load_station_config(arguments.config)
        election = read_election(config.election.definition, config.election.ballot_hash)
        settings = read_settings(config.election.settings, election)
        notifier = open_notifier()
        journal = open_journal()
    except (ConfigError, DefinitionError, NotifyError) as error:
        raise CommandError(error.code, error.detail) from error
    try:
        _run(config, election, settings, journal, notifier, usb_backend)
    except (PanelError, StatusError) as error:
        raise CommandError(error.code, error.detail) from error
    finally:
        journal.close()
    return 0


def _run(
    config: StationConfig,
    election: Election,
    settings: SystemSettings,
    journal: Journal,
    notifier: Notifier,
    usb_backend: Any,  # noqa: ANN401  pyusb has no types
) -> None:
    software = f"scrutineer-edge {metadata.version('scrutineer-edge')}"
    _report(config, journal, software)
    store = SqliteStore(config.evidence.folder)
    outside = Outside(connector(config.scanner, usb_backend), sheet_reader(election, settings), store, journal, notifier)
    daemon = Daemon(limits(config), outside, software)
    status = StatusServer(config.status.socket)
    try:
        panel = open_panel(
            config.panel,
            config.station.runtime_directory,
            lambda button: daemon.post(CastPressed() if button == "cast" else ReturnPressed()),
            lambda is_open: daemon.post(PollsTurned(is_open)),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.post(StopRequested()))
        try:
            daemon.run(panel, status, follow_switch=config.station.polls == "switch")
        finally:
            panel.release()
    finally:
        status.close()


def limits(config: StationConfig) -> Limits:
    """The station's limits from its configuration."""
    station = config.station
    return Limits(
        rest=station.rest_ms,
        scan=station.scan_limit_ms,
        interpret=station.interpret_limit_ms,
        hold=station.hold_limit_s * 1000,
        accept=station.accept_limit_ms,
        turn_back=station.return_limit_ms,
        poll=station.poll_ms,
        idle_poll=station.idle_poll_ms,
        reconnect_first=station.reconnect_first_ms,
        reconnect_most=station.reconnect_most_ms,
        accepted_signal=station.accepted_signal_ms,
    )


def _report(config: StationConfig, journal: Journal, software: str) -> None:
    """Every effective value and where it comes from, before anything else."""
    journal.write("start", f"{software} starts.", Priority.NOTICE)
    for name, value, source in effective(config):
        journal.write("setting", f"{name} = {value}", key=name, value=value, source=source)
