"""A verification as a page of text for the terminal. Whatever an export holds, only printable characters come out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from edge.audit.checks.limits import LIMITS, left_open
from edge.audit.verification import Check, Finding, Outcome, Verification

_WORDS = {Outcome.PASSED: "right", Outcome.FAILED: "WRONG", Outcome.NOT_CHECKED: "not checked"}
_COLOURS = {Outcome.PASSED: "32", Outcome.FAILED: "1;31", Outcome.NOT_CHECKED: "33"}
_MOST_FINDINGS = 20
"""Of one check; the JSON report has all."""
_WIDTHS = (60, 120)
_INDENT = 4


def text_report(verification: Verification, *, width: int = 80, colour: bool = False) -> str:
    """The page, with a final newline.

    Args:
        verification: What to tell.
        width: Columns of the terminal.
        colour: Whether the answers are coloured.
    """
    width = min(max(width, _WIDTHS[0]), _WIDTHS[1])
    lines = [f"{name:<9}{_plain(fact)}" for name, fact in _head(verification)]
    asked = [check for check in verification.checks if check.id not in LIMITS]
    for check in asked:
        lines += ["", *_check(check, width, colour=colour)]
    limits = [check for check in verification.checks if check.id in LIMITS]
    if limits:
        lines += ["", "What nobody can check from a folder:"]
        lines += [line for check in limits for line in _wrapped(f"- {check.sentence}", width, 2)]
    lines += ["", "=" * width, *_verdict(verification, width, colour=colour), "=" * width]
    return "\n".join(lines) + "\n"


def _head(verification: Verification) -> Iterator[tuple[str, str]]:
    yield "Export", verification.folder
    yield "Log", verification.origin or "(unnamed)"
    yield "Entries", str(verification.size)
    yield "Root", verification.root or "(none)"
    yield "Kind", "made after the close of the polls" if verification.kind == "closed" else "interim: without any ballots"
    yield "Checked", f"by {verification.verifier}"


def _check(check: Check, width: int, *, colour: bool) -> Iterator[str]:
    word = f"{_WORDS[check.outcome]}: {check.id}"
    yield _coloured(_plain(word), _COLOURS[check.outcome], colour=colour)
    yield from _wrapped(check.sentence, width, _INDENT, first=_INDENT)
    for finding in check.findings[:_MOST_FINDINGS]:
        yield from _wrapped(_finding(finding), width, _INDENT + 4, first=_INDENT + 2)
    if len(check.findings) > _MOST_FINDINGS:
        yield f"{' ' * (_INDENT + 2)}... and {len(check.findings) - _MOST_FINDINGS} more; the JSON report has all"


def _finding(finding: Finding) -> str:
    return f"{finding.code}: {finding.file or 'the folder'}: {finding.detail}"


def _verdict(verification: Verification, width: int, *, colour: bool) -> Iterator[str]:
    """The last word."""
    unanswered = left_open(verification.checks)
    if not verification.passed:
        failed = sum(check.outcome is Outcome.FAILED for check in verification.checks)
        word, outcome = (
            f"WRONG: {failed} of {len(verification.checks)} checks failed. Do not rely on this export.",
            Outcome.FAILED,
        )
    elif unanswered:
        names = ", ".join(check.id for check in unanswered)
        word = f"INCOMPLETE: nothing is wrong, but what matters was not checked: {names}."
        outcome = Outcome.NOT_CHECKED
    else:
        word, outcome = "RIGHT: everything that can be checked was checked, and nothing is wrong.", Outcome.PASSED
    for line in _wrapped(word, width, 0):
        yield _coloured(line, _COLOURS[outcome], colour=colour)


def _coloured(text: str, code: str, *, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _wrapped(text: str, width: int, indent: int, *, first: int = 0) -> list[str]:
    body = " ".join(_plain(text).split())
    # Names of files are not broken at their hyphens: they are to be copied.
    return textwrap.wrap(
        body, width, initial_indent=" " * first, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False
    ) or [""]


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return " " if letter == "\n" else f"\\u{ord(letter):04x}"
