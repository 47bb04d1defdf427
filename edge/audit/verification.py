"""What a verification says: every check that was made, what it found, and what could not be checked. Plain records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.evidence.archive import SheetKind

Json = dict[str, Any]


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "notChecked"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        code: A reason code, explained in docs/auditor.md.
        file: The file at fault, relative to the export's folder; empty when it is the folder as a whole.
        detail: What is wrong with it, one sentence.
    """

    code: str
    file: str
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """One of the questions that an auditor asks.

    Attributes:
        id: A short name, stable across versions.
        outcome: How it ended.
        sentence: What was asked, and the figures behind the answer; for what could not be checked, precisely what and why.
        findings: What is wrong, in the order in which it was found; only for a check that failed.
    """

    id: str
    outcome: Outcome
    sentence: str
    findings: tuple[Finding, ...] = ()


class Repeat(StrEnum):
    """What the second reading of a kept sheet gave."""

    SAME = "same"
    """The same record, byte for byte."""
    DIFFERENT = "different"
    IMPOSSIBLE = "impossible"
    """The pages do not hold enough to read this sheet again; only for sheets that were returned."""


@dataclass(frozen=True, slots=True)
class SheetVerdict:
    """One kept sheet.

    Attributes:
        id: Its random id.
        kind: Cast or returned.
        repeat: What its second reading gave.
        record: The record as the device kept it; None if it cannot be read.
        findings: What is wrong with its files or its reading.
    """

    id: str
    kind: SheetKind
    repeat: Repeat
    record: Json | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """All of it.

    Attributes:
        folder: Name of the export's folder, without its path.
        origin: The log's name as the export says; empty if it does not.
        kind: interim or closed, as the export says.
        size: Entries of the log.
        root: Root of the log, base64; empty if there is none.
        checks: Every check in the order of the auditor's walk.
        sheets: Every kept sheet, cast ones first, sorted by id.
        totals: `results/totals.json` as computed here from the records; None in an interim export.
        verifier: Name and version of the software that checked.
    """

    folder: str
    origin: str
    kind: str
    size: int
    root: str
    checks: tuple[Check, ...]
    sheets: tuple[SheetVerdict, ...]
    totals: Json | None
    verifier: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is wrong, of all checks."""
        return tuple(finding for check in self.checks for finding in check.findings)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong; what could not be checked is not counted as wrong."""
        return not any(check.outcome is Outcome.FAILED for check in self.checks)
