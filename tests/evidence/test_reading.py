"""What the books keep of a sheet is enough to read it again, and nothing else passes for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ballot.interpret import ScannedSheet, interpret, interpret_pages
from edge.decision import Disposition, decide
from edge.definition.settings import SystemSettings
from edge.evidence.reading import SheetReading, pack_sheet, unpack_sheet
from edge.record import canonical_json
from hil.paper.scan import scan
from hil.paper.truth import random_marked_sheet
from tests.ballot.sheets import made_up

SETTINGS = SystemSettings()


@pytest.mark.parametrize("encoding", ["qr-code", "timing-marks"])
def test_a_packed_sheet_is_read_again_to_the_same_bytes(encoding: str) -> None:
    election = made_up(encoding=encoding)
    pair = scan(random_marked_sheet(election, 7), {"rotation": 5}, seed=7)
    read = interpret(ScannedSheet(pair.top.pixels, pair.bottom.pixels), election, SETTINGS)
    disposition = decide(read, election, SETTINGS)
    record = canonical_json(read, disposition)
    pages = tuple(page.stored() for page in sorted(read.pages, key=lambda page: page.scan))
    packed = pack_sheet(SheetReading(disposition, record, pages))
    kept, (first, second) = unpack_sheet(packed)
    again = interpret_pages((first, second), election, SETTINGS)
    assert kept == record
    assert canonical_json(again, decide(again, election, SETTINGS)) == record


def test_a_sheet_that_was_not_read_has_no_pages() -> None:
    packed = pack_sheet(SheetReading(Disposition("return"), b'{"kind":"refused"}', ()))
    assert unpack_sheet(packed) == (b'{"kind":"refused"}', ())


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  json's own error is a ValueError too
        unpack_sheet(raw)


@given(st.integers(0, 300), st.integers(0, 255))
def test_a_damaged_sheet_is_refused_or_says_something_else(place: int, value: int) -> None:
    packed = bytearray(pack_sheet(SheetReading(Disposition("return"), b'{"kind":"refused"}' * 3, ())))
    place %= len(packed)
    changed = packed[place] != value
    packed[place] = value
    try:
        record, pages = unpack_sheet(bytes(packed))
    except ValueError:
        assert changed
    else:
        assert pages == ()
        assert changed or record == b'{"kind":"refused"}' * 3
