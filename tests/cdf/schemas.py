"""The schemas that NIST published, as a check of a document."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped] # it ships no type information
import rfc8785

from edge.evidence.cdf.references import check
from tests.conftest import ROOT

FILES = {
    "CVR": "sp1500-103-cvr/NIST_V0_cast_vote_records.json",
    "EventLogging": "sp1500-101-eel/NIST_V1_election_event_logging.json",
    "ElectionResults": "sp1500-100-err-v2/NIST_V2_election_results_reporting.json",
}
FOLDER = Path(os.environ.get("SCRUTINEER_SCHEMAS") or ROOT.parent / "shared" / "schemas").resolve()

Json = dict[str, Any]
Sound = Callable[[object], None]

_FORMATS = jsonschema.FormatChecker(formats=())


def _is_moment(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is not None and "T" in text


def _is_day(text: str) -> bool:
    return date.fromisoformat(text).isoformat() == text


def _is_uri(text: str) -> bool:
    return bool(urlsplit(text).scheme) and text.isascii() and text.isprintable() and " " not in text


for _name, _holds in (("date-time", _is_moment), ("date", _is_day), ("uri", _is_uri)):
    _FORMATS.checks(_name, raises=ValueError)(_holds)


def schema(kind: str) -> Json:
    """The schema of a format, by the prefix of its types."""
    document: Json = json.loads((FOLDER / FILES[kind]).read_bytes())
    return document


class Schemas:
    """All three formats; a document must be valid in its own, its references must lead somewhere, and it must have one form."""

    def __init__(self) -> None:
        self._validators = {kind: jsonschema.Draft4Validator(schema(kind), format_checker=_FORMATS) for kind in FILES}

    def __call__(self, document: object) -> None:
        assert isinstance(document, dict)
        rfc8785.dumps(document)
        errors = list(self._validators[document["@type"].partition(".")[0]].iter_errors(document))
        assert not errors, [f"{list(error.absolute_path)}: {error.message[:300]}" for error in errors[:5]]
        assert check(document) == []
