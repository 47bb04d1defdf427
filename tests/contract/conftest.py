"""Every test of the contract is run over every leg."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from hil.scanner.knobs import Behaviour, Timings
from tests.contract.legs import LEGS, require
from tests.contract.table import FLAT, TIMINGS, Table, table

SetTable = Callable[..., Table]


@pytest.fixture(params=LEGS)
def leg(request: pytest.FixtureRequest) -> str:
    """How the driver reaches the scanner."""
    name = str(request.param)
    require(name)
    return name


@pytest.fixture
def set_table(leg: str) -> Iterator[SetTable]:
    """Puts a scanner on the table, with a behaviour and timings of its own."""
    with ExitStack() as holding:

        def put(behaviour: Behaviour = FLAT, timings: Timings = TIMINGS) -> Table:
            return holding.enter_context(table(leg, behaviour, timings))

        yield put


@pytest.fixture
def bench(set_table: SetTable) -> Table:
    """A perfect scanner."""
    return set_table()
