"""A folder for tests that open evidence hundreds of times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence.keeping import in_memory


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """As `tmp_path`, in memory."""
    with in_memory() as folder:
        yield folder
