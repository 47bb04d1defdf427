"""A tally sheet in the log: the event that names its record, as a function of the record alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from edge.definition.form import Form
from edge.evidence.events import LogEvent


def accepted_event(record: bytes, forms: Sequence[Form], count: int) -> LogEvent:
    """The event `tallySheetAccepted` of a record.

    Args:
        record: The sheet's `record.json`.
        forms: The forms that are read.
        count: Tally sheets in the box with this one.

    Raises:
        ValueError: the record is not of one of the forms.
    """
    form, table = form_and_table(json.loads(record), forms)
    sha256 = hashlib.sha256(record).hexdigest()
    return LogEvent("tallySheetAccepted", {"tallySheets": count, "form": form, "table": table, "recordSha256": sha256})


def form_and_table(record: Mapping[str, Any], forms: Sequence[Form]) -> tuple[str, str]:
    """Name of a record's form, and the first of the form's codes as read: the table's. Empty where it has none or was not read.

    Raises:
        ValueError: the record is not of one of the forms.
    """
    try:
        name, fields = record["form"]["name"], record["fields"]
        form = next(form for form in forms if form.name == name)
        table = fields.get(form.codes[0].name) if form.codes else None
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ValueError(f"not the record of a tally sheet of these forms: {error!r}") from error
    return form.name, table if isinstance(table, str) else ""
