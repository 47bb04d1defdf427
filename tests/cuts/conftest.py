"""Cuts can only be recorded where Python's SQLite can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.cuts.error import RecordingError
from hil.cuts.sqlite_calls import sqlite_calls


@pytest.fixture(autouse=True)
def _reachable_sqlite() -> None:
    try:
        sqlite_calls()
    except RecordingError as error:
        pytest.skip(f"nothing can be recorded here: {error}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder to be recorded."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder
