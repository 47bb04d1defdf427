"""The files that say what an election is, as the commands read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge.commands.error import CommandError
from edge.definition.election import BALLOT_HASH_BYTES, MAX_ELECTION_BYTES, Election, load_election
from edge.definition.form import MAX_FORM_BYTES, shipped_form
from edge.definition.package import ElectionPackage, sorted_forms
from edge.definition.settings import MAX_SETTINGS_BYTES, SystemSettings, load_settings
from edge.station.config_sections import Definition


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


def read_package(definitions: Sequence[Definition]) -> ElectionPackage:
    """The files of a station's definitions as they are, for the evidence.

    Raises:
        CommandError: a file cannot be read.
        DefinitionError: a form is none, or there twice.
    """
    forms = sorted_forms([read_form(one.form) for one in definitions if one.form is not None])
    for one in definitions:
        if one.election is not None:
            settings = None if one.settings is None else _read_file(one.settings, MAX_SETTINGS_BYTES)
            return ElectionPackage(_read_file(one.election, MAX_ELECTION_BYTES), settings, one.ballot_hash, forms)
    return ElectionPackage(None, forms=forms)


def read_form(source: Path | str) -> bytes:
    """The file of a form: one that comes with the software, by its name, or any other, by its path.

    Raises:
        CommandError: the file cannot be read.
        DefinitionError: no form of this name comes with the software.
    """
    return shipped_form(source) if isinstance(source, str) else _read_file(source, MAX_FORM_BYTES)


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
