"""Reading settings: exact ratios, defaults, and refusal of misspelt keys."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.errors import DefinitionError
from edge.definition.settings import AdjudicationReason, MarkThresholds, SystemSettings, load_settings


def refused(raw: bytes) -> str:
    with pytest.raises(DefinitionError) as caught:
        load_settings(raw)
    assert caught.value.code == "invalidSettings"
    return caught.value.detail


def test_an_empty_file_gives_the_defaults() -> None:
    settings = load_settings(b"{}")
    assert settings == SystemSettings()
    assert settings.mark_thresholds == MarkThresholds(definite=700, marginal=500, write_in_text_area=500)
    assert (settings.max_cumulative_streak_width, settings.retry_streak_width_threshold) == (5, 1)
    assert settings.minimum_scale == 9850
    assert settings.precinct_scan_adjudication_reasons == (
        AdjudicationReason.OVERVOTE,
        AdjudicationReason.MARGINAL_MARK,
        AdjudicationReason.BLANK_BALLOT,
        AdjudicationReason.UNMARKED_WRITE_IN,
    )
    assert settings.precinct_scan_enable_bmd_ballot_scanning
    assert settings.timing_mark_inference
    assert (settings.precinct_ids, settings.test_mode) == (None, None)


def test_every_setting_is_read() -> None:
    settings = load_settings(
        b"""{
        "markThresholds": {"definite": 0.12, "marginal": 0.1, "writeInTextArea": 0.0255},
        "precinctScanAdjudicationReasons": ["CrossoverVoting"],
        "centralScanAdjudicationReasons": ["Undervote", "Overvote"],
        "adminAdjudicationReasons": [],
        "disallowCastingOvervotes": true,
        "allowOfficialBallotsInTestMode": true,
        "disableVerticalStreakDetection": true,
        "maxCumulativeStreakWidth": 9,
        "retryStreakWidthThreshold": 2,
        "minimumDetectedBallotScaleOverride": 0,
        "precinctScanEnableBallotAuditIds": true,
        "precinctScanEnableBmdBallotScanning": false,
        "bitonalThreshold": 75,
        "precinctIds": ["p-1"],
        "testMode": false,
        "timingMarkInference": false}""",
    )
    assert settings == SystemSettings(
        mark_thresholds=MarkThresholds(definite=1200, marginal=1000, write_in_text_area=255),
        precinct_scan_adjudication_reasons=(AdjudicationReason.CROSSOVER_VOTING,),
        central_scan_adjudication_reasons=(AdjudicationReason.UNDERVOTE, AdjudicationReason.OVERVOTE),
        disallow_casting_overvotes=True,
        allow_official_ballots_in_test_mode=True,
        disable_vertical_streak_detection=True,
        max_cumulative_streak_width=9,
        retry_streak_width_threshold=2,
        minimum_scale=0,
        precinct_scan_enable_ballot_audit_ids=True,
        precinct_scan_enable_bmd_ballot_scanning=False,
        bitonal_threshold=75,
        precinct_ids=("p-1",),
        test_mode=False,
        timing_mark_inference=False,
    )


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b'{"markTreshold": {}}', "nearest known key is markThresholds"),
        (b'{"markThresholds": {"definitive": 0.1}}', "nearest known key is definite"),
        (b'{"mark_thresholds": {}}', "nearest known key is markThresholds"),
        (b'{"": 1}', "nearest known key"),
        (b'{"markThresholds": 0.07}', "not an object"),
        (b'{"markThresholds": {"definite": "0.07"}}', "not a number"),
        (b'{"markThresholds": {"definite": true}}', "not a number"),
        (b'{"markThresholds": {"definite": 0.07001}}', "more than four decimals"),
        (b'{"markThresholds": {"definite": 1.0001}}', "0..1"),
        (b'{"markThresholds": {"definite": 0.04}}', "marginal must not exceed definite"),
        (b'{"minimumDetectedBallotScaleOverride": -0.1}', "0..1"),
        (b'{"maxCumulativeStreakWidth": 5.0}', "integer"),
        (b'{"maxCumulativeStreakWidth": 0}', "maxCumulativeStreakWidth"),
        (b'{"retryStreakWidthThreshold": 5}', "must be below"),
        (b'{"precinctScanAdjudicationReasons": ["Overvoted"]}', "Overvoted"),
        (b'{"precinctScanAdjudicationReasons": ["Overvote", "Overvote"]}', "twice"),
        (b'{"precinctIds": ["a", "a"]}', "twice"),
        (b'{"precinctIds": "a"}', "precinctIds"),
        (b'{"testMode": "yes"}', "testMode"),
        (b'{"testMode": 1}', "testMode"),
        (b"[]", "not an object"),
        (b"", "not JSON"),
        (b'{"testMode": true, "testMode": false}', "given twice"),
    ],
)
def test_refusals(raw: bytes, detail: str) -> None:
    assert detail in refused(raw)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_ratios_are_exact(one: int, other: int) -> None:
    marginal, definite = sorted((one, other))
    raw = f'{{"markThresholds": {{"definite": {definite / 10_000:.4f}, "marginal": {marginal / 10_000:.4f}}}}}'
    thresholds = load_settings(raw.encode()).mark_thresholds
    assert (thresholds.definite, thresholds.marginal) == (definite, marginal)


@given(
    st.dictionaries(
        st.sampled_from([field.alias or "" for field in SystemSettings.model_fields.values()]),
        st.none()
        | st.booleans()
        | st.integers(-1, 20)
        | st.floats()
        | st.text(max_size=5)
        | st.lists(st.text(max_size=3), max_size=3),
    ),
)
def test_any_values_raise_only_definition_errors(values: dict[str, object]) -> None:
    try:
        load_settings(json.dumps(values).encode())
    except DefinitionError as error:
        assert error.code == "invalidSettings"  # noqa: PT017 - either outcome is right


@given(st.binary())
def test_any_bytes_raise_only_definition_errors(raw: bytes) -> None:
    with pytest.raises(DefinitionError):
        load_settings(raw)
