"""What every test may use: the folder of real scans, and how hypothesis behaves here and in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Time says nothing on a shared machine or under QEMU, so neither profile has a deadline.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI must give the same answer for the same commit: fixed examples, and a failure it prints can be replayed.
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `real` every test that asks for real data, so that `-m real` and `-m 'not real'` choose by use."""
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans; where there is none the test is skipped and says which folder is missing."""
    folder = Path(os.environ.get("SCRUTINEER_REAL_DATA") or ROOT.parent / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip(f"no real scans: {folder} is missing (SCRUTINEER_REAL_DATA names another folder)")
    return folder
