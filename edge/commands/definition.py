"""The files that say what an election is, as the commands read them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from edge.commands.error import CommandError
from edge.definition.election import BALLOT_HASH_BYTES, MAX_ELECTION_BYTES, Election, load_election
from edge.definition.package import ElectionPackage
from edge.definition.settings import MAX_SETTINGS_BYTES, SystemSettings, load_settings


def read_election(path: Path, ballot_hash: str | None) -> Election:
    """The election, with another hash where one is given: its ballots were printed from another revision of the file.

    Raises:
        CommandError: the file cannot be read, or the hash is none.
        DefinitionError: the file is no election definition.
    """
    if ballot_hash is not None and re.fullmatch(rf"[0-9A-Fa-f]{{{2 * BALLOT_HASH_BYTES}}}", ballot_hash) is None:
        raise CommandError("badUse", f"--ballot-hash takes {2 * BALLOT_HASH_BYTES} hex digits, not {ballot_hash!r}")
    election = load_election(_read_file(path, MAX_ELECTION_BYTES))
    return election if ballot_hash is None else replace(election, ballot_hash=bytes.fromhex(ballot_hash))


def read_settings(path: Path | None, election: Election) -> SystemSettings:
    """The settings file, else the defaults with the mark thresholds of an older election file that carries its own.

    Raises:
        CommandError: the file cannot be read.
        DefinitionError: the file holds no settings.
    """
    if path is not None:
        return load_settings(_read_file(path, MAX_SETTINGS_BYTES))
    settings = SystemSettings()
    if election.mark_thresholds is None:
        return settings
    return settings.model_copy(update={"mark_thresholds": election.mark_thresholds})


def read_package(election: Path, settings: Path | None, ballot_hash: str | None) -> ElectionPackage:
    """The files as they are, for the evidence.

    Raises:
        CommandError: a file cannot be read.
    """
    return ElectionPackage(
        _read_file(election, MAX_ELECTION_BYTES),
        None if settings is None else _read_file(settings, MAX_SETTINGS_BYTES),
        None if ballot_hash is None else ballot_hash.lower(),
    )


def _read_file(path: Path, limit: int) -> bytes:
    """The bytes of a definition or settings file; the loaders refuse one that exceeds the limit."""
    try:
        if path.exists() and not path.is_file():
            raise CommandError("fileUnreadable", f"{str(path)!r} is not a regular file")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError as error:
        raise CommandError("fileNotFound", f"there is no file {str(path)!r}") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error
