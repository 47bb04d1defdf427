from __future__ import annotations

import numpy as np
import pytest
import zxingcpp

from edge.definition.election import Election, load_election
from edge.definition.qr_text import payload_from_barcode
from hil.paper.election import make_election
from hil.paper.ink import PAPER_TONE
from hil.paper.pen import MarkKind
from hil.paper.scan import PERFECT_SENSOR, Feed, scan
from hil.paper.sheet import render_sheet
from hil.paper.stroke import PALE_PENCIL
from hil.paper.truth import CAREFUL, DIFFICULT, ORDINARY, Electorate, Wish, mark_sheet, random_marked_sheet

QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


@pytest.fixture(scope="module")
def election() -> Election:
    return load_election(make_election(11))


@pytest.mark.parametrize("electorate", [CAREFUL, ORDINARY, DIFFICULT])
def test_a_voter_is_the_same_every_time(election: Election, electorate: Electorate) -> None:
    first, again = (random_marked_sheet(election, 21, electorate=electorate) for _ in range(2))
    assert np.array_equal(first.front, again.front)
    assert np.array_equal(first.back, again.back)
    assert first.marks == again.marks
    assert first.votes == again.votes
    other = random_marked_sheet(election, 22, electorate=electorate)
    assert first.votes != other.votes


@pytest.mark.parametrize("electorate", [CAREFUL, ORDINARY, DIFFICULT])
def test_truth_covers_every_bubble_once(election: Election, electorate: Electorate) -> None:
    for seed in range(10):
        marked = random_marked_sheet(election, seed, electorate=electorate)
        votes = {(contest, option) for contest, options in marked.votes.items() for option in options}
        every = {(bubble.position.contest_id, bubble.position.option_id) for bubble in marked.printed.bubbles}
        assert votes | marked.weak | marked.must_not_count == every
        assert not votes & marked.weak
        assert not votes & marked.must_not_count
        assert marked.strong <= votes
        assert marked.unmarked_write_ins <= marked.must_not_count
        assert all(list(options) == sorted(options) for options in marked.votes.values())


def test_careful_voters_never_vote_too_often(election: Election) -> None:
    for seed in range(20):
        marked = random_marked_sheet(election, seed, electorate=CAREFUL)
        assert not marked.weak
        for contest_id, options in marked.votes.items():
            assert len(options) <= election.contest(contest_id).seats
        assert not {"Overvote", "UnmarkedWriteIn"} & marked.expected_reasons()


def test_ordinary_voters_do_it_all() -> None:
    election = load_election(make_election(12, density="dense"))
    reasons: set[str] = set()
    for seed in range(20):
        reasons |= random_marked_sheet(election, seed, electorate=ORDINARY).expected_reasons()
    assert {"Overvote", "Undervote", "UnmarkedWriteIn"} <= reasons


def test_wishes_become_votes_and_reasons(election: Election) -> None:
    sheet = render_sheet(election, "1_en")
    contest = next(
        contest for contest in election.contests_of(election.style("1_en")) if contest.allow_write_ins and contest.seats == 1
    )
    first, second = contest.options[0].id, contest.options[1].id
    blank = mark_sheet(sheet, [])
    assert blank.expected_reasons() == {"BlankBallot", "Undervote"}
    assert np.array_equal(blank.front, sheet.front)

    one = mark_sheet(sheet, [Wish(contest.id, first, MarkKind.CROSS)])
    assert one.votes[contest.id] == (first,)
    assert one.strong == {(contest.id, first)}

    two = mark_sheet(sheet, [Wish(contest.id, first), Wish(contest.id, second)])
    assert "Overvote" in two.expected_reasons()

    named = mark_sheet(sheet, [Wish(contest.id, first), Wish(contest.id, "write-in-0", None, with_name=True)])
    assert named.unmarked_write_ins == {(contest.id, "write-in-0")}
    assert {"Overvote", "UnmarkedWriteIn"} <= named.expected_reasons()

    pale = mark_sheet(sheet, [Wish(contest.id, first, MarkKind.TICK, PALE_PENCIL), Wish(contest.id, second, MarkKind.DOT)])
    assert pale.votes[contest.id] == ()
    assert pale.weak == {(contest.id, first)}
    assert (contest.id, second) in pale.must_not_count
    assert "BlankBallot" not in pale.expected_reasons()


def test_a_name_needs_a_write_in_area(election: Election) -> None:
    sheet = render_sheet(election, "1_en")
    position = next(bubble.position for bubble in sheet.bubbles if bubble.write_in_area is None)
    with pytest.raises(ValueError, match="no write-in area"):
        mark_sheet(sheet, [Wish(position.contest_id, position.option_id, with_name=True)])


def test_a_perfect_sensor_delivers_the_paper(election: Election) -> None:
    marked = random_marked_sheet(election, 3)
    pair = scan(marked, sensor=PERFECT_SENSOR)
    assert np.array_equal(pair.top.pixels, marked.front)
    assert np.array_equal(pair.bottom.pixels, marked.back)
    assert (pair.top.side, pair.bottom.side) == ("front", "back")


def test_a_real_sensor_is_soft_grey_and_grainy(election: Election) -> None:
    pair = scan(random_marked_sheet(election, 3), seed=1)
    paper = pair.top.pixels[pair.top.pixels > 200]
    assert 225 < np.median(paper) < 240
    assert 1 < paper.std() < 8
    again = scan(random_marked_sheet(election, 3), seed=1)
    assert np.array_equal(pair.top.pixels, again.top.pixels)


@pytest.mark.parametrize("face_down", [False, True])
@pytest.mark.parametrize("upside_down", [False, True])
def test_all_four_ways_of_feeding(election: Election, face_down: bool, upside_down: bool) -> None:
    marked = random_marked_sheet(election, 5)
    feed = Feed(face_down=face_down, upside_down=upside_down, margins=(30, 50, 10, 20), width=1728)
    pair = scan(marked, feed=feed, sensor=PERFECT_SENSOR)
    front, back = (pair.bottom, pair.top) if face_down else (pair.top, pair.bottom)
    assert (front.side, back.side) == ("front", "back")
    assert marked.printed.qr_payloads is not None
    for page, paper, payload in ((front, marked.front, 0), (back, marked.back, 1)):
        assert page.pixels.shape == (2270, 1728)
        inside = page.pixels[50:2250]
        left = 24 if page is pair.top else 4
        cut = inside[:, left : left + 1700]
        assert np.array_equal(cut[::-1, ::-1] if upside_down else cut, paper)
        assert int(page.pixels[0].max()) == int(page.pixels[:, 0].max()) == feed.background
        (code,) = zxingcpp.read_barcodes(page.pixels, formats=QR_ONLY)
        assert payload_from_barcode(code.bytes) == marked.printed.qr_payloads[payload]


def test_narrow_scanners_lose_the_edges(election: Election) -> None:
    pair = scan(random_marked_sheet(election, 5), feed=Feed(width=1696))
    assert pair.top.pixels.shape == pair.bottom.pixels.shape == (2200, 1696)


def test_damages_act_in_the_order_of_a_sheets_life(election: Election) -> None:
    marked = random_marked_sheet(election, 6)
    one = scan(marked, {"jpeg": 30, "rotation": 20, "streak_full": 60, "hole": 40}, seed=9)
    other = scan(marked, {"hole": 40, "streak_full": 60, "rotation": 20, "jpeg": 30}, seed=9)
    assert np.array_equal(one.top.pixels, other.top.pixels)
    streaks = [e for e in one.exposure.front.effects + one.exposure.back.effects if e.damage == "streak_full"]
    (streak,) = streaks
    assert len({round(float(x)) for x in streak.outline[:, 0]}) == 2, "a streak is straight even on a rotated page"


def test_an_undamaged_sheet_has_no_touched_bubbles(election: Election) -> None:
    marked = random_marked_sheet(election, 6)
    pair = scan(marked, {"rotation": 15, "noise": 20}, feed=Feed(margins=(5, 5, 5, 5)))
    assert not any(pair.effects_at(bubble) for bubble in marked.printed.bubbles)
    for bubble in marked.printed.bubbles:
        middle = pair.bubble_outline(bubble).mean(axis=0)
        x, y = round(float(middle[0])), round(float(middle[1]))
        image = (pair.top if bubble.side == "front" else pair.bottom).pixels
        dark = float((image[y - 5 : y + 5, x - 9 : x + 9] < 128).mean())
        choice = (bubble.position.contest_id, bubble.position.option_id)
        assert dark > 0.05 if choice in marked.strong else choice not in marked.must_not_count or dark < 0.1


def test_blank_paper_is_blank(election: Election) -> None:
    sheet = render_sheet(election, "1_en")
    assert int(sheet.front[0, 0]) == PAPER_TONE
    assert int(scan(sheet, sensor=PERFECT_SENSOR).top.pixels[0, 0]) == PAPER_TONE
