"""An election package: the very bytes that decide how a sheet is read, so that anyone can read it again later."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.definition.canonical_json import canonical_bytes
from edge.definition.election import BALLOT_HASH_BYTES, Election, load_election
from edge.definition.errors import DefinitionError
from edge.definition.form import Form, load_form
from edge.definition.settings import SystemSettings, load_settings

MOST_FORMS = 16


@dataclass(frozen=True, slots=True)
class ElectionPackage:
    """What a station is given to read sheets.

    Attributes:
        election: The election definition file; None where no ballots are read.
        settings: The system settings file; None = the published defaults.
        ballot_hash: 20 lower-case hex digits that the ballots carry, if they were printed from another revision of the file.
        forms: The files of the forms of tally sheets, in the order of the forms' names; see `sorted_forms`.
    """

    election: bytes | None
    settings: bytes | None = None
    ballot_hash: str | None = None
    forms: tuple[bytes, ...] = ()

    def definition(self) -> Election:
        """The election, with the hash that its ballots carry.

        Raises:
            DefinitionError: the file is no election definition, or there is none (`noElection`).
            ValueError: the hash is none.
        """
        if self.election is None:
            raise DefinitionError("noElection", "the package holds forms of tally sheets and no election definition")
        election = load_election(self.election)
        if self.ballot_hash is None:
            return election
        if re.fullmatch(f"[0-9a-f]{{{2 * BALLOT_HASH_BYTES}}}", self.ballot_hash) is None:
            raise ValueError(f"a ballot hash has {2 * BALLOT_HASH_BYTES} lower-case hex digits")
        return replace(election, ballot_hash=bytes.fromhex(self.ballot_hash))

    def election_if_any(self) -> Election | None:
        """The election; None where no ballots are read.

        Raises:
            DefinitionError, ValueError: as `definition`.
        """
        return None if self.election is None else self.definition()

    def system_settings(self, election: Election) -> SystemSettings:
        """The settings file, else the defaults with the mark thresholds of an older election file that carries its own.

        Raises:
            DefinitionError: the file holds no settings.
        """
        if self.settings is not None:
            return load_settings(self.settings)
        settings = SystemSettings()
        if election.mark_thresholds is None:
            return settings
        return settings.model_copy(update={"mark_thresholds": election.mark_thresholds})

    def is_test(self) -> bool:
        """Whether the settings take nothing but test ballots.

        Raises:
            DefinitionError, ValueError: as `definition` and `system_settings`.
        """
        election = self.election_if_any()
        return election is not None and self.system_settings(election).test_mode is True

    def loaded_forms(self) -> tuple[Form, ...]:
        """The forms, in the order of their files.

        Raises:
            DefinitionError: a file is no form, or they are not as `sorted_forms` gives them.
        """
        if self.forms != sorted_forms(self.forms):
            raise DefinitionError("invalidForm", "the forms of a package stand in the order of their names")
        return tuple(load_form(raw) for raw in self.forms)

    def identity(self) -> str:
        """20 hex digits that name what is counted in logs: the hash that the ballots carry, else one over the package.

        Raises:
            DefinitionError, ValueError: as `definition`.
        """
        election = self.election_if_any()
        return self.sha256()[:BALLOT_HASH_BYTES].hex() if election is None else election.ballot_hash.hex()

    def title(self) -> str:
        """The election's title, else those of the forms.

        Raises:
            DefinitionError, ValueError: as `definition` and `loaded_forms`.
        """
        election = self.election_if_any()
        return "; ".join(form.title for form in self.loaded_forms()) if election is None else election.title

    def sha256(self) -> bytes:
        """One hash over all of it: SHA-256 of the canonical JSON of the parts' hashes and the ballot hash.

        Forms are named in it only where there are any, so that a package without them has the hash that it always had.
        """
        parts: dict[str, str | list[str] | None] = {
            "ballotHash": self.ballot_hash,
            "election": None if self.election is None else hashlib.sha256(self.election).hexdigest(),
            "settings": None if self.settings is None else hashlib.sha256(self.settings).hexdigest(),
        }
        if self.forms:
            parts["forms"] = [hashlib.sha256(raw).hexdigest() for raw in self.forms]
        return hashlib.sha256(canonical_bytes(parts)).digest()


def sorted_forms(files: Sequence[bytes]) -> tuple[bytes, ...]:
    """The files of forms in the order of the forms' names.

    Raises:
        DefinitionError: one is no form, there are too many, or two have the same name but for upper and lower case: each is a
            file of an export.
    """
    if len(files) > MOST_FORMS:
        raise DefinitionError("invalidForm", f"at most {MOST_FORMS} forms can be read at once")
    named: dict[str, tuple[str, bytes]] = {}
    for raw in files:
        name = load_form(raw).name
        if name.lower() in named:
            raise DefinitionError("invalidForm", f"the form {name} is there twice")
        named[name.lower()] = name, raw
    return tuple(raw for _, raw in sorted(named.values()))
