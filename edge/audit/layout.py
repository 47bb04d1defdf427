"""The names in an export's folder, relative to it and with `/` as on every medium."""

from __future__ import annotations

import re

from edge.evidence.archive import SheetKind

README = "README.txt"
MANIFEST = "MANIFEST.json"
MANIFEST_SIGNATURE = "MANIFEST.json.minisig"
LOG = "log"
CHECKPOINT = "log/checkpoint"
CHECKPOINTS = "log/checkpoints"
VERIFIER_KEY = "log/vkey"
EVENTS = "events.json"
EVENT_DOCUMENTATION = "event-documentation.json"
ELECTION = "package/election.json"
SETTINGS = "package/settings.json"
PACKAGE = "package/package.json"
FORMS = "package/forms"
TOTALS = "results/totals.json"
ELECTION_REPORT = "results/err.json"
CVR = "cvr.json"
SET_NOTES = {SheetKind.CAST: "cvr-set", SheetKind.RETURNED: "returned-set", SheetKind.TALLY: "tally-set"}
SHEET_FOLDERS = {SheetKind.CAST: "sheets", SheetKind.RETURNED: "returned", SheetKind.TALLY: "tally"}
MANIFEST_VERSION = 1


def form_file(name: str) -> str:
    """The file of a form, by the form's name."""
    return f"{FORMS}/{name}.toml"


def is_form_file(name: str) -> bool:
    """Whether a file has the place of a form."""
    return name.startswith(f"{FORMS}/") and name.endswith(".toml")


def export_name(origin: str, size: int) -> str:
    """The name of an export's folder: two exports of one log never have the same, since each export is itself an event."""
    parts = "-".join(origin.split("/")[-2:])
    return f"scrutineer-{re.sub('[^A-Za-z0-9._-]', '_', parts)}-{size}"


def set_origin(origin: str, kind: SheetKind) -> str:
    """The first line of the signed note over a set of sheets; never that of a log, so that neither passes for the other."""
    return f"{origin}/{SET_NOTES[kind]}"
