"""The station's evidence as other commands than `run` reach it: beside the station, which may be at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.commands.definition import read_package
from edge.commands.error import CommandError
from edge.commands.run import evidence_settings
from edge.definition.errors import DefinitionError
from edge.definition.package import ElectionPackage
from edge.evidence.clock import ClockError, LogClock
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.opening import EvidenceSettings
from edge.evidence.software import SoftwareError, software_name, software_sha256
from edge.evidence.store import Books, StoreError
from edge.station.config import ConfigError, load_station_config


@dataclass(frozen=True, slots=True)
class Visit:
    """Open evidence.

    Attributes:
        store: The store, open.
        books: What it holds.
        package: What the sheets are read with.
        settings: Where it is.
    """

    store: EvidenceStore
    books: Books
    package: ElectionPackage
    settings: EvidenceSettings


@contextmanager
def visited(config: Path) -> Iterator[Visit]:
    """The evidence of the station that this configuration describes.

    Raises:
        CommandError: it cannot be opened, or fails meanwhile.
    """
    try:
        station = load_station_config(config)
        package = read_package(station.definitions)
        settings = evidence_settings(station, package, visiting=True)
        store = EvidenceStore(settings, package, software=(software_name(), software_sha256()), clock=LogClock())
        try:
            yield Visit(store, store.read(), package, settings)
        finally:
            store.close()
    except (ClockError, ConfigError, DefinitionError, SoftwareError, StoreError) as error:
        raise CommandError(error.code, error.detail) from error
