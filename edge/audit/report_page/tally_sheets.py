"""The tally sheets of an export on the page: what was read, what was decided, the rules, and the side that is the form.

The records come from an export: their shape is checked before anything is shown.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from edge.audit.layout import SHEET_FOLDERS
from edge.audit.report_page.markup import Markup, joined, sentence_count, shown, tag
from edge.audit.report_page.picture import PictureError, grey_picture
from edge.audit.report_page.record_shape import DispositionShape, Items
from edge.audit.report_page.sheet import anchor_of, findings_list
from edge.audit.verification import Repeat, SheetVerdict
from edge.evidence.archive import SheetKind
from edge.evidence.sheet_files import grey_name
from edge.tally.record import KIND

_MOST_TEXT = 200
_REDUCTION = 2
"""Pixels of the scan across and down that become one: the pens stay legible at 100 per inch."""
_MOST_PICTURES = 300
"""Tally sheets that are shown with a picture; each takes a fifth of a megabyte."""
_KINDS = {
    SheetKind.TALLY: "In the box: the log names its record.",
    SheetKind.RETURNED: "Returned: it counts nowhere.",
    SheetKind.CAST: "It lies among the ballots.",
}


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class RuleShape(_Shape):
    """A rule and whether it holds."""

    name: str
    holds: bool | None
    difference: int | None


class FormShape(_Shape):
    """The form."""

    name: str


class RegistrationShape(_Shape):
    """How it lies."""

    upside_down: bool


class UnreadShape(_Shape):
    """A field that was not read."""

    field: str
    reason: str | None


class TallyShape(_Shape):
    """A record as far as it is shown."""

    disposition: DispositionShape
    form: FormShape
    scan: Literal["A", "B"]
    registration: RegistrationShape | None
    fields: Annotated[dict[str, int | str | None], Field(max_length=4096)]
    unread: Items[UnreadShape]
    rules: Items[RuleShape]


def is_tally_sheet(verdict: SheetVerdict) -> bool:
    """Whether a kept sheet is to be shown here: a tally sheet, or one that was refused where no ballots are read."""
    record = verdict.record
    return verdict.kind is SheetKind.TALLY or (record is not None and (record.get("kind") == KIND or "sides" in record))


def tally_sheets(sheets: Iterable[SheetVerdict], read_file: Callable[[str], bytes]) -> Iterator[Markup]:
    """The section of tally sheets, piece by piece; nothing where there are none."""
    listed = list(sheets)
    if not listed:
        return
    yield Markup('<section class="sheets" id="tally">')
    yield tag("h2", f"Tally sheets: {sentence_count(len(listed), 'sheet', 'sheets')}")
    for number, verdict in enumerate(listed):
        yield _article(verdict, read_file if number < _MOST_PICTURES else None)
    yield Markup("</section>\n")


def _shape(record: dict[str, Any] | None) -> TallyShape | None:
    try:
        return None if record is None else TallyShape.model_validate(record, by_alias=True, by_name=False)
    except (ValidationError, RecursionError):
        return None


def _article(verdict: SheetVerdict, read_file: Callable[[str], bytes] | None) -> Markup:
    record = _shape(verdict.record)
    wrong = bool(verdict.findings) or verdict.repeat is not Repeat.SAME
    state = "wrong" if wrong else "returned" if verdict.kind is SheetKind.RETURNED else "plain"
    if state == "plain" and record is not None and record.disposition.kind == "hold":
        state = "held"
    badge = {"wrong": "✘ something is wrong", "returned": "returned", "held": "held for a person", "plain": "accepted"}[state]
    head = tag("h3", "Tally sheet ", tag("span", verdict.id, class_="id"), " ", tag("span", badge, class_=f"badge {state}"))
    again = "the same record again" if verdict.repeat is Repeat.SAME else "not the same record again"
    form = "" if record is None else f" Form {shown(record.form.name, _MOST_TEXT)}."
    parts = [head, tag("p", f"{_KINDS[verdict.kind]}{form} The pictures gave {again}.")]
    if verdict.findings:
        parts.append(findings_list(verdict))
    sides = []
    if record is None:
        parts.append(tag("p", "It is none of the forms, or its record has not the shape of a tally sheet's."))
    else:
        parts += _reasons(record)
        sides.append(_numbers(record))
    if read_file is not None:
        sides.append(_figure(verdict, record, read_file))
    return tag("article", *parts, tag("div", *sides, class_="sides tally"), id=anchor_of(verdict), class_=state, tabindex="-1")


def _reasons(record: TallyShape) -> list[Markup]:
    lines = [
        tag("li", f"{shown(reason.code, _MOST_TEXT)}: {shown(reason.detail or '', _MOST_TEXT)}")
        for reason in record.disposition.reasons[:_MOST_TEXT]
    ]
    return [tag("ul", *lines, class_="reasons")] if lines else []


def _numbers(record: TallyShape) -> Markup:
    rows = [
        tag("tr", tag("th", shown(name, _MOST_TEXT), scope="row"), tag("td", "blank" if value is None else str(value)))
        for name, value in record.fields.items()
    ]
    rows += [
        tag("tr", tag("th", shown(one.field, _MOST_TEXT), scope="row"), tag("td", tag("strong", "not read"), f" ({one.reason})"))
        for one in record.unread
    ]
    for rule in record.rules:
        said = {True: "holds", False: f"broken, difference {rule.difference}", None: "not checked"}[rule.holds]
        cell = tag("strong", said) if rule.holds is False else tag("i", said)
        rows.append(tag("tr", tag("th", tag("i", shown(rule.name, _MOST_TEXT)), scope="row"), tag("td", cell)))
    head = tag("tr", tag("th", "Field or rule", scope="col"), tag("th", "As read", scope="col"))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="votes")


def _figure(verdict: SheetVerdict, record: TallyShape | None, read_file: Callable[[str], bytes]) -> Markup:
    """The side that is the form."""
    scan = "A" if record is None else record.scan
    where = f"Scan {scan}"
    try:
        file = read_file(f"{SHEET_FOLDERS[verdict.kind]}/{verdict.id}/{grey_name(scan)}")
        turned = record is not None and record.registration is not None and record.registration.upside_down
        shot = grey_picture(file, upside_down=turned, reduction=_REDUCTION)
    except (OSError, LookupError, ValueError):
        return tag("figure", tag("p", f"{where}: the export has no picture of it that can be read.", class_="gone"))
    except PictureError as error:
        return tag("figure", tag("p", f"{where} cannot be shown; {error}.", class_="gone"))
    source = Markup(f"data:image/png;base64,{base64.b64encode(shot.png).decode('ascii')}")
    alt = f"{where} of tally sheet {verdict.id}"
    image = tag("img", src=source, alt=alt, width=shot.width, height=shot.height, loading="lazy")
    caption = f"{where}, reduced to 1/{shot.reduction}{', shown upright' if turned else ''}"
    return tag("figure", tag("figcaption", joined(caption)), tag("div", image, class_="page"))
