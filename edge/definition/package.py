"""An election package: the very bytes that decide how a sheet is read, so that anyone can read it again later."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from edge.definition.canonical_json import canonical_bytes
from edge.definition.election import BALLOT_HASH_BYTES, Election, load_election
from edge.definition.settings import SystemSettings, load_settings


@dataclass(frozen=True, slots=True)
class ElectionPackage:
    """What a station is given to read an election's sheets.

    Attributes:
        election: The election definition file.
        settings: The system settings file; None = the published defaults.
        ballot_hash: 20 lower-case hex digits that the ballots carry, if they were printed from another revision of the file.
    """

    election: bytes
    settings: bytes | None = None
    ballot_hash: str | None = None

    def definition(self) -> Election:
        """The election, with the hash that its ballots carry.

        Raises:
            DefinitionError: the file is no election definition.
            ValueError: the hash is none.
        """
        election = load_election(self.election)
        if self.ballot_hash is None:
            return election
        if re.fullmatch(f"[0-9a-f]{{{2 * BALLOT_HASH_BYTES}}}", self.ballot_hash) is None:
            raise ValueError(f"a ballot hash has {2 * BALLOT_HASH_BYTES} lower-case hex digits")
        return replace(election, ballot_hash=bytes.fromhex(self.ballot_hash))

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

    def sha256(self) -> bytes:
        """One hash over all of it: SHA-256 of the canonical JSON of the parts' hashes and the ballot hash."""
        parts = {
            "ballotHash": self.ballot_hash,
            "election": hashlib.sha256(self.election).hexdigest(),
            "settings": None if self.settings is None else hashlib.sha256(self.settings).hexdigest(),
        }
        return hashlib.sha256(canonical_bytes(parts)).digest()
