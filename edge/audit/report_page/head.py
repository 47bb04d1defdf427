"""The top of the page: the verdict, what to compare with the paper tape, every check, and what could not be checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from edge.audit.checks.limits import left_open
from edge.audit.report_page.markup import Markup, joined, name, sentence_count, tag
from edge.audit.report_page.sheet import anchor_of
from edge.audit.report_page.sheet_kinds import GROUP_TITLES, Group
from edge.audit.verification import Check, Finding, Outcome, SheetVerdict, Verification
from edge.definition.election import Election
from edge.evidence.archive import SheetKind

TAPE_CHARACTERS = 20
"""Of the root in base64, as on the station's paper tape."""
_MOST_FINDINGS = 500
"""Of one check; a folder of another kind altogether has a finding for every file."""
_SIGNS = {Outcome.PASSED: "✔", Outcome.FAILED: "✘", Outcome.NOT_CHECKED: "?"}
_WORDS = {Outcome.PASSED: "right", Outcome.FAILED: "wrong", Outcome.NOT_CHECKED: "not checked"}
_KINDS = {
    "interim": "interim: the polls were open, so it has no sheets and no totals",
    "closed": "closed: made after the polls were closed for good",
}


def verdict_sentence(verification: Verification) -> str:
    """The verdict in one sentence."""
    failed = sum(check.outcome is Outcome.FAILED for check in verification.checks)
    if failed:
        findings = sentence_count(len(verification.findings), "finding", "findings")
        checks_made = sentence_count(len(verification.checks), "check", "checks")
        return f"Wrong: {failed} of {checks_made} failed, with {findings}. Do not rely on this export."
    if not any(check.outcome is Outcome.PASSED for check in verification.checks):
        return "Incomplete: nothing was checked."
    left = left_open(verification.checks)
    if left:
        names = ", ".join(check.id for check in left)
        return f"Incomplete: nothing is wrong, but what matters was not checked: {names}."
    return "Right: everything that can be checked was checked, and nothing is wrong."


def header(verification: Verification, election: Election | None, title: str = "") -> Markup:
    """Title, verdict, and the figures to compare; `title`: what it is about where there is no election."""
    outcome = _outcome(verification)
    kinds = Counter(sheet.kind for sheet in verification.sheets)
    tallied = f", {kinds[SheetKind.TALLY]:,} tally sheets" if kinds[SheetKind.TALLY] else ""
    facts: dict[str, str] = {
        "Election": name(title) if election is None else joined(name(election.title), f", {election.date[:10]}"),
        "Log": tag("code", verification.origin or "none"),
        "Entries of the log": f"{verification.size:,}",
        "Root of the log": tag("code", verification.root or "none"),
        "To compare with the paper tape": _tape(verification.root),
        "Export": joined(
            tag("code", verification.folder), ", ", _KINDS.get(verification.kind, verification.kind or "kind unknown")
        ),
        "Kept sheets": f"{kinds[SheetKind.CAST]:,} cast, {kinds[SheetKind.RETURNED]:,} returned{tallied}",
        "Checked with": verification.verifier,
    }
    rows = [part for term, fact in facts.items() for part in (tag("dt", term), tag("dd", fact))]
    sign = tag("span", _SIGNS[outcome], class_="sign", aria_hidden="true")
    verdict = tag("p", sign, " ", tag("strong", verdict_sentence(verification)), class_=f"verdict {outcome}")
    return tag("header", tag("h1", "Audit of a ballot scanner’s export"), verdict, tag("dl", *rows))


def checks(verification: Verification) -> Markup:
    """Every check that was made, those that failed with what was found."""
    made = [check for check in verification.checks if check.outcome is not Outcome.NOT_CHECKED]
    items = [_check(check) for check in made] or [tag("li", "None.")]
    return tag("section", tag("h2", "What was checked"), tag("ol", *items, class_="checks"), id="checks")


def unchecked(verification: Verification) -> Markup:
    """What could not be checked, and why; and what nobody can check who has no more than the folder."""
    left = left_open(verification.checks)
    limits = [check for check in verification.checks if check.outcome is Outcome.NOT_CHECKED and check not in left]
    parts = [tag("h2", "What could not be checked")]
    parts.append(
        tag("ul", *map(_check, left), class_="checks") if left else tag("p", "Nothing was left out that can be checked.")
    )
    if limits:
        parts += [tag("h3", "What nobody can check from a folder"), tag("ul", *map(_check, limits), class_="checks")]
    return tag("section", *parts, id="unchecked")


def doubtful_index(groups: Mapping[Group, Iterable[SheetVerdict]]) -> Markup:
    """Links to every sheet that a reader will want to see."""
    parts: list[Markup] = []
    for group in (Group.WRONG, Group.HELD, Group.RETURNED):
        links = [tag("li", tag("a", sheet.id, href=f"#{anchor_of(sheet)}", class_="id")) for sheet in groups.get(group, ())]
        title = f"{GROUP_TITLES[group]}: {len(links):,}"
        parts.append(tag("details", tag("summary", title), tag("ul", *links, class_="ids")) if links else tag("p", title))
    return tag("section", tag("h2", "Sheets to look at"), *parts, id="index")


def _outcome(verification: Verification) -> Outcome:
    if not verification.passed:
        return Outcome.FAILED
    passed = any(check.outcome is Outcome.PASSED for check in verification.checks)
    return Outcome.PASSED if passed and not left_open(verification.checks) else Outcome.NOT_CHECKED


def _tape(root: str) -> Markup:
    """The beginning of the root in fours of five; copied, it has no gaps."""
    start = root[:TAPE_CHARACTERS]
    pieces = [tag("span", start[place : place + 5]) for place in range(0, len(start), 5)]
    return tag("code", *pieces, class_="tape") if pieces else Markup("none")


def _check(check: Check) -> Markup:
    outcome = check.outcome
    label = tag("b", f"{_SIGNS[outcome]} {_WORDS[outcome]}", class_=f"outcome {outcome}")
    lines = [_finding(finding) for finding in check.findings[:_MOST_FINDINGS]]
    beyond = len(check.findings) - len(lines)
    if beyond > 0:
        lines.append(tag("li", f"and {sentence_count(beyond, 'finding', 'findings')} more; the JSON report has all of them"))
    findings = tag("ul", *lines, class_="findings") if lines else ""
    return tag("li", label, " ", tag("code", check.id), ": ", check.sentence, findings)


def _finding(finding: Finding) -> Markup:
    where = tag("code", finding.file) if finding.file else "the folder as a whole"
    return tag("li", tag("code", finding.code), " ", where, ": ", finding.detail)
