"""From what a sheet says to what happens to it: the order of reasons, and nothing but the arguments decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, combinations

import pytest

from edge.ballot.result import Doubt, Interpretation, Kind, PageMetadata, Refusal
from edge.decision import Disposition, Reason, decide
from edge.definition.election import Contest, Election, Option
from edge.definition.settings import AdjudicationReason, SystemSettings
from tests.definition.town import vector_election

DOG, BOARD = "dog", "board"
ALL = tuple(AdjudicationReason)
METADATA = PageMetadata("s1", "p-2", 1, None, None, None, None, None, "VB1")


def contest(contest_id: str, seats: int, options: int, party_id: str | None = None) -> Contest:
    names = tuple(Option(f"{contest_id}-{number}", f"Option {number}") for number in range(options))
    return Contest(contest_id, "candidate", contest_id.title(), None, party_id, seats, allow_write_ins=True, options=names)


def election(*contests: Contest) -> Election:
    return replace(vector_election(), contests=contests or (contest(DOG, 1, 3), contest(BOARD, 2, 4)))


def sheet(
    votes: Mapping[str, tuple[str, ...]] | None = None,
    *,
    kind: Kind = "handMarked",
    contests: tuple[str, ...] = (DOG, BOARD),
    metadata: PageMetadata = METADATA,
    marginal: Mapping[str, tuple[str, ...]] | None = None,
    written: Mapping[str, tuple[str, ...]] | None = None,
    doubts: tuple[tuple[Doubt, str, str], ...] = (),
) -> Interpretation:
    return Interpretation(
        kind=kind,
        refusal=None,
        pages=(),
        metadata=metadata,
        contests=contests,
        votes=votes or {},
        marginal=marginal or {},
        unmarked_write_ins=written or {},
        doubts=doubts,
    )


GOOD = {DOG: ("dog-0",), BOARD: ("board-0", "board-1")}
NONE = SystemSettings(precinct_scan_adjudication_reasons=())
EVERY = SystemSettings(precinct_scan_adjudication_reasons=ALL)


Told = list[tuple[str, str | None, tuple[str, ...]]]


def told(disposition: Disposition) -> Told:
    return [(reason.code, reason.contest_id, reason.option_ids) for reason in disposition.reasons]


CASES: dict[str, tuple[Interpretation, Told]] = {
    "a full ballot": (sheet(GOOD), []),
    "an overvote": (
        sheet(GOOD | {DOG: ("dog-0", "dog-2")}),
        [("Overvote", DOG, ("dog-0", "dog-2"))],
    ),
    "an overvote by an unmarked write-in": (
        sheet(GOOD, written={DOG: ("write-in-0",)}),
        [("Overvote", DOG, ("dog-0", "write-in-0")), ("UnmarkedWriteIn", DOG, ("write-in-0",))],
    ),
    "an unmarked write-in that fits": (
        sheet({DOG: ("dog-0",), BOARD: ("board-0",)}, written={BOARD: ("write-in-1",)}),
        [("Undervote", BOARD, ("board-0",)), ("UnmarkedWriteIn", BOARD, ("write-in-1",))],
    ),
    "an overvote and an undervote at once": (
        sheet({DOG: ("dog-1",)}, written={BOARD: ("write-in-0", "write-in-1", "write-in-2")}),
        [
            ("Overvote", BOARD, ("write-in-0", "write-in-1", "write-in-2")),
            ("Undervote", BOARD, ()),
            ("UnmarkedWriteIn", BOARD, ("write-in-0", "write-in-1", "write-in-2")),
        ],
    ),
    "an undervote": (
        sheet({DOG: ("dog-0",), BOARD: ("board-2",)}),
        [("Undervote", BOARD, ("board-2",))],
    ),
    "a marginal mark": (
        sheet(GOOD, marginal={DOG: ("dog-1",)}),
        [("MarginalMark", DOG, ("dog-1",))],
    ),
    "a marginal mark is no vote": (
        sheet({BOARD: ("board-0", "board-1")}, marginal={DOG: ("dog-1",)}),
        [("Undervote", DOG, ()), ("MarginalMark", DOG, ("dog-1",))],
    ),
    "a blank ballot": (
        sheet({}),
        [("Undervote", DOG, ()), ("Undervote", BOARD, ()), ("BlankBallot", None, ())],
    ),
    "a blank ballot with a name on it": (
        sheet({}, written={DOG: ("write-in-0",)}),
        [("Undervote", DOG, ()), ("UnmarkedWriteIn", DOG, ("write-in-0",)), ("Undervote", BOARD, ()), ("BlankBallot", None, ())],
    ),
    "a sheet without contests": (sheet({}, contests=()), []),
    "a machine-marked ballot is never overvoted": (sheet(GOOD | {DOG: ("dog-0", "dog-1")}, kind="machineMarked"), []),
    "a machine-marked ballot may be undervoted": (
        sheet({DOG: ("dog-0",)}, kind="machineMarked"),
        [("Undervote", BOARD, ())],
    ),
    "a machine-marked ballot may be blank": (
        sheet({}, kind="machineMarked"),
        [("Undervote", DOG, ()), ("Undervote", BOARD, ()), ("BlankBallot", None, ())],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reasons_are_named_in_the_elections_order(name: str) -> None:
    interpretation, expected = CASES[name]
    disposition = decide(interpretation, election(), EVERY)
    assert told(disposition) == expected
    assert disposition.kind == ("hold" if expected else "accept")
    assert disposition.castable


@pytest.mark.parametrize("name", CASES)
def test_only_enabled_reasons_hold(name: str) -> None:
    interpretation, expected = CASES[name]
    for enabled in chain.from_iterable(combinations(ALL, count) for count in range(len(ALL) + 1)):
        disposition = decide(interpretation, election(), SystemSettings(precinct_scan_adjudication_reasons=enabled))
        wanted = [reason for reason in expected if reason[0] in enabled]
        assert told(disposition) == wanted
        assert disposition.kind == ("hold" if wanted else "accept")


def test_other_stations_settings_do_not_matter() -> None:
    elsewhere = replace_settings(NONE, central_scan_adjudication_reasons=ALL, admin_adjudication_reasons=ALL)
    assert decide(sheet({}), election(), elsewhere).kind == "accept"


def replace_settings(settings: SystemSettings, **values: object) -> SystemSettings:
    return settings.model_copy(update=values)


@pytest.mark.parametrize("doubt", list(Doubt))
def test_a_doubt_always_holds_and_stands_first(doubt: Doubt) -> None:
    doubts = ((doubt, BOARD, "board-2"), (doubt, BOARD, "board-3"), (doubt, DOG, "dog-1"))
    silent = decide(sheet(GOOD, doubts=doubts), election(), NONE)
    assert (silent.kind, silent.castable) == ("hold", True)
    assert told(silent) == [(doubt.value, BOARD, ("board-2", "board-3")), (doubt.value, DOG, ("dog-1",))]
    loud = decide(sheet({}, doubts=doubts), election(), EVERY)
    assert [reason.code for reason in loud.reasons] == [doubt.value, doubt.value, "Undervote", "Undervote", "BlankBallot"]


def test_an_overvote_may_be_barred_from_casting() -> None:
    strict = SystemSettings(disallow_casting_overvotes=True)
    overvoted = sheet(GOOD | {DOG: ("dog-0", "dog-1")})
    held = decide(overvoted, election(), strict)
    assert (held.kind, held.castable) == ("hold", False)
    assert decide(overvoted, election(), SystemSettings()).castable
    assert decide(sheet({}), election(), strict).castable
    # An overvote that is no reason here cannot bar the sheet either.
    assert decide(overvoted, election(), replace_settings(NONE, disallow_casting_overvotes=True)) == Disposition("accept")


def test_what_could_not_be_read_goes_back_whatever_else_is_wrong() -> None:
    refused = replace(sheet({}), kind="refused", refusal=Refusal("missingTimingMarks", "B", "left mark at row 3"), contests=())
    for settings in (NONE, EVERY, SystemSettings(test_mode=True), SystemSettings(precinct_ids=())):
        disposition = decide(refused, election(), settings)
        reason = Reason("missingTimingMarks", scan="B", detail="left mark at row 3")
        assert disposition == Disposition("return", (reason,), castable=False)


@pytest.mark.parametrize(
    ("station", "official_allowed", "ballot", "code"),
    [
        (None, False, True, None),
        (None, False, False, None),
        (True, False, True, None),
        (True, False, False, "invalidTestMode"),
        (True, True, False, None),
        (False, False, True, "invalidTestMode"),
        (False, True, True, "invalidTestMode"),
        (False, False, False, None),
        (True, False, None, None),
        (False, False, None, None),
    ],
)
def test_test_ballots_and_official_ones_are_kept_apart(
    station: bool | None, official_allowed: bool, ballot: bool | None, code: str | None
) -> None:
    settings = replace_settings(NONE, test_mode=station, allow_official_ballots_in_test_mode=official_allowed)
    disposition = decide(sheet(GOOD, metadata=replace(METADATA, test_mode=ballot)), election(), settings)
    assert [reason.code for reason in disposition.reasons] == ([code] if code else [])
    assert (disposition.kind, disposition.castable) == (("return", False) if code else ("accept", True))


@pytest.mark.parametrize(
    ("allowed", "precinct", "code"),
    [
        (None, "p-2", None),
        (("p-2",), "p-2", None),
        (("p-1", "p-3"), "p-2", "invalidPrecinct"),
        ((), "p-2", "invalidPrecinct"),
        (("p-1",), None, None),
    ],
)
def test_ballots_of_other_precincts_go_back(allowed: tuple[str, ...] | None, precinct: str | None, code: str | None) -> None:
    settings = replace_settings(NONE, precinct_ids=allowed)
    disposition = decide(sheet(GOOD, metadata=replace(METADATA, precinct_id=precinct)), election(), settings)
    assert [reason.code for reason in disposition.reasons] == ([code] if code else [])
    assert disposition.kind == ("return" if code else "accept")


def test_the_mode_is_checked_before_the_precinct_and_both_before_the_votes() -> None:
    both = replace_settings(EVERY, test_mode=True, precinct_ids=("p-1",))
    official = replace(METADATA, test_mode=False)
    doubtful = sheet({}, metadata=official, doubts=((Doubt.MISSING_PAPER, DOG, "dog-0"),))
    assert [reason.code for reason in decide(doubtful, election(), both).reasons] == ["invalidTestMode"]
    one = replace_settings(EVERY, precinct_ids=("p-1",))
    assert [reason.code for reason in decide(doubtful, election(), one).reasons] == ["invalidPrecinct"]


@pytest.mark.parametrize("settings", [NONE, EVERY])
def test_votes_in_the_contests_of_two_parties_always_hold(settings: SystemSettings) -> None:
    primary = election(contest(DOG, 1, 2, "hare"), contest(BOARD, 1, 2, "fox"), contest("park", 1, 2))
    contests = (DOG, BOARD, "park")
    crossed = decide(sheet({DOG: ("dog-0",), BOARD: ("board-0",), "park": ("park-0",)}, contests=contests), primary, settings)
    assert (crossed.kind, [reason.code for reason in crossed.reasons]) == ("hold", ["CrossoverVoting"])
    loyal = decide(sheet({DOG: ("dog-0",), "park": ("park-0",)}, contests=contests), primary, NONE)
    assert loyal.kind == "accept"


@pytest.mark.parametrize("name", CASES)
def test_deciding_twice_gives_the_same_and_changes_nothing(name: str) -> None:
    interpretation, _ = CASES[name]
    votes, marginal = dict(interpretation.votes), dict(interpretation.marginal)
    held = election()
    assert decide(interpretation, held, EVERY) == decide(interpretation, held, EVERY)
    assert (dict(interpretation.votes), dict(interpretation.marginal)) == (votes, marginal)
