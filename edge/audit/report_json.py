"""A verification as JSON for other programs: pure ASCII, whatever an export holds."""

from __future__ import annotations

import json

from edge.audit.checks.limits import LIMITS, left_open
from edge.audit.verification import Check, Finding, Json, SheetVerdict, Verification

REPORT_VERSION = 1


def verdict(verification: Verification) -> str:
    """`right`, `wrong`, or `incomplete` where nothing is wrong but something was left open that could have been checked."""
    if not verification.passed:
        return "wrong"
    return "incomplete" if left_open(verification.checks) else "right"


def json_report(verification: Verification) -> bytes:
    """The document, with a final newline. The records of the sheets are not in it: they are in the export."""
    document = {
        "version": REPORT_VERSION,
        "verifier": verification.verifier,
        "folder": verification.folder,
        "origin": verification.origin,
        "kind": verification.kind,
        "size": verification.size,
        "root": verification.root,
        "verdict": verdict(verification),
        "checks": [_check(check) for check in verification.checks],
        "sheets": [_sheet(sheet) for sheet in verification.sheets],
        "totals": verification.totals,
    }
    return f"{json.dumps(document, indent=1, ensure_ascii=True)}\n".encode("ascii")


def _check(check: Check) -> Json:
    return {
        "id": check.id,
        "outcome": str(check.outcome),
        "limit": check.id in LIMITS,
        "sentence": check.sentence,
        "findings": [_finding(finding) for finding in check.findings],
    }


def _finding(finding: Finding) -> Json:
    return {"code": finding.code, "file": finding.file, "detail": finding.detail}


def _sheet(sheet: SheetVerdict) -> Json:
    disposition = None if sheet.record is None else sheet.record.get("disposition")
    kind = disposition.get("kind") if isinstance(disposition, dict) else None
    return {
        "id": sheet.id,
        "kind": str(sheet.kind),
        "repeat": str(sheet.repeat),
        "disposition": kind if isinstance(kind, str) else None,
        "findings": [_finding(finding) for finding in sheet.findings],
    }
