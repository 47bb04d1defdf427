"""`scrutineer keys`: the device's keys, as a technician and an authority see them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge.commands.definition import read_package
from edge.commands.error import CommandError
from edge.commands.evidence import visited
from edge.commands.keys import run_enrol
from edge.commands.run import evidence_settings
from edge.definition.errors import DefinitionError
from edge.evidence.events import LogEvent
from edge.evidence.keys.day_key import discard_day_key
from edge.evidence.keys.enrolment import make_enrolment
from edge.evidence.keys.error import EnrolmentError, KeyFileError
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.opening import day_key_label, device_key, log_signer
from edge.evidence.software import SoftwareError, software_sha256
from edge.evidence.station_archive import StationArchive
from edge.evidence.store import Polls, StoreError
from edge.station.config import ConfigError, load_station_config


def run(arguments: argparse.Namespace) -> int:
    """Do the job and give the exit status.

    Args:
        arguments: `job` (enrol or discard-day-key), `config`.

    Raises:
        CommandError: why not.
    """
    return _enrol(arguments.config) if arguments.job == "enrol" else _discard(arguments.config)


def _enrol(config: Path) -> int:
    try:
        station = load_station_config(config)
        package = read_package(station.definitions)
        settings = evidence_settings(station, package)
        keys = KeyFolder(settings.keys)
        keys.open(create=True)
        signer = log_signer(settings, device_key(settings, keys))
        enrolment = make_enrolment(
            signer,
            device=signer.name.rpartition("/")[0],
            ballot_hash=package.identity(),
            title=package.title(),
            software_sha256=software_sha256(),
            package_sha256=package.sha256(),
        )
    except (ConfigError, DefinitionError, EnrolmentError, KeyFileError, SoftwareError, StoreError) as error:
        raise CommandError(error.code, error.detail) from error
    return run_enrol(enrolment)


def _discard(config: Path) -> int:
    with visited(config) as visit:
        entries = [json.loads(entry) for entry in StationArchive(visit.store, visit.package).entries]
        exported = any(entry["Id"] == "exportMade" and json.loads(entry["Details"])["kind"] == "closed" for entry in entries)
        if visit.books.polls is not Polls.CLOSED or not exported:
            raise CommandError(
                "notExported", "the polls must be closed for good and an export made before the box may become unreadable"
            )
        # First the log: a key that is gone without a word would be worse than a word before its time.
        visit.store.note([LogEvent("dayKeyDiscarded")])
        visit.store.checkpoint()
        try:
            discard_day_key(visit.store.opened().keys, day_key_label(visit.settings.label))
        except KeyFileError as error:
            raise CommandError(error.code, error.detail) from error
    print("The key of the ballot box is gone. What is in the box can no longer be read; the exports have it.")
    return 0
