"""The page says everything that was found, and is complete in itself."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from importlib import resources

import pytest

from edge.audit.verification import Check, Json
from edge.evidence.archive import SheetKind
from edge.evidence.cdf.tally import tally
from tests.audit.report_samples import (
    FAILED,
    LIMIT,
    OPEN,
    PASSED,
    ROOT,
    Parsed,
    all_kept,
    kept,
    page,
    verification,
)


def test_the_page_is_complete_in_itself_and_well_formed() -> None:
    parsed = Parsed(page(all_kept()))
    assert parsed.named("html") == [{"lang": "en"}]
    ids = parsed.values("id")
    assert len(set(ids)) == len(ids)
    assert all(href == "data:," or href[1:] in ids for href in parsed.values("href"))
    assert all(source.startswith("data:image/png;base64,") for source in parsed.values("src"))
    assert not any(name.startswith("on") or name == "style" for _, attributes in parsed.elements for name in attributes)
    names = {name for name, _ in parsed.elements}
    assert not names & {"iframe", "object", "embed", "base", "audio", "video", "image", "use", "foreignobject"}
    assert {"main", "h1", "h2", "h3", "title", "nav"} <= names


def test_the_policy_allows_this_style_and_this_script_alone() -> None:
    parsed = Parsed(page(all_kept()))
    (policy,) = (meta["content"] for meta in parsed.named("meta") if "http-equiv" in meta)
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts.pop("default-src") == parts.pop("base-uri") == parts.pop("form-action") == "'none'"
    assert parts.pop("img-src") == "data:"
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(parsed.verbatim[kind].encode()).digest()).decode()
        assert parts.pop(f"{kind}-src") == f"'sha256-{digest}'"
    assert parts == {}
    assert len(parsed.named("script")) == len(parsed.named("style")) == 1


def test_the_same_verification_gives_the_same_page() -> None:
    assert page(all_kept()) == page(all_kept())


def test_without_the_script_every_sheet_is_shown_and_there_is_no_filter() -> None:
    parsed = Parsed(page(all_kept()))
    (form,) = parsed.named("form")
    assert "hidden" in form
    assert not any("hidden" in article for article in parsed.named("article"))
    assert len(parsed.named("article")) == 5


def test_every_picture_has_a_text_and_every_choice_a_label() -> None:
    parsed = Parsed(page(all_kept()))
    assert all(image["alt"].startswith("Scan ") for image in parsed.named("img"))
    assert all(image["loading"] == "lazy" for image in parsed.named("img"))
    assert len(parsed.named("img")) == 10
    assert len(parsed.named("label")) == len(parsed.named("select")) == 2
    assert all(drawing["aria-hidden"] == "true" for drawing in parsed.named("svg"))


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_text_is_dark_enough_on_white() -> None:
    style = (resources.files("edge.audit.report_page") / "style.css").read_text("utf-8")
    named = dict(re.findall(r"--(\w+): (#\w+);", style))
    used = re.findall(r"(?<![-\w])(?:color|fill): (?:var\(--(\w+)\)|(#\w+))", style)
    colours = {named[name] if name else colour for name, colour in used}
    assert len(colours) >= 5
    assert all(1.05 / (_luminance(colour) + 0.05) >= 4.5 for colour in colours), colours


@pytest.mark.parametrize(
    ("checks", "sentence", "sign"),
    [
        ((PASSED, LIMIT), "Right: everything that can be checked was checked, and nothing is wrong.", "✔"),
        ((PASSED, OPEN), "Incomplete: nothing is wrong, but what matters was not checked: authority.", "?"),
        ((PASSED, FAILED, OPEN), "Wrong: 1 of 3 checks failed, with 1 finding. Do not rely on this export.", "✘"),
        ((OPEN,), "Incomplete: nothing was checked.", "?"),
        ((), "Incomplete: nothing was checked.", "?"),
    ],
)
def test_the_verdict_is_a_sentence_with_a_sign(checks: tuple[Check, ...], sentence: str, sign: str) -> None:
    assert f"{sign} {sentence}" in Parsed(page(verification(checks=checks))).words


def test_the_head_says_what_to_compare_with_the_tape() -> None:
    words = Parsed(page(all_kept())).words
    assert "scan.example.org/0001/aa" in words
    assert ROOT in words
    assert f"To compare with the paper tape{ROOT[:20]}Export" in words
    assert "3 cast, 2 returned" in words
    assert "scrutineer-edge 0.1.0" in words


def test_an_export_without_a_log_is_told_as_one() -> None:
    words = Parsed(page(replace(verification(checks=(FAILED,)), origin="", kind="", size=0, root=""))).words
    assert "Lognone" in words
    assert "kind unknown" in words


def test_findings_name_file_code_and_fault() -> None:
    words = Parsed(page(verification(checks=(PASSED, FAILED)))).words
    assert "✘ wrong sheets: 3 sheets were read again." in words
    assert "readingDiffers sheets/x/record.json: says otherwise" in words


def test_what_nobody_can_check_stands_apart() -> None:
    words = Parsed(page(verification(checks=(PASSED, OPEN, LIMIT)))).words
    apart = words.index("What nobody can check from a folder")
    assert words.index(OPEN.sentence) < apart < words.index(LIMIT.sentence)


def test_a_check_with_very_many_findings_does_not_fill_the_page() -> None:
    many = replace(FAILED, findings=FAILED.findings * 20_000)
    raw = page(verification(checks=(many,)))
    assert len(raw) < 200_000
    assert "and 19,500 findings more" in Parsed(raw).words


def test_totals_stand_by_contest() -> None:
    election, sheets, _ = kept()
    words = Parsed(page(all_kept())).words
    sums = tally(election, [sheet.record or {} for sheet in sheets if sheet.kind is SheetKind.CAST])
    assert "3 sheets of 3 ballots" in words
    for contest in election.contests:
        count = sums.contests[contest.id]
        rows = "".join(f"{option.name}{count.votes[option.id]}" for option in contest.options)
        rest = f"write-ins{count.write_ins}overvotes{count.overvotes}undervotes{count.undervotes}"
        assert f"ChoiceVotes{rows}{rest}" in words


def test_an_interim_export_has_no_totals() -> None:
    assert "There are none" in Parsed(page(replace(verification(), kind="interim"))).words


@pytest.mark.parametrize("totals", [{}, {"sheets": "many"}, {"sheets": -1}])
def test_totals_that_are_none_are_not_shown(totals: Json) -> None:
    assert "not the shape of totals" in Parsed(page(verification(totals=totals))).words
