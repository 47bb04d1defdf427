"""Whatever an export says stands in the page as text."""

from __future__ import annotations

import copy
import unicodedata
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audit.report_page.markup import Markup, joined, shown, tag
from edge.audit.report_page.record_shape import record_shape
from edge.audit.report_page.sheet import SheetFiles, SheetWriter
from edge.audit.report_page.sheet_kinds import Group
from edge.audit.verification import Check, Finding, Json, Outcome
from edge.definition.election import Contest, Election, Option
from edge.evidence.cdf.tally import tally
from tests.audit.report_samples import (
    Parsed,
    article_of,
    cast,
    kept,
    page,
    verification,
    with_record,
)

HOSTILE = [
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "--><!-- <![CDATA[ ]]>",
    "&lt;b&gt; &amp; &#60;",
    "\u202eevil\u2066 \u200f\u061c",
    "a\x00b\x1b[31m\r\n\tc\x7f\x85",
    "\ud800 alone",
    "javascript:alert(1)",
    "e" + "\u0301" * 40,
    "{{7*7}} ${7*7} `x`",
]


def _hostile_election(text: str) -> Election:
    """An election in which every name is the given text."""
    election = kept()[0]
    contests = tuple(
        replace(contest, title=text, options=tuple(replace(option, name=text) for option in contest.options))
        for contest in election.contests
    )
    precincts = tuple(replace(precinct, name=text) for precinct in election.precincts)
    return replace(election, title=text, contests=contests, precincts=precincts)


def _hostile_page(text: str) -> bytes:
    election = _hostile_election(text)
    finding = Finding(text, text, text)
    checks = (Check(text, Outcome.FAILED, text, (finding,)), Check(text, Outcome.NOT_CHECKED, text))

    def spoilt(record: Json) -> None:
        record["disposition"]["reasons"] = [
            {"code": text, "contestId": text, "optionIds": [text], "scan": text, "detail": text},
            {"code": text, "contestId": election.contests[0].id, "optionIds": [text]},
        ]
        record["contests"] = [*record["contests"], text]
        record["votes"] |= {text: [text]}
        for part in record["pages"]:
            part["metadata"] |= {"ballotStyleId": text, "precinctId": text}
            part["contests"] += [{"contestId": text, "box": [1, 2, 3, 4], "options": [{"optionId": text, "box": [1, 2, 3, 4]}]}]
        record["scores"] += [{**record["scores"][0], "contestId": text, "optionId": text, "doubt": text, "verdict": "marked"}]

    sheets = [replace(with_record(cast("hold"), spoilt), id=text, findings=(finding,)), with_record(cast(), spoilt)]
    totals = tally(election, [cast().record or {}]).to_json()
    honest = verification(sheets, checks, totals)
    verified = replace(honest, folder=text, origin=text, kind=text, root=text, verifier=text)
    front = kept()[2][f"sheets/{cast().id}/scan-a.png"]
    return page(verified, election, lambda _name: front)


@cache
def _harmless(length: int) -> list[str]:
    """The elements of the page with a harmless text of the same length."""
    return [name for name, _ in Parsed(_hostile_page("h" * length)).elements]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_stands(text: str) -> None:
    raw = _hostile_page(text)
    parsed = Parsed(raw)
    assert [name for name, _ in parsed.elements] == _harmless(len(text))
    assert not any(name.startswith("on") or name == "style" for _, attributes in parsed.elements for name in attributes)
    assert all(source.startswith("data:image/png;base64,") for source in parsed.values("src"))
    assert all(href == "data:," or href[1:] in parsed.values("id") for href in parsed.values("href"))
    assert parsed.words.count(" ".join(shown(text).split())) > 40


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_cannot_be_seen_is_in_the_page(text: str) -> None:
    own = set("\n")
    for character in set(_hostile_page(text).decode("utf-8")) - own:
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_bidirectional_controls_are_shown_as_codes() -> None:
    words = Parsed(_hostile_page("\u202eabc\u2069")).words
    assert "⟨U+202E⟩abc⟨U+2069⟩" in words


def test_long_texts_are_cut_and_the_page_says_so() -> None:
    raw = _hostile_page("n" * 100_000)
    assert len(raw) < 3_000_000
    assert "… (99,800 more characters)".replace(",", "") in Parsed(raw).words


@given(st.text(max_size=40))
def test_any_text_comes_back_as_it_is_shown(text: str) -> None:
    parsed = Parsed(tag("p", text, title=text).encode())
    assert parsed.named("p")[0].get("title", "") == shown(text)
    assert "".join(parsed.text) == shown(text)
    assert shown(text).isprintable()


@given(st.text(max_size=60), st.text(max_size=60))
def test_parts_are_escaped_once(first: str, second: str) -> None:
    inner = tag("b", first)
    assert "".join(Parsed(joined(inner, second).encode()).text) == shown(first) + shown(second)


def test_markup_alone_is_taken_as_it_is() -> None:
    assert tag("p", Markup("<br>"), "<br>", id="x", hidden=True, title=None, class_="a", data_k='"') == (
        '<p id="x" hidden class="a" data-k="&quot;"><br>&lt;br&gt;</p>'
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["disposition", "kind", "votes", "pages", "scores", "contests"]), JSON))
def test_another_json_is_no_record(record: Json) -> None:
    assert record_shape(record) is None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_record_with_a_wrong_part_is_shown_or_not_but_never_stops_the_page(data: st.DataObject) -> None:
    verdict = cast("hold")
    record = copy.deepcopy(verdict.record)
    part: Any = record
    while True:
        key = data.draw(st.sampled_from(sorted(part))) if isinstance(part, dict) else data.draw(st.integers(0, len(part) - 1))
        if not isinstance(part[key], (dict, list)) or not part[key] or data.draw(st.booleans()):
            part[key] = data.draw(JSON)
            break
        part = part[key]
    writer = SheetWriter(kept()[0], dict.fromkeys(Group, 50))
    Parsed(writer.article(SheetFiles(replace(verdict, record=record), {}, pictures=True)).encode())


def test_a_record_that_is_none_is_said_to_be_none() -> None:
    article = article_of(replace(cast(), record={"kind": "handMarked"}))
    assert "has not the shape of a record" in Parsed(article).words
    assert len(Parsed(article).named("img")) == 2


def test_a_record_that_names_what_the_election_has_not_is_shown_by_its_ids() -> None:
    bare = replace(
        kept()[0],
        contests=(Contest("other", "candidate", "Other", None, None, 1, allow_write_ins=False, options=(Option("a", "A"),)),),
    )
    raw = page(verification([cast()]), bare)
    assert "(not in this election)" in Parsed(raw).words
