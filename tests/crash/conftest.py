"""Cuts can only be recorded where Python's SQLite can be reached."""

from __future__ import annotations

import pytest

from hil.cuts.error import RecordingError
from hil.cuts.sqlite_calls import sqlite_calls


@pytest.fixture(autouse=True)
def _reachable_sqlite() -> None:
    try:
        sqlite_calls()
    except RecordingError as error:
        pytest.skip(f"nothing can be recorded here: {error}")
