"""From an interpretation to what happens to the sheet: accept, return with a reason, or hold for a person. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from edge.definition.settings import AdjudicationReason

if TYPE_CHECKING:
    from edge.ballot.result import Interpretation
    from edge.definition.election import Election
    from edge.definition.settings import SystemSettings

DispositionKind = Literal["accept", "return", "hold"]


class ReturnCode(StrEnum):
    """Reasons to return that are found here, after the sheet was read; the others are the interpreter's."""

    INVALID_TEST_MODE = "invalidTestMode"
    INVALID_PRECINCT = "invalidPrecinct"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a sheet is returned or held: a code, and what it is about."""

    code: str
    contest_id: str | None = None
    option_ids: tuple[str, ...] = ()
    scan: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Disposition:
    """What to do with the sheet. `castable`: whether a person may cast a held sheet as it is."""

    kind: DispositionKind
    reasons: tuple[Reason, ...] = ()
    castable: bool = True


def decide(interpretation: Interpretation, election: Election, settings: SystemSettings) -> Disposition:
    """Decide over a sheet in VxSuite's order: what cannot be read or is not ours goes back, what a person must see is held."""
    refusal = interpretation.refusal
    if refusal is not None:
        return Disposition("return", (Reason(refusal.code, scan=refusal.scan, detail=refusal.detail),), castable=False)
    foreign = _not_ours(interpretation, settings)
    if foreign is not None:
        return Disposition("return", (foreign,), castable=False)
    reasons = (*_doubts(interpretation), *_adjudication(interpretation, election, settings))
    if not reasons:
        return Disposition("accept")
    overvoted = any(reason.code == AdjudicationReason.OVERVOTE for reason in reasons)
    return Disposition("hold", reasons, castable=not (overvoted and settings.disallow_casting_overvotes))


def _not_ours(interpretation: Interpretation, settings: SystemSettings) -> Reason | None:
    """A ballot of the wrong mode or precinct. Encodings that do not carry a field cannot be wrong in it."""
    metadata = interpretation.metadata
    if metadata is None:
        return None
    test_mode = metadata.test_mode
    if settings.test_mode and settings.allow_official_ballots_in_test_mode:
        test_mode = True
    if settings.test_mode is not None and test_mode is not None and test_mode != settings.test_mode:
        return Reason(ReturnCode.INVALID_TEST_MODE, detail="a test ballot" if test_mode else "an official ballot")
    if (
        settings.precinct_ids is not None
        and metadata.precinct_id is not None
        and metadata.precinct_id not in settings.precinct_ids
    ):
        return Reason(ReturnCode.INVALID_PRECINCT, detail=f"a ballot of precinct {metadata.precinct_id}")
    return None


def _doubts(interpretation: Interpretation) -> list[Reason]:
    """Bubbles and areas that could not be judged; these hold the sheet whatever the settings say."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for doubt, contest, option in interpretation.doubts:
        grouped.setdefault((doubt.value, contest), []).append(option)
    return [Reason(code, contest, tuple(options)) for (code, contest), options in grouped.items()]


def _adjudication(interpretation: Interpretation, election: Election, settings: SystemSettings) -> list[Reason]:
    """The enabled adjudication reasons. A machine-marked ballot can only be blank or undervoted."""
    found: list[Reason] = []
    by_hand = interpretation.kind == "handMarked"
    for contest_id in interpretation.contests:
        contest = election.contest(contest_id)
        marked = interpretation.votes.get(contest_id, ())
        written = interpretation.unmarked_write_ins.get(contest_id, ())
        marginal = interpretation.marginal.get(contest_id, ())
        if by_hand and len(marked) + len(written) > contest.seats:
            found.append(Reason(AdjudicationReason.OVERVOTE, contest_id, tuple(sorted((*marked, *written)))))
        if len(marked) < contest.seats:
            found.append(Reason(AdjudicationReason.UNDERVOTE, contest_id, marked))
        if marginal:
            found.append(Reason(AdjudicationReason.MARGINAL_MARK, contest_id, marginal))
        if written:
            found.append(Reason(AdjudicationReason.UNMARKED_WRITE_IN, contest_id, written))
    if interpretation.contests and not interpretation.votes:
        found.append(Reason(AdjudicationReason.BLANK_BALLOT))
    enabled = [reason for reason in found if reason.code in settings.precinct_scan_adjudication_reasons]
    parties = {election.contest(contest_id).party_id for contest_id in interpretation.votes} - {None}
    if len(parties) > 1:
        # In an open primary a voter may vote in the contests of one party only; nobody may switch this off.
        enabled.append(Reason(AdjudicationReason.CROSSOVER_VOTING, detail="votes in the contests of more than one party"))
    return enabled
