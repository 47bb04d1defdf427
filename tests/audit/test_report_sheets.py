"""Every kept sheet stands in the page, in words and by what it can be filtered."""

from __future__ import annotations

import re
from dataclasses import replace

from edge.audit.report_page.sheet_kinds import FILTERS
from edge.audit.verification import Finding, Json, Repeat, SheetVerdict
from edge.evidence.archive import SheetKind
from tests.audit.report_samples import (
    Parsed,
    all_kept,
    article_of,
    articles,
    cast,
    kept,
    page,
    with_record,
)


def test_every_sheet_stands_once_in_its_group() -> None:
    raw = page(all_kept())
    groups = dict(re.findall(rb'<section class="sheets" id="(\w+)">(.*?)</section>', raw, re.DOTALL))
    assert [name.decode() for name in groups] == ["wrong", "held", "returned", "plain"]
    counts = {name.decode(): len(articles(content)) for name, content in groups.items()}
    assert counts == {"wrong": 0, "held": 1, "returned": 2, "plain": 2}
    assert set(articles(raw)) == {f"{sheet.kind}-{sheet.id}" for sheet in kept()[1]}


def test_a_sheet_tells_its_votes_in_words() -> None:
    election, _, _ = kept()
    verdict = cast()
    record = verdict.record or {}
    words = Parsed(article_of(verdict)).words
    assert verdict.id in words
    assert "Cast: it is in the ballot box and counts. Marked by hand" in words
    assert "the same record byte for byte" in words
    for contest_id in record["contests"]:
        contest = election.contest(contest_id)
        names = {option.id: option.name for option in contest.options}
        assert f"{contest.title} vote for {contest.seats}" in words
        for option in record["votes"].get(contest_id, []):
            assert f"X {names.get(option, 'write-in')}" in words


def test_a_held_sheet_says_why_and_a_returned_one_too() -> None:
    held = Parsed(article_of(cast("hold"))).words
    assert "held for a person, then cast" in held
    assert "more is chosen than allowed" in held
    assert "(Overvote)" in held
    assert "overvoted, no vote counts" in held
    refused = next(sheet for sheet in kept()[1] if sheet.record is not None and sheet.record["kind"] == "refused")
    told = Parsed(article_of(refused)).words
    assert "Returned: The ballot belongs to another election" in told
    assert "(invalidBallotHash)" in told
    assert len(Parsed(article_of(refused)).named("img")) == 2
    assert b"<svg" not in article_of(refused)


def test_findings_and_a_different_reading_make_a_sheet_wrong() -> None:
    finding = Finding("cvrDiffers", "sheets/x/cvr.json", "is another record")
    sheet = cast()
    wrong = (
        replace(sheet, findings=(finding,)),
        replace(sheet, repeat=Repeat.DIFFERENT),
        replace(sheet, repeat=Repeat.IMPOSSIBLE),
        replace(sheet, record=None),
        with_record(sheet, lambda record: record["disposition"].update(kind="return")),
    )
    for verdict in wrong:
        article = article_of(verdict)
        assert b'class="wrong"' in article
        assert b'data-k="cast problem' in article
    assert "cvrDiffers sheets/x/cvr.json: is another record" in Parsed(article_of(wrong[0])).words


def test_a_returned_sheet_that_cannot_be_repeated_is_not_wrong() -> None:
    returned = next(sheet for sheet in kept()[1] if sheet.kind is SheetKind.RETURNED)
    article = article_of(replace(returned, repeat=Repeat.IMPOSSIBLE))
    assert b'class="returned"' in article
    assert "could not be read a second time" in Parsed(article).words


def test_a_machine_marked_sheet_shows_the_names_that_it_carries() -> None:
    contest = kept()[0].contests[0]

    def machine(record: Json) -> None:
        record |= {"kind": "machineMarked", "contests": [contest.id], "scores": []}
        record |= {"votes": {contest.id: ["write-in-0"]}, "writeInNames": {contest.id: ["ZOE <QUINCE>"]}}

    words = Parsed(article_of(with_record(cast(), machine))).words
    assert "Marked by machine" in words
    assert "X write-in 1: ZOE <QUINCE>" in words


def _words_of(verdict: SheetVerdict) -> tuple[set[str], set[str]]:
    (attributes,) = Parsed(article_of(verdict)).named("article")
    return set(attributes["data-k"].split()), set(attributes["data-v"].split())


def test_sheets_can_be_filtered_by_kind_and_by_contest() -> None:
    contests = kept()[0].contests
    place, contest = next((place, one) for place, one in enumerate(contests) if one.allow_write_ins and one.seats == 1)
    first, second = contest.options[0].id, contest.options[1].id

    def voted(votes: list[str], **more: Json) -> SheetVerdict:
        return with_record(cast(), lambda record: record.update({"contests": [contest.id], "votes": {contest.id: votes}, **more}))

    assert _words_of(voted([second])) == ({"cast"}, {f"{place}", f"{place}.1"})
    assert _words_of(voted([])) == ({"cast"}, {f"{place}", f"{place}.u"})
    assert _words_of(voted([first, second])) == ({"cast", "overvote"}, {f"{place}", f"{place}.o"})
    assert _words_of(voted(["write-in-0"])) == ({"cast", "write-in"}, {f"{place}", f"{place}.w"})
    unmarked = voted([], unmarkedWriteIns={contest.id: ["write-in-0"]})
    assert _words_of(unmarked) == ({"cast", "write-in"}, {f"{place}", f"{place}.u", f"{place}.w"})
    marginal = voted([first], marginal={contest.id: [second]})
    assert _words_of(marginal) == ({"cast", "marginal"}, {f"{place}", f"{place}.0", f"{place}.m"})
    assert _words_of(cast("hold"))[0] >= {"cast", "held", "overvote"}
    returned = next(sheet for sheet in kept()[1] if sheet.kind is SheetKind.RETURNED)
    assert "returned" in _words_of(returned)[0]
    assert "cast" not in _words_of(returned)[0]


def test_the_filter_offers_what_sheets_can_be() -> None:
    parsed = Parsed(page(all_kept()))
    values = {option["value"] for option in parsed.named("option")}
    assert set(FILTERS) < values
    asked = {word for article in parsed.named("article") for word in (article["data-k"] + " " + article["data-v"]).split()}
    assert asked <= values
    script = parsed.verbatim["script"]
    assert all(f'getElementById("{name}")' in script for name in ("filter", "kind", "vote", "count"))
    assert {"filter", "kind", "vote", "count"} <= set(parsed.values("id"))
