"""System settings: how strictly ballots are read, in the names that VxSuite publishes plus three of our own.

Ratios are held as integers in parts per 10,000, so that every comparison with a score is exact; the file gives them as decimals
(0.07). Unknown keys are refused: a misspelt threshold must not silently leave the default in force.
"""

from __future__ import annotations

import difflib
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from edge.definition.errors import DefinitionError
from edge.definition.exact_json import read_exact_json

PARTS = 10_000
"""Ratios are integers in parts per this."""
MAX_SETTINGS_BYTES = 1 << 20
MAX_STREAK_WIDTH = 10_000
"""Pixels; wider than any page, so it stands for "never"."""

_SCALE_KEY = "minimumDetectedBallotScaleOverride"
_THRESHOLDS_KEY = "markThresholds"


class AdjudicationReason(StrEnum):
    """Why a readable sheet is shown to a person."""

    OVERVOTE = "Overvote"
    UNDERVOTE = "Undervote"
    MARGINAL_MARK = "MarginalMark"
    BLANK_BALLOT = "BlankBallot"
    UNMARKED_WRITE_IN = "UnmarkedWriteIn"
    CROSSOVER_VOTING = "CrossoverVoting"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class MarkThresholds(_Model):
    """Share of black from which a mark counts, in parts per 10,000; a score equal to a threshold reaches it.

    Defaults are VxSuite's (0.07, 0.05, 0.05).
    """

    definite: int = Field(default=700, ge=0, le=PARTS)
    marginal: int = Field(default=500, ge=0, le=PARTS)
    write_in_text_area: int = Field(default=500, ge=0, le=PARTS)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.marginal > self.definite:
            raise ValueError("marginal must not exceed definite")
        return self


class SystemSettings(_Model):
    """What interpretation and decision are told about the polling place; built directly with ratios in parts per 10,000.

    Attributes:
        mark_thresholds: see `MarkThresholds`.
        precinct_scan_adjudication_reasons: reasons that make this station hold a sheet.
        central_scan_adjudication_reasons: accepted for a shared settings file, used by central scanners only.
        admin_adjudication_reasons: the same for the administrator's station.
        disallow_casting_overvotes: an overvoted ballot can only be returned.
        allow_official_ballots_in_test_mode: treat every ballot as a test ballot before the mode check.
        disable_vertical_streak_detection: read through streaks.
        max_cumulative_streak_width: pixels of streak on one side above which the sheet is refused, 1 or more.
        retry_streak_width_threshold: the same when timing marks are missing as well; below the former.
        minimum_scale: smallest printed scale in parts per 10,000, 0 = not checked (`minimumDetectedBallotScaleOverride`).
        precinct_scan_enable_ballot_audit_ids: record audit ids found on ballots.
        precinct_scan_enable_bmd_ballot_scanning: read machine-marked ballots.
        bitonal_threshold: for scanners that binarise themselves, percent; None = the scanner's own.
        precinct_ids: precincts whose ballots belong here; None = all.
        test_mode: True takes test ballots only, False official ones only, None either.
        timing_mark_inference: place missing timing marks within published limits; False infers nothing.
    """

    mark_thresholds: MarkThresholds = MarkThresholds()
    precinct_scan_adjudication_reasons: tuple[AdjudicationReason, ...] = (
        AdjudicationReason.OVERVOTE,
        AdjudicationReason.MARGINAL_MARK,
        AdjudicationReason.BLANK_BALLOT,
        AdjudicationReason.UNMARKED_WRITE_IN,
    )
    central_scan_adjudication_reasons: tuple[AdjudicationReason, ...] = ()
    admin_adjudication_reasons: tuple[AdjudicationReason, ...] = ()
    disallow_casting_overvotes: bool = False
    allow_official_ballots_in_test_mode: bool = False
    disable_vertical_streak_detection: bool = False
    max_cumulative_streak_width: int = Field(default=5, ge=1, le=MAX_STREAK_WIDTH)
    retry_streak_width_threshold: int = Field(default=1, ge=1, le=MAX_STREAK_WIDTH)
    minimum_scale: int = Field(default=9850, ge=0, le=PARTS, alias=_SCALE_KEY)
    precinct_scan_enable_ballot_audit_ids: bool = False
    precinct_scan_enable_bmd_ballot_scanning: bool = True
    bitonal_threshold: int | None = Field(default=None, ge=0, le=100)
    precinct_ids: tuple[str, ...] | None = Field(default=None, max_length=4096)
    test_mode: bool | None = None
    timing_mark_inference: bool = True

    @field_validator(
        "precinct_scan_adjudication_reasons",
        "central_scan_adjudication_reasons",
        "admin_adjudication_reasons",
        mode="before",
    )
    @classmethod
    def _reasons(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return tuple(AdjudicationReason(item) for item in value)

    @field_validator("precinct_ids", mode="before")
    @classmethod
    def _precincts(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator(
        "precinct_scan_adjudication_reasons",
        "central_scan_adjudication_reasons",
        "admin_adjudication_reasons",
        "precinct_ids",
    )
    @classmethod
    def _distinct(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError("an entry is listed twice")
        return value

    @model_validator(mode="after")
    def _retry_below_maximum(self) -> Self:
        if self.retry_streak_width_threshold >= self.max_cumulative_streak_width:
            raise ValueError("retryStreakWidthThreshold must be below maxCumulativeStreakWidth")
        return self


def load_settings(raw: bytes) -> SystemSettings:
    """Read a settings file.

    Args:
        raw: UTF-8 JSON, at most 1 MiB, ratios as decimals in 0..1 with at most four places.

    Raises:
        DefinitionError: `invalidSettings`; for an unknown key the detail names the nearest known one.
    """
    try:
        document = read_exact_json(raw, MAX_SETTINGS_BYTES)
        if not isinstance(document, dict):
            raise ValueError("the file is not an object")  # noqa: TRY301, TRY004 - one way out for everything that is wrong with the file
        _refuse_unknown_keys(document, SystemSettings, "")
        values = dict(document)
        if _SCALE_KEY in values:
            values[_SCALE_KEY] = parts_per_10000(values[_SCALE_KEY], _SCALE_KEY)
        if _THRESHOLDS_KEY in values:
            values[_THRESHOLDS_KEY] = mark_thresholds_from_json(values[_THRESHOLDS_KEY])
        return SystemSettings.model_validate(values, by_alias=True, by_name=False)
    except ValidationError as error:
        raise DefinitionError("invalidSettings", first_problem(error)) from error
    except ValueError as error:
        raise DefinitionError("invalidSettings", str(error)) from error


def mark_thresholds_from_json(value: object) -> MarkThresholds:
    """Read a `markThresholds` object as it stands in settings and, in some elections, in the election itself.

    Args:
        value: the parsed object with decimals as `Fraction`.

    Raises:
        ValueError: if it is not such an object, has an unknown key, or a ratio is out of 0..1 or finer than 1/10,000.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{_THRESHOLDS_KEY} is not an object")  # noqa: TRY004 - a wrong value in a file, not a programming error
    _refuse_unknown_keys(value, MarkThresholds, f"{_THRESHOLDS_KEY}.")
    parts = {key: parts_per_10000(ratio, f"{_THRESHOLDS_KEY}.{key}") for key, ratio in value.items()}
    return MarkThresholds.model_validate(parts, by_alias=True, by_name=False)


def parts_per_10000(value: object, name: str) -> int:
    """Convert an exact ratio in 0..1 to parts per 10,000.

    Raises:
        ValueError: if `value` is no number, out of range, or has more than four decimals.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        raise ValueError(f"{name} is not a number")  # noqa: TRY004 - a wrong value in a file, not a programming error
    parts = Fraction(value) * PARTS
    if not 0 <= parts <= PARTS:
        raise ValueError(f"{name} must lie in 0..1")
    if parts.denominator != 1:
        raise ValueError(f"{name} has more than four decimals")
    return int(parts)


def first_problem(error: ValidationError) -> str:
    """Give the first complaint of a validation as `place: reason`, without quoting the input."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]


def _refuse_unknown_keys(document: dict[str, Any], model: type[BaseModel], path: str) -> None:
    known = [field.alias for field in model.model_fields.values() if field.alias is not None]
    for key in document:
        if key not in known:
            nearest = difflib.get_close_matches(key[:80], known, n=1, cutoff=0.0)[0]
            raise ValueError(f"unknown key {path + key[:80]!a}; the nearest known key is {nearest}")
