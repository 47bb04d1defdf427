"""What was read off a tally sheet as canonical JSON (RFC 8785): one sheet, one sequence of bytes, on every machine.

Every number is an integer: counts, pixels, steps of the int8 output, parts per 10,000. Nothing in the record says when the sheet
was read. Of the second reader it holds who it was and, cell by cell, whether it agrees, and none of its scores: with another one,
`reader.runtime`, `reader.version` and `reader.resolver` differ, and the rest only where it no longer agrees over a cell.
"""

from __future__ import annotations

from typing import Any

from edge.decision import Disposition
from edge.definition.canonical_json import canonical_bytes
from edge.inference.identity import FinderIdentity, ReaderIdentity
from edge.tally.result import (
    CellReading,
    CodeReading,
    FieldReading,
    RuleResult,
    Suggestion,
    TallyInterpretation,
)

INTERPRETER_VERSION = "2"
"""Changes whenever the same pixels could give another reading of a tally sheet."""
RECORD_VERSION = 2
"""Changes whenever the shape of the record does."""
KIND = "tallySheet"

Json = dict[str, Any]


def tally_record(interpretation: TallyInterpretation, disposition: Disposition) -> bytes:
    """The record of a tally sheet as canonical bytes, UTF-8, without a final newline."""
    return canonical_bytes(record(interpretation, disposition))


def record(interpretation: TallyInterpretation, disposition: Disposition) -> Json:
    """The record as a document.

    `fields` holds what was read, null for blank paper; a field that was not read is in `unread` alone, with its cells from 0 that
    are in doubt.
    """
    fields = interpretation.fields.values()
    return {
        "disposition": {
            "kind": disposition.kind,
            "castable": disposition.castable,
            "reasons": [
                {"code": str(reason.code)} | ({} if reason.detail is None else {"detail": reason.detail})
                for reason in disposition.reasons
            ],
        },
        "kind": KIND,
        "form": {"name": interpretation.form, "sha256": interpretation.form_sha256},
        "extent": interpretation.extent,
        "registration": _registration(interpretation),
        "fields": {field.name: field.value for field in fields if field.read},
        "unread": [_unread(field) for field in fields if not field.read],
        "rules": [_rule(rule) for rule in interpretation.rules],
        "suggestions": [_suggestion(suggestion) for suggestion in interpretation.suggestions],
        "barcodes": [_barcode(barcode) for barcode in interpretation.barcodes],
        "cells": [_cell(field.name, place, cell) for field in fields for place, cell in enumerate(field.cells)],
        "inkHash": None if interpretation.ink_hash is None else str(interpretation.ink_hash),
        "reader": _reader(interpretation.reader),
        "finder": _finder(interpretation.finder),
        "versions": {"interpreter": INTERPRETER_VERSION, "record": RECORD_VERSION},
    }


def _registration(interpretation: TallyInterpretation) -> Json | None:
    placement, opinion = interpretation.placement, interpretation.opinion
    if placement is None:
        return None
    return {
        "coefficients": list(placement.coefficients),
        "upsideDown": placement.upside_down,
        "dpi": placement.dpi,
        "matched": placement.matched,
        "expected": placement.expected,
        "brackets": placement.brackets,
        "missing": list(interpretation.missing),
        "region": None if opinion is None else {"says": opinion.says, "confidence": opinion.confidence, "off": opinion.off},
    }


def _unread(field: FieldReading) -> Json:
    return {
        "field": field.name,
        "reason": field.reason,
        "detail": field.detail,
        "cells": [place for place, cell in enumerate(field.cells) if not cell.accepted],
    }


def _rule(rule: RuleResult) -> Json:
    return {
        "name": rule.name,
        "holds": rule.holds,
        "difference": rule.difference,
        "reason": rule.reason,
        "detail": rule.detail,
    }


def _suggestion(suggestion: Suggestion) -> Json:
    return {
        "field": suggestion.field,
        "cell": suggestion.cell,
        "from": suggestion.before,
        "to": suggestion.after,
        "value": suggestion.value,
        "mends": list(suggestion.mends),
    }


def _barcode(barcode: CodeReading) -> Json:
    return {"symbology": barcode.symbology, "text": barcode.text, "x": barcode.x, "y": barcode.y}


def _cell(field: str, place: int, cell: CellReading) -> Json:
    area = cell.area
    return {
        "field": field,
        "cell": place,
        "state": cell.state,
        "digit": cell.digit,
        "label": cell.label,
        "margin": cell.margin,
        "confidence": cell.confidence,
        "accepted": cell.accepted,
        "doubt": cell.doubt,
        "scores": [list(pair) for pair in cell.ranked],
        "second": _second(cell),
        "box": [area.left, area.top, area.width, area.height],
    }


def _second(cell: CellReading) -> bool | None:
    """Whether the second reader says the same; None where another doubt came first."""
    if cell.doubt == "readersDisagree":
        return False
    return True if cell.accepted else None


def _reader(reader: ReaderIdentity | None) -> Json | None:
    if reader is None:
        return None
    return {
        "model": reader.model,
        "sha256": reader.sha256,
        "arithmetic": reader.arithmetic,
        "runtime": reader.runtime,
        "version": reader.runtime_version,
        "resolver": reader.resolver,
    }


def _finder(finder: FinderIdentity) -> Json:
    return {"model": finder.model, "sha256": finder.sha256, "arithmetic": finder.arithmetic}
