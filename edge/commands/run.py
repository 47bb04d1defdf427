"""`scrutineer run --config FILE`: the station."""

from __future__ import annotations

import argparse
import signal
from typing import Any

from edge.commands.connection import connector
from edge.commands.definition import read_package
from edge.commands.error import CommandError
from edge.definition.errors import DefinitionError
from edge.definition.package import ElectionPackage
from edge.evidence.cdf.cvr_election import check_election
from edge.evidence.cdf.error import CdfError
from edge.evidence.clock import ClockError, LogClock
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import BoxShape
from edge.evidence.opening import EvidenceSettings
from edge.evidence.software import SoftwareError, software_name, software_sha256
from edge.inference.error import ModelError
from edge.station.config import ConfigError, StationConfig, effective, load_station_config
from edge.station.daemon import Daemon, Outside
from edge.station.events import CastPressed, PollsTurned, ReturnPressed, StopRequested
from edge.station.journal import Journal, Priority, open_journal
from edge.station.notify import Notifier, NotifyError, open_notifier
from edge.station.panel import PanelError, open_panel
from edge.station.sheet import package_reader
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
        package = read_package(config.definitions)
        notifier = open_notifier()
        journal = open_journal()
    except (ConfigError, DefinitionError, NotifyError) as error:
        raise CommandError(error.code, error.detail) from error
    try:
        _run(config, package, journal, notifier, usb_backend)
    except (CdfError, ClockError, DefinitionError, ModelError, PanelError, SoftwareError, StatusError) as error:
        raise CommandError(error.code, error.detail) from error
    finally:
        journal.close()
    return 0


def _run(
    config: StationConfig,
    package: ElectionPackage,
    journal: Journal,
    notifier: Notifier,
    usb_backend: Any,  # noqa: ANN401  pyusb has no types
) -> None:
    software = software_name(), software_sha256()
    _report(config, journal, software[0])
    election = package.election_if_any()
    if election is not None:
        check_election(election)

    def progress() -> None:
        daemon.progressed()

    store = EvidenceStore(
        evidence_settings(config, package),
        package,
        software=software,
        clock=LogClock(),
        progressed=progress,
    )
    outside = Outside(
        connector(config.scanner, usb_backend),
        package_reader(package, keep_grey=config.evidence.grey_pages),
        store,
        journal,
        notifier,
        software_sha256=software[1],
    )
    daemon = Daemon(limits(config), outside, software[0])
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


def evidence_settings(config: StationConfig, package: ElectionPackage, *, visiting: bool = False) -> EvidenceSettings:
    """Where a station keeps its evidence; rehearsals have their own, beside that of the election.

    Raises:
        DefinitionError: the package is none.
    """
    evidence = config.evidence
    return EvidenceSettings(
        media=(evidence.folder,) if evidence.second_folder is None else (evidence.folder, evidence.second_folder),
        keys=evidence.keys,
        device=evidence.device,
        label=package.identity() + ("-test" if package.is_test() else ""),
        shape=BoxShape(evidence.sheets, evidence.returned_sheets, evidence.slot_kib << 10),
        visiting=visiting,
    )


def _report(config: StationConfig, journal: Journal, software: str) -> None:
    """Every effective value and where it comes from, before anything else."""
    journal.write("start", f"{software} starts.", Priority.NOTICE)
    for name, value, source in effective(config):
        journal.write("setting", f"{name} = {value}", key=name, value=value, source=source)
