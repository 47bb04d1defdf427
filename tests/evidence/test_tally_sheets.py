"""Tally sheets in the evidence: counted apart from ballots, and each of them named by the log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.decision import Disposition
from edge.definition.canonical_json import canonical_bytes
from edge.definition.errors import DefinitionError
from edge.definition.form import load_form, shipped_form
from edge.definition.package import ElectionPackage, sorted_forms
from edge.evidence.archive import SheetKind, kinds_of
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import BoxShape
from edge.evidence.reading import SheetReading
from edge.evidence.sheet_files import PAGES, greys_of, is_repeatable, pages_of, sheet_files
from edge.evidence.store import PendingStage, Polls
from edge.evidence.tally_sheets import accepted_event
from tests.evidence.keeping import SOFTWARE, SetClock, cast, code, logged, same_media, settings, texts

FORM = shipped_form("lumen-harbour")
PACKAGE = ElectionPackage(b"{}", forms=(FORM,))
SHAPE = BoxShape(cast=4, returned=1, slot_bytes=6 * 4096)


def record(table: str | None = "0007", form: str = "lumen-harbour") -> bytes:
    codes = [one.name for one in load_form(FORM).codes][:1]
    return canonical_bytes({"form": {"name": form}, "fields": {name: table for name in codes if table is not None}})


def tally_sheet(table: str | None = "0007", form: str = "lumen-harbour") -> SheetReading:
    grey = np.arange(60, dtype=np.uint8).reshape(6, 10)
    pair = (grey, grey[::-1])
    return SheetReading(Disposition("accept"), record(table, form), (), pair, read_in_grey=True, tally=True)


@contextmanager
def opened(folder: Path, media: int = 1, package: ElectionPackage = PACKAGE) -> Iterator[EvidenceStore]:
    kept = EvidenceStore(settings(folder, media, shape=SHAPE), package, software=SOFTWARE, clock=SetClock())
    try:
        kept.read()
        yield kept
    finally:
        kept.close()


def told(kept: EvidenceStore, name: str) -> list[dict[str, Any]]:
    return [fields for event, fields in logged(kept) if event == name]


def test_the_log_names_each_tally_sheet_and_counts_it_apart(quick_path: Path) -> None:
    with opened(quick_path, 2) as kept:
        kept.open_polls()
        cast(kept, "ballot")
        for table in ("0007", None):
            kept.write_pending(tally_sheet(table))
            kept.commit()
        books = kept.read()
        assert (books.count, books.tally_sheets, books.room) == (1, 2, 1)
        assert [fields["count"] for fields in told(kept, "sheetAccepted")] == [1]
        table = "0007" if load_form(FORM).codes else ""
        assert told(kept, "tallySheetAccepted") == [
            {
                "form": "lumen-harbour",
                "recordSha256": hashlib.sha256(record(text)).hexdigest(),
                "table": shown,
                "tallySheets": number,
            }
            for number, (text, shown) in enumerate((("0007", table), (None, "")), 1)
        ]
        assert texts(kept, SheetKind.TALLY) == sorted(record(text).decode() for text in ("0007", None))
        assert texts(kept) == ["ballot"]
        same_media(kept)
    with opened(quick_path, 2) as kept:
        assert kept.read().tally_sheets == 2


def test_a_tally_sheet_that_a_cut_left_pending_is_counted_as_one(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        kept.open_polls()
        kept.write_pending(tally_sheet())
    with opened(quick_path) as kept:
        assert kept.read().pending is PendingStage.ACCEPTING
        books = kept.commit()
        assert (books.count, books.tally_sheets, books.pending) == (0, 1, None)
        assert [fields["tallySheets"] for fields in told(kept, "tallySheetAccepted")] == [1]


def test_a_tally_sheet_that_did_not_go_in_is_forgotten(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        kept.open_polls()
        kept.write_pending(tally_sheet())
        books = kept.erase()
        assert (books.tally_sheets, books.room) == (0, 4)
        assert told(kept, "tallySheetAccepted") == []
        assert texts(kept, SheetKind.TALLY) == []


def test_ballots_and_tally_sheets_share_the_box(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        kept.open_polls()
        cast(kept, "one", "two")
        for _ in range(2):
            kept.write_pending(tally_sheet())
            kept.commit()
        assert kept.read().room == 0
        assert code(lambda: kept.write_pending(tally_sheet())) == "storeFull"


def test_a_record_that_could_not_be_told_is_refused_before_anything_moves(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        kept.open_polls()
        with pytest.raises(ValueError, match="not the record of a tally sheet"):
            kept.write_pending(tally_sheet(form="another"))
        assert kept.read().pending is None


def test_the_close_commits_to_the_set_of_tally_sheets(quick_path: Path) -> None:
    roots = {SheetKind.CAST: bytes(32), SheetKind.RETURNED: bytes(32), SheetKind.TALLY: b"\1" * 32}
    with opened(quick_path) as kept:
        kept.open_polls()
        before = kept.opened().state
        kept.write_pending(tally_sheet())
        kept.commit()
        kept.pause_polls()
        assert code(lambda: kept.close_polls(before, roots, {})) == "storeBehind"
        kept.close_polls(kept.opened().state, roots, {})
        assert [name for name, _ in logged(kept)][-2:] == ["tallySetClosed", "pollsClosed"]
        assert told(kept, "tallySetClosed") == [{"tallyRoot": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "tallySheets": 1}]
        assert told(kept, "pollsClosed")[0]["count"] == 0
        assert kept.read().polls is Polls.CLOSED


@pytest.mark.parametrize(
    "other", [ElectionPackage(b"{}"), ElectionPackage(b"{}", forms=(FORM + b"\n",)), ElectionPackage(None, forms=(FORM,))]
)
def test_evidence_goes_on_with_the_forms_that_it_was_begun_with(quick_path: Path, other: ElectionPackage) -> None:
    with opened(quick_path):
        pass
    stranger = EvidenceStore(settings(quick_path, shape=SHAPE), other, software=SOFTWARE, clock=SetClock())
    assert code(stranger.read) == "packageChanged"


def test_a_package_has_its_old_hash_unless_it_has_forms() -> None:
    plain = hashlib.sha256(
        canonical_bytes({"ballotHash": None, "election": hashlib.sha256(b"{}").hexdigest(), "settings": None})
    ).digest()
    assert ElectionPackage(b"{}").sha256() == plain
    hashes = {package.sha256() for package in (PACKAGE, ElectionPackage(b"{}"), ElectionPackage(None, forms=(FORM,)))}
    assert len(hashes) == 3


def test_forms_stand_in_the_order_of_their_names_and_once() -> None:
    other = shipped_form("bo-2019-a1")
    assert sorted_forms([FORM, other]) == sorted_forms([other, FORM]) == (other, FORM)
    with pytest.raises(DefinitionError, match="is there twice"):
        sorted_forms([FORM, FORM.replace(b'name = "lumen-harbour"', b'name = "Lumen-harbour"')])
    with pytest.raises(DefinitionError, match="order of their names"):
        ElectionPackage(None, forms=(FORM, other)).loaded_forms()


def test_a_package_without_an_election_is_named_by_its_hash() -> None:
    package = ElectionPackage(None, forms=(FORM,))
    assert package.identity() == package.sha256().hex()[:20]
    assert package.title() == load_form(FORM).title
    assert (package.election_if_any(), package.is_test()) == (None, False)
    assert kinds_of(package) == tuple(SheetKind)
    assert kinds_of(ElectionPackage(b"{}")) == (SheetKind.CAST, SheetKind.RETURNED)
    with pytest.raises(DefinitionError, match="noElection"):
        package.definition()


def test_the_files_of_a_tally_sheet_hold_its_grey_images_and_nothing_else() -> None:
    files = sheet_files(tally_sheet())
    assert sorted(files) == [PAGES, "record.json", "scan-a-grey.png", "scan-b-grey.png"]
    greys = greys_of(files)
    assert greys is not None
    assert all(np.array_equal(one, other) for one, other in zip(greys, tally_sheet().grey, strict=True))
    assert (pages_of(files), is_repeatable(files)) == ((), True)


@pytest.mark.parametrize(
    "described",
    [
        {"grey": [], "pages": [], "repeatable": True},
        {"grey": [[6, 10]], "pages": [], "repeatable": True},
        {"grey": [[6, 10], [10, 6]], "pages": [], "repeatable": True},
        {"grey": [[6, 10], [6, 10]], "pages": [{}], "repeatable": True},
        {"grey": [[6, 10], [6, -1]], "pages": [], "repeatable": True},
        {"grey": 7, "pages": [], "repeatable": True},
    ],
)
def test_files_that_do_not_fit_their_description_are_refused(described: dict[str, Any]) -> None:
    files = sheet_files(tally_sheet()) | {PAGES: json.dumps(described).encode()}
    with pytest.raises(ValueError, match=r"expected|not the files|zip|no pages"):
        greys_of(files)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"form":{}}', b'{"fields":{},"form":{"name":"lumen"}}', b"[" * 100_000])
def test_a_record_that_is_none_has_no_event(raw: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        accepted_event(raw, (load_form(FORM),), 1)
