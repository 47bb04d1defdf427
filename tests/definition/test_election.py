"""Reading elections: both schemas, exact numbers, and refusal of everything else by one error."""

from __future__ import annotations

import hashlib
import json
import pickle
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.election import MAX_ELECTION_BYTES, load_election
from edge.definition.errors import DefinitionError
from edge.definition.exact_json import MAX_VALUES
from edge.definition.page_layout import BubblePosition, GridArea
from edge.definition.paper import PaperSize
from edge.definition.settings import MarkThresholds
from tests.definition import town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4))


def refused(raw: bytes) -> str:
    with pytest.raises(DefinitionError) as caught:
        load_election(raw)
    assert caught.value.code == "invalidElection"
    return caught.value.detail


def test_old_schema() -> None:
    raw = town.raw(town.old_document())
    election = load_election(raw)
    assert (election.title, election.date) == ("Mock Town Vote", "2026-11-03")
    assert election.ballot_hash == hashlib.sha256(raw).digest()[:10]
    assert election.paper_size is PaperSize.LETTER
    assert election.metadata_encoding == "qr-code"
    assert election.mark_thresholds is None
    assert [precinct.id for precinct in election.precincts] == ["p-0", "p-1", "p-2", "p-3", "p-4"]
    style = election.style("s0")
    assert (style.group_id, style.precinct_ids, style.languages) == ("g0", ("p-0", "p-1"), ("en",))
    assert (election.style("s1").group_id, election.style("s1").languages) == ("s1", ())
    layout = election.layout("s0")
    assert layout is not None
    assert election.has_layouts
    assert layout[0] == BubblePosition(
        sheet_number=1,
        side="front",
        column=Fraction(2),
        row=Fraction(37, 4),
        contest_id="dog",
        option_id="rex",
        write_in_index=None,
        write_in_area=None,
        bounds=GridArea(Fraction(1), Fraction(169, 20), Fraction(10), Fraction(8, 5)),
    )
    assert layout[3].option_id == "write-in-0"
    assert layout[3].write_in_index == 0
    assert layout[3].write_in_area == GridArea(Fraction(3), Fraction(121, 10), Fraction(7), Fraction(9, 10))
    assert [position.side for position in layout] == ["front"] * 4 + ["back"] * 2
    assert election.layout("s1") is None
    assert election.layout("nobody") is None


def test_both_schemas_give_the_same_layout() -> None:
    assert town.load(town.new_document()).layout("s0") == town.load(town.old_document()).layout("s0")


def test_file_without_layouts() -> None:
    election = town.load(town.machine_marked_document())
    assert not election.has_layouts
    assert (election.paper_size, election.metadata_encoding) == (None, None)


def test_contests() -> None:
    election = town.load(town.old_document())
    kinds = {contest.id: (contest.kind, contest.seats, contest.allow_write_ins) for contest in election.contests}
    assert kinds["board"] == ("candidate", 3, True)
    assert kinds["park"] == ("yesno", 1, False)
    assert kinds["slate"] == ("straight-party", 1, False)
    options = {contest.id: [option.id for option in contest.options] for contest in election.contests}
    assert options["park"] == ["park-y", "park-n"]
    assert options["b"] == ["b-y", "b-n"]
    assert options["c"] == ["c-option-yes", "c-option-no"]
    assert options["slate"] == ["fox", "hare"]
    assert options["colour"] == ["red", "green", "blue"]


@pytest.mark.parametrize(
    ("style_id", "contest_ids"),
    [("s0", ["dog", "park"]), ("s1", ["dog", "park", "board"]), ("s3", ["dog", "park", "clerk"]), ("s4", ["slate"])],
)
def test_contests_of_a_style(style_id: str, contest_ids: list[str]) -> None:
    election = town.load(town.old_document())
    assert [contest.id for contest in election.contests_of(election.style(style_id))] == contest_ids


def test_unknown_ids_are_refused_by_name() -> None:
    election = town.load(town.old_document())
    assert election.contest("dog").title == "Town Dog"
    with pytest.raises(DefinitionError, match=r"^unknownContest: "):
        election.contest("cat")
    with pytest.raises(DefinitionError, match=r"^unknownBallotStyle: "):
        election.style("card-number-9")


def test_election_and_error_pass_between_processes() -> None:
    election = town.load(town.old_document())
    # Our own bytes, made on the line itself.
    assert pickle.loads(pickle.dumps(election)) == election  # noqa: S301
    error = pickle.loads(pickle.dumps(DefinitionError("invalidIndex", "precinct 9 of 5")))  # noqa: S301
    assert (error.code, error.detail, str(error)) == ("invalidIndex", "precinct 9 of 5", "invalidIndex: precinct 9 of 5")


def test_thresholds_in_the_election() -> None:
    document = town.old_document() | {"markThresholds": {"definite": 0.07, "marginal": 0.05, "writeInTextArea": 0.0625}}
    assert town.load(document).mark_thresholds == MarkThresholds(definite=700, marginal=500, write_in_text_area=625)
    assert "definite" in refused(town.raw(document | {"markThresholds": {"definite": 0.07123}}))
    assert "marginal" in refused(town.raw(document | {"markThresholds": {"definite": 0.01}}))


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:  # noqa: ANN401
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return change


def _double(*path: str | int) -> Callable[[Any], None]:
    def change(document: Any) -> None:  # noqa: ANN401
        for step in path:
            document = document[step]
        document.append(document[0])

    return change


POSITION = ("gridLayouts", 0, "gridPositions", 0)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (_double("precincts"), "precinct id 'p-0' is given twice"),
        (_double("ballotStyles"), "ballot style id 's0' is given twice"),
        (_double("contests"), "contest id 'dog' is given twice"),
        (_double("contests", 0, "candidates"), "option id 'rex' is given twice"),
        (_double("gridLayouts"), "grid layout of ballot style id 's0' is given twice"),
        (_double("gridLayouts", 0, "gridPositions"), "same place"),
        (_set(*POSITION, "contestId", to="cat"), "unknown contest 'cat'"),
        (_set(*POSITION, "optionId", to="felix"), "'felix'"),
        (_set("gridLayouts", 0, "ballotStyleId", to="s9"), "unknown ballot style 's9'"),
        (_set("ballotStyles", 0, "precincts", to=["p-9"]), "unknown precinct 'p-9'"),
        (_set(*POSITION, "side", to="edge"), "side"),
        (_set(*POSITION, "sheetNumber", to=0), "sheetNumber"),
        (_set(*POSITION, "sheetNumber", to=16), "sheetNumber"),
        (_set(*POSITION, "column", to=1000.5), "outside -100..1000"),
        (_set(*POSITION, "row", to=-100.5), "outside -100..1000"),
        (_set(*POSITION, "row", to=1e-19), "more than 18 decimal places"),
        (_set(*POSITION, "row", to=True), "not a number"),
        (_set("gridLayouts", 0, "gridPositions", 3, "contestId", to="park"), "'write-in-0'"),
        (_set("gridLayouts", 0, "gridPositions", 3, "writeInArea", "width", to=0), "no extent"),
        (_set("gridLayouts", 0, "optionBoundsFromTargetMark", "left", to=-20), "no extent"),
        (_set("contests", 0, "candidates", 0, "id", to="write-in-0"), "taken for a write-in"),
        (_set("contests", 0, "seats", to=0), "seats"),
        (_set("contests", 0, "type", to="ranked"), "contests.0"),
        (_set("contests", 1, "noOption", to=None), "only one of"),
        (_set("contests", 1, "options", to=[{"id": "x", "label": "X"}, {"id": "y", "label": "Y"}]), "do not begin"),
        (_set("contests", 7, "optionIds", to=["owl"]), "unknown party 'owl'"),
        (_set("ballotLayout", "paperSize", to="a4"), "unknown paper size 'a4'"),
        (_set("ballotLayout", "metadataEncoding", to="stars"), "metadataEncoding"),
        (_set("precincts", to=[]), "precincts"),
        (_set("title", to=7), "title"),
    ],
)
def test_refusals(change: Callable[[Any], None], detail: str) -> None:
    document = town.old_document()
    change(document)
    assert detail in refused(town.raw(document))


def test_a_style_with_two_layouts_is_refused() -> None:
    document = town.new_document() | {"gridLayouts": town.old_document()["gridLayouts"]}
    assert "both" in refused(town.raw(document))


@pytest.mark.parametrize(
    ("number", "detail"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999999", "out of proportion"),
        ("1e-999999", "out of proportion"),
        ("1." + "0" * 60, "out of proportion"),
        ("9" * 5000, "digits"),
    ],
)
def test_absurd_numbers_are_refused_wherever_they_stand(number: str, detail: str) -> None:
    assert detail in refused(b'{"ignored": ' + number.encode() + b"}")


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": 1, "a": 2}', "given twice"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "nested"),
        (b" " * (MAX_ELECTION_BYTES + 1), "bytes"),
        (b"[" + b"0," * MAX_VALUES + b"0]", "values"),
    ],
    ids=["empty", "not-utf-8", "byte-order-mark", "doubled-key", "deep-lists", "deep-objects", "too-large", "too-many-values"],
)
def test_bytes_that_are_no_election(raw: bytes, detail: str) -> None:
    assert detail in refused(raw)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_raise_only_definition_errors(raw: bytes) -> None:
    with pytest.raises(DefinitionError):
        load_election(raw)


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for step, inner in steps for deeper in _paths(inner, (*path, step)))]


@given(st.data())
def test_mutated_elections_raise_only_definition_errors(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from([town.old_document(), town.new_document()]))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in _paths(document) if path]))
        _set(*path, to=data.draw(JSON))(document)
    try:
        election = town.load(document)
    except DefinitionError as error:
        assert error.code == "invalidElection"  # noqa: PT017 - either outcome is right
    else:
        assert len(election.ballot_styles) >= 1


@given(st.data())
def test_mutated_bytes_raise_only_definition_errors(data: st.DataObject) -> None:
    raw = bytearray(town.raw(town.new_document()))
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=3)):
        raw[place] = data.draw(st.integers(0, 255))
    try:
        load_election(bytes(raw))
    except DefinitionError as error:
        assert error.code == "invalidElection"  # noqa: PT017 - either outcome is right


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "style_id", "paper", "contests", "bubbles"),
    [
        ("nh-test-ballot", "card-number-3", PaperSize.LETTER, 14, 52),
        ("nh-hudson", "card-number-54", PaperSize.LEGAL, 13, 75),
        ("m17", "card-number-3", PaperSize.LETTER, 14, 52),
    ],
)
def test_real_elections(real_data: Path, folder: str, style_id: str, paper: PaperSize, contests: int, bubbles: int) -> None:
    election = load_election((real_data / "ballots" / folder / "election.json").read_bytes())
    layout = election.layout(style_id)
    assert layout is not None
    assert (election.paper_size, election.metadata_encoding) == (paper, "timing-marks")
    assert len(layout) == bubbles
    assert len(election.contests_of(election.style(style_id))) == len(election.contests) == contests
    assert {position.contest_id for position in layout} == {contest.id for contest in election.contests}


@pytest.mark.real
def test_real_machine_marked_election(real_data: Path) -> None:
    election = load_election((real_data / "ballots" / "summary-famous-names" / "election.json").read_bytes())
    assert not election.has_layouts
    assert (len(election.precincts), len(election.ballot_styles), len(election.contests)) == (4, 1, 8)
