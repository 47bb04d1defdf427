"""The table that a person reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.ballot.interpret import ScannedSheet, interpret
from edge.ballot.result import Doubt, GreyInk, Interpretation, Refusal, Verdict
from edge.commands.table import _DOUBTS, _SIGNS, interpretation_table
from edge.decision import decide
from edge.definition.payload_fields import BallotType
from edge.definition.settings import AdjudicationReason, SystemSettings
from edge.definition.summary_payload import SummaryPayload, SummaryVersion
from edge.fixed.number import Score
from edge.page.area import Area
from edge.sentences import RETURN_SENTENCES
from hil.paper.summary import render_summary
from tests.command.conftest import Ballots

ALL_REASONS = SystemSettings(precinct_scan_adjudication_reasons=tuple(AdjudicationReason))


def read(ballots: Ballots, marked: list[tuple[str, str]]) -> Interpretation:
    return interpret(ScannedSheet(*ballots.pages(marked)), ballots.election, SystemSettings())


def table(ballots: Ballots, interpretation: Interpretation, settings: SystemSettings | None = None, width: int = 80) -> str:
    settings = settings or SystemSettings()
    return interpretation_table(interpretation, decide(interpretation, ballots.election, settings), ballots.election, width=width)


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def good(ballots: Ballots) -> Interpretation:
    return read(ballots, ballots.first_options())


def test_every_vote_is_named_with_its_contest_and_score(ballots: Ballots, good: Interpretation) -> None:
    text = table(ballots, good)
    lines = text.splitlines()
    for contest_id, (option_id,) in good.votes.items():
        contest = ballots.election.contest(contest_id)
        name = next(option.name for option in contest.options if option.id == option_id)
        assert any(line.startswith(f"    [X] {name} ") and line.endswith(" %") for line in lines)
        assert contest.title in one_line(text)
    assert lines[-3:] == ["=" * 80, "ACCEPT: every check supports this reading.", "=" * 80]


def test_the_paper_has_a_line_for_each_side(ballots: Ballots, good: Interpretation) -> None:
    text = one_line(table(ballots, good))
    for fact in (
        "front: scan A, right way up, letter paper at 200 dpi",
        "82 side marks (82 measured)",
        "QR code read by zbar from bilevel",
    ):
        assert fact in text


@pytest.mark.parametrize("width", [1, 48, 60, 80, 120, 400])
def test_no_line_is_wider_than_the_terminal(ballots: Ballots, good: Interpretation, width: int) -> None:
    widest = max(len(line) for line in table(ballots, good, ALL_REASONS, width).splitlines())
    assert widest == min(max(width, 48), 120)


def test_an_overvote_is_flagged_in_its_contest_and_told_in_a_sentence(ballots: Ballots) -> None:
    contest = next(one for one in ballots.election.contests if one.seats == 1 and one.id in dict(ballots.first_options()))
    first, second = contest.options[:2]
    text = table(ballots, read(ballots, [(contest.id, first.id), (contest.id, second.id)]))
    assert "    OVERVOTE: 2 chosen, 1 allowed" in text
    assert f"- {contest.title}: 2 options are chosen and 1 allowed: {first.name}, {second.name}. (Overvote)" in one_line(text)
    assert "HOLD: a person must look at this sheet." in text
    assert "The voter may cast it as it is." in text
    strict = SystemSettings(disallow_casting_overvotes=True)
    assert "only returned" in table(ballots, read(ballots, [(contest.id, first.id), (contest.id, second.id)]), strict)


def test_what_is_doubtful_is_flagged(ballots: Ballots, good: Interpretation) -> None:
    front = good.pages[0]
    first, second, third, *rest = front.bubbles
    bubbles = (
        replace(first, verdict=Verdict.MARGINAL, fill=Score(60, 1040)),
        replace(second, verdict=Verdict.UNREADABLE, doubt=Doubt.MISSING_PAPER),
        replace(third, doubt=Doubt.BUBBLE_NOT_FOUND),
        *rest,
    )
    area = replace(front.write_ins[0], filled=True, ink=Score(1, 8))
    doubtful = replace(
        good,
        pages=(replace(front, bubbles=bubbles, write_ins=(area, *front.write_ins[1:])), good.pages[1]),
        marginal={first.contest_id: (first.option_id,)},
        unmarked_write_ins={area.contest_id: (area.option_id,)},
        doubts=(
            (Doubt.MISSING_PAPER, second.contest_id, second.option_id),
            (Doubt.BUBBLE_NOT_FOUND, third.contest_id, third.option_id),
        ),
    )
    text = one_line(table(ballots, doubtful, ALL_REASONS, width=120))
    for words in (
        "(marginal mark) 5.77 %",
        "(paper is missing here)",
        "no oval is printed here",
        "name written, oval not filled; ink 12.50 %",
        "it is not clear whether this was meant as a mark:",
        "a name is written and its oval is not filled: write-in 1. (UnmarkedWriteIn)",
        "a hole or a torn edge reaches into",
        "the oval is not printed or not visible where it belongs:",
    ):
        assert words in text


def test_pale_ink_is_told(ballots: Ballots, good: Interpretation) -> None:
    front = good.pages[0]
    second = next(bubble for bubble in front.bubbles if bubble.verdict is Verdict.UNMARKED)
    pale = replace(
        second, verdict=Verdict.MARGINAL, grey_ink=(GreyInk("pale", Score(1, 5), Area(0, 0, 1, 1), np.zeros((1, 1), np.uint8)),)
    )
    bubbles = tuple(pale if bubble is second else bubble for bubble in front.bubbles)
    text = table(ballots, replace(good, pages=(replace(front, bubbles=bubbles), good.pages[1])))
    assert "(marginal mark; pale ink 20.00 %)" in one_line(text)


def test_every_doubt_has_its_words() -> None:
    assert set(_DOUBTS) == set(Doubt)
    assert set(_SIGNS) == set(Verdict)


def test_a_blank_sheet_says_so(ballots: Ballots) -> None:
    text = table(ballots, read(ballots, []), ALL_REASONS)
    assert text.count("    no mark") == len(ballots.first_options())
    assert "- No vote was found on either side. (BlankBallot)" in text
    assert "0 of 1 options are chosen. (Undervote)" in one_line(text)


def test_votes_for_two_parties_are_told(ballots: Ballots, good: Interpretation) -> None:
    first, second = list(good.votes)[:2]
    parties = {first: "red", second: "blue"}
    contests = tuple(replace(contest, party_id=parties.get(contest.id)) for contest in ballots.election.contests)
    primary = replace(ballots.election, contests=contests)
    text = interpretation_table(good, decide(good, primary, SystemSettings()), primary)
    assert "- There are votes in the contests of more than one party. (CrossoverVoting)" in text


@pytest.mark.parametrize("code", sorted(RETURN_SENTENCES))
def test_a_returned_sheet_says_why(ballots: Ballots, code: str) -> None:
    text = one_line(table(ballots, Interpretation("refused", Refusal(code, "B", "at x=3"), ())))
    assert "RETURN: this sheet is given back and not counted." in text
    assert f"{RETURN_SENTENCES[code].removesuffix('.')}: at x=3, on scan B. ({code})" in text


def test_a_machine_marked_ballot_shows_its_names(ballots: Ballots) -> None:
    election = ballots.election
    contests = election.contests_of(election.ballot_styles[0])
    race = next(contest for contest in contests if contest.allow_write_ins)
    payload = SummaryPayload(
        version=SummaryVersion.VX2_V4_0,
        ballot_hash=election.ballot_hash,
        precinct_index=0,
        style_index=0,
        page_number=1,
        total_pages=1,
        test_mode=True,
        ballot_type=BallotType.ABSENTEE,
        audit_id=None,
        votes={},
        write_ins={race.id: ("MICKEY O'MOUSE",)},
        contests_on_page=tuple(contest.id for contest in contests),
    )
    page = render_summary(election, payload)
    interpretation = interpret(ScannedSheet(page.front, page.back), election, SystemSettings())
    assert interpretation.kind == "machineMarked"
    text = table(ballots, interpretation)
    assert "precinct Precinct 1, test ballot, absentee, marked by machine" in one_line(text)
    assert '    [X] write-in 1: "MICKEY O\'MOUSE"' in text


def test_colour_marks_the_verdict_alone(ballots: Ballots, good: Interpretation) -> None:
    disposition = decide(good, ballots.election, SystemSettings())
    coloured = interpretation_table(good, disposition, ballots.election, colour=True)
    assert coloured.replace("\x1b[1;32m", "").replace("\x1b[0m", "") == interpretation_table(good, disposition, ballots.election)
    assert coloured.count("\x1b") == 2


def test_the_definition_cannot_drive_the_terminal(ballots: Ballots, good: Interpretation) -> None:
    hostile = replace(ballots.election, title="A\x1b[2J\r\nB\u202eC")
    text = interpretation_table(good, decide(good, hostile, SystemSettings()), hostile)
    assert text.startswith("A [2J B C, ")
