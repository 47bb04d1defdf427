"""The published schemas; where their folder is missing, the tests that need them are skipped and say so."""

from __future__ import annotations

import pytest

from tests.cdf.schemas import FOLDER, Schemas, Sound


@pytest.fixture(scope="session")
def sound() -> Sound:
    """Asserts that a document is valid in its format and that its references resolve."""
    if not FOLDER.is_dir():
        pytest.skip(f"no schemas: {FOLDER} is missing (SCRUTINEER_SCHEMAS names another folder)")
    return Schemas()
