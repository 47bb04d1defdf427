"""Settings: defaults of the public notes, and nothing that a scanner could not be told."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from firmware_bridge.pagescan6.settings import ScannerSettings


def test_defaults() -> None:
    settings = ScannerSettings()
    assert (settings.vendor_id, settings.product_id, settings.length_tenths) == (0x0BD7, 0xA002, 105)
    assert ScannerSettings(paper_inches=22.8).length_tenths == 223
    assert ScannerSettings(paper_inches=14).length_tenths == 135
    with pytest.raises(FrozenInstanceError):
        settings.bits = 1  # type: ignore[misc]


def test_every_setting_is_explained() -> None:
    # Newer Pythons take the indentation away themselves.
    explained = inspect.cleandoc(ScannerSettings.__doc__ or "")
    assert [field.name for field in fields(ScannerSettings) if f"\n    {field.name}: " not in explained] == []


@pytest.mark.parametrize(
    "change",
    [
        {"paper_inches": 0.9},
        {"paper_inches": 22.9},
        {"front_sensors_needed": 0},
        {"front_sensors_needed": 6},
        {"feed_delay_ms": 8},
        {"feed_delay_ms": 3216},
        {"bitonal_threshold": 101},
        {"double_feed_overlap": 9},
        {"boot_register_none": 4},
        {"boot_register_mask": 0x5, "boot_register_none": 2},
        {"boot_register_shift": 32},
        {"write_seconds": 0},
        {"image_read_bytes": 1000},
        {"event_read_bytes": 0},
        {"image_limit_bytes": 1 << 31},
        {"bits": 4},
        {"sides": "left"},
        {"partial_row": "keep"},
    ],
)
def test_values_out_of_range(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(reversed(change))} "):
        ScannerSettings(**change)
