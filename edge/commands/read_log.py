"""What a folder of tally sheets read as, in two layouts of text: a table with a row a sheet, and the seed's log of values.

The table, for pandas: `image`, `disposition` (accept, hold, return, or error for an image that could not be read), `reasons`
(codes, each once, with a blank between) and every field of the form by its name. A field is its value, nothing for blank paper,
`?` where something was not read, and `n/a` where the image does not show that part of the sheet. Both blank and `n/a` are missing
to `pandas.read_csv`; with `na_values="?"` the unread ones are too. Codes have leading zeros: `dtype={"mesa": str}` keeps them.

The log: `image,count_value,user_id` under that header, a line for every field that the image shows. `image` is the image's name
without its ending, an underscore and the field's name; `count_value` is as in the table; `user_id` names this software.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from edge.definition.form import Form

UNREAD, NOT_SHOWN = "?", "n/a"
ERROR = "error"
LOG_HEADER = ("image", "count_value", "user_id")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One image of the table.

    Attributes:
        image: Name of the file.
        disposition: accept, hold, return or error.
        reasons: Codes of the reasons, or of the error.
        values: What stands in each field's column.
    """

    image: str
    disposition: str
    reasons: tuple[str, ...]
    values: Mapping[str, str]


def field_names(form: Form) -> tuple[str, ...]:
    """The form's fields and codes in the order of the columns."""
    return (*form.by_name, *(code.name for code in form.codes))


def record_row(image: str, record: Mapping[str, Any], form: Form) -> SheetRow:
    """The row of a sheet's record, as `tally_record` gives it."""
    shown = frozenset[str]() if record["extent"] is None else form.names_on(record["extent"])
    values = {}
    for name in field_names(form):
        if name in record["fields"]:
            value = record["fields"][name]
            values[name] = "" if value is None else str(value)
        else:
            values[name] = UNREAD if name in shown or record["extent"] is None else NOT_SHOWN
    disposition = record["disposition"]
    reasons = tuple(dict.fromkeys(str(reason["code"]) for reason in disposition["reasons"]))
    return SheetRow(image, disposition["kind"], reasons, values)


def error_row(image: str, code: str, form: Form) -> SheetRow:
    """The row of an image that could not be read."""
    return SheetRow(image, ERROR, (code,), dict.fromkeys(field_names(form), UNREAD))


def results_table(rows: Iterable[SheetRow], form: Form) -> str:
    """The table as CSV (RFC 4180, but lines end with a line feed)."""
    names = field_names(form)
    lines = ([row.image, row.disposition, " ".join(row.reasons), *(row.values[name] for name in names)] for row in rows)
    return _csv(("image", "disposition", "reasons", *names), lines)


def results_log(rows: Iterable[SheetRow], user: str) -> str:
    """The log as CSV."""
    lines = (
        (f"{PurePath(row.image).stem}_{name}", value, user)
        for row in rows
        for name, value in row.values.items()
        if value != NOT_SHOWN
    )
    return _csv(LOG_HEADER, lines)


def _csv(header: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()
