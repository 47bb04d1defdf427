"""Media, keys and files that are not the ones that the device has worked with: each is refused for its own reason."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.definition.package import ElectionPackage
from edge.evidence.event_log import EventLog
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.store import StoreError
from edge.evidence.tlog.checkpoint import open_checkpoint
from tests.evidence.keeping import (
    LABEL,
    PACKAGE,
    SOFTWARE,
    SetClock,
    a_day,
    cast,
    code,
    everything,
    ids,
    logged,
    opened,
    plug,
    reading,
    refused,
    same_media,
    settings,
    store,
    texts,
    unplug,
)

OTHER_LABEL = "ffffffffffffffffffff"


def elsewhere(folder: Path, media: int = 1, **changes: object) -> EvidenceStore:
    """A store with other settings."""
    package = changes.pop("package", PACKAGE)
    assert isinstance(package, ElectionPackage)
    changed = replace(settings(folder, media), **changes)  # type: ignore[arg-type] # the caller's business
    return EvidenceStore(changed, package, software=SOFTWARE, clock=SetClock())


@pytest.mark.parametrize("media", [1, 2])
def test_media_that_were_emptied_are_no_new_ones(quick_path: Path, media: int) -> None:
    a_day(quick_path, media, "one")
    for name in ("one", "two")[:media]:
        shutil.rmtree(quick_path / name / LABEL)
    assert refused(quick_path, media) == "logMissing"


def test_a_log_that_was_deleted_is_not_begun_again_over_its_box(quick_path: Path) -> None:
    a_day(quick_path, 1, "one")
    (quick_path / "one" / LABEL / "log.sqlite").unlink()
    assert refused(quick_path) == "logMissing"


def test_a_deleted_log_is_made_again_from_the_other_medium(quick_path: Path) -> None:
    a_day(quick_path, 2, "one")
    with opened(quick_path, 2) as kept:
        cast_and_pause(kept, "two")
        # As after a cut: its write-ahead log is still there.
        ahead = (quick_path / "two" / LABEL / "log.sqlite-wal").read_bytes()
        assert ahead
    (quick_path / "two" / LABEL / "log.sqlite").unlink()
    (quick_path / "two" / LABEL / "log.sqlite-wal").write_bytes(ahead)
    with opened(quick_path, 2) as kept:
        assert texts(kept) == ["one", "two"]
        assert kept.opened().lost == []
        same_media(kept)
    with opened(quick_path, 2) as kept:
        same_media(kept)


def cast_and_pause(kept: EvidenceStore, *sheets: str) -> None:
    kept.open_polls()
    cast(kept, *sheets)
    kept.pause_polls()


def test_an_old_copy_of_the_only_medium_is_behind_what_was_signed(quick_path: Path) -> None:
    a_day(quick_path, 1, "one")
    shutil.copytree(quick_path / "one", quick_path / "copy")
    a_day(quick_path, 1, "two")
    shutil.rmtree(quick_path / "one")
    shutil.copytree(quick_path / "copy", quick_path / "one")
    assert refused(quick_path) == "logBehind"


def test_a_log_that_was_written_anew_is_no_continuation_of_what_was_signed(quick_path: Path) -> None:
    a_day(quick_path, 1, "one")
    with closing(sqlite3.connect(quick_path / "one" / LABEL / "log.sqlite")) as books, books:
        [entry] = books.execute("SELECT entry FROM entries WHERE sequence = 3").fetchone()
        other = entry.replace(b"2026", b"2025")
        leaf = hashlib.sha256(b"\x00" + other).digest()
        books.execute("UPDATE entries SET entry = ?, leaf = ? WHERE sequence = 3", (other, leaf))
    assert refused(quick_path) == "logBehind"


def test_an_old_copy_of_one_of_two_media_is_brought_up_to_date(quick_path: Path) -> None:
    a_day(quick_path, 2, "one")
    shutil.copytree(quick_path / "one", quick_path / "copy")
    a_day(quick_path, 2, "two")
    shutil.rmtree(quick_path / "one")
    shutil.copytree(quick_path / "copy", quick_path / "one")
    with opened(quick_path, 2) as kept:
        assert texts(kept) == ["one", "two"]
        assert logged(kept)[-1] == ("evidenceRecovered", {"medium": "first"})
        same_media(kept)


def test_an_old_copy_of_one_medium_alone_is_behind(quick_path: Path) -> None:
    a_day(quick_path, 2, "one")
    shutil.copytree(quick_path / "one", quick_path / "copy")
    a_day(quick_path, 2, "two")
    unplug(quick_path / "two")
    shutil.rmtree(quick_path / "one")
    shutil.copytree(quick_path / "copy", quick_path / "one")
    assert refused(quick_path, 2) == "logBehind"


def test_a_medium_that_was_left_behind_does_not_go_on_alone(quick_path: Path) -> None:
    a_day(quick_path, 2, "one")
    unplug(quick_path / "two")
    # Nothing is signed after the last sheet: only the list of the media tells.
    with opened(quick_path, 2) as kept:
        kept.open_polls()
        cast(kept, "two")
    plug(quick_path / "two")
    unplug(quick_path / "one")
    assert refused(quick_path, 2) == "mediumBehind"
    plug(quick_path / "one")
    with opened(quick_path, 2) as kept:
        assert texts(kept) == ["one", "two"]
        same_media(kept)


def test_a_copy_of_the_one_medium_is_not_the_other(quick_path: Path) -> None:
    """It would pass for up to date when the other one has failed and it was left behind."""
    a_day(quick_path, 1, "one")
    shutil.copytree(quick_path / "one", quick_path / "two")
    with opened(quick_path, 2) as kept:
        assert kept.read().alarms == ("mediumLost",)
        cast_and_pause(kept, "two")
    shutil.rmtree(quick_path / "two" / LABEL)
    with opened(quick_path, 2) as kept:
        assert kept.read().alarms == ()
        same_media(kept)
        numbers = [medium.number for medium in kept.opened().media]
        assert len(set(numbers)) == 2


def test_media_that_changed_places_are_the_same_media(quick_path: Path) -> None:
    a_day(quick_path, 2, "one")
    (quick_path / "one").rename(quick_path / "third")
    (quick_path / "two").rename(quick_path / "one")
    (quick_path / "third").rename(quick_path / "two")
    with opened(quick_path, 2) as kept:
        assert (texts(kept), kept.read().alarms) == (["one"], ())
        assert "evidenceRecovered" not in ids(kept)


def test_the_medium_of_another_device_is_refused(quick_path: Path) -> None:
    a_day(quick_path / "ours", 1, "one")
    a_day(quick_path / "theirs", 1, "two")
    shutil.rmtree(quick_path / "ours" / "one")
    (quick_path / "theirs" / "one").rename(quick_path / "ours" / "one")
    assert refused(quick_path / "ours") == "keyForeign"


@pytest.mark.parametrize("fresh", [False, True], ids=["before it has signed anything", "with an empty second medium"])
def test_a_new_device_does_not_begin_beside_the_medium_of_another(quick_path: Path, fresh: bool) -> None:
    a_day(quick_path / "theirs", 1, "two")
    (quick_path / "ours").mkdir()
    with opened(quick_path / "ours" / "scrap"):
        pass
    # A key of its own, and no log yet.
    (quick_path / "ours" / "keys").mkdir(mode=0o700)
    shutil.copy(quick_path / "ours" / "scrap" / "keys" / "device.key", quick_path / "ours" / "keys")
    shutil.rmtree(quick_path / "ours" / "scrap")
    (quick_path / "theirs" / "one").rename(quick_path / "ours" / "one")
    if fresh:
        (quick_path / "ours" / "two").mkdir()
    assert refused(quick_path / "ours", 2 if fresh else 1) == "keyForeign"


def test_the_second_medium_of_another_device_is_left_alone(quick_path: Path) -> None:
    a_day(quick_path / "ours", 2, "one")
    a_day(quick_path / "theirs", 2, "two")
    shutil.rmtree(quick_path / "ours" / "two")
    (quick_path / "theirs" / "two").rename(quick_path / "ours" / "two")
    before = everything(quick_path / "ours" / "two")
    with opened(quick_path / "ours", 2) as kept:
        assert kept.read().alarms == ("mediumLost",)
        cast_and_pause(kept, "three")
    assert everything(quick_path / "ours" / "two") == before


def test_the_ballot_box_of_another_log_is_refused(quick_path: Path) -> None:
    a_day(quick_path / "ours", 1, "one")
    a_day(quick_path / "theirs", 1, "two")
    shutil.copy(quick_path / "theirs" / "one" / LABEL / "box.slots", quick_path / "ours" / "one" / LABEL)
    assert refused(quick_path / "ours") == "storeForeign"


def test_every_election_has_a_log_of_its_own_and_the_next_one_names_the_last(quick_path: Path) -> None:
    a_day(quick_path, 1, "one")
    with opened(quick_path) as kept:
        former, verifier = kept.opened().media[0].log.checkpoints(), kept.opened().signer.verifier
    second = elsewhere(quick_path, label=OTHER_LABEL)
    assert second.read().count == 0
    [(name, fields)] = logged(second)
    second.close()
    assert name == "logOpened"
    assert fields["formerLog"].encode() == former[max(former)]
    assert open_checkpoint(fields["formerLog"].encode(), [verifier]).origin == f"scan.example.org/0001/{LABEL}"
    # Back at the first one, nothing has changed; and the third names the one that was kept last.
    with opened(quick_path) as kept:
        assert texts(kept) == ["one"]
        latest = kept.opened().media[0].log.checkpoints()
    third = elsewhere(quick_path, label="eeeeeeeeeeeeeeeeeeee")
    third.read()
    assert logged(third)[0][1]["formerLog"].encode() == latest[max(latest)]
    third.close()


def test_the_medium_of_another_election_is_an_empty_one_for_this(quick_path: Path) -> None:
    a_day(quick_path, 1, "one")
    other = elsewhere(quick_path, label=OTHER_LABEL)
    other.open_polls()
    assert other.opened().state.cast == 0
    other.close()
    with opened(quick_path) as kept:
        assert texts(kept) == ["one"]


@pytest.mark.parametrize(
    "package",
    [
        ElectionPackage(b"{ }"),
        ElectionPackage(b"{}", b"{}"),
        ElectionPackage(b"{}", None, "00112233445566778899"),
    ],
    ids=["definition", "settings", "ballot hash"],
)
@pytest.mark.parametrize("media", [1, 2])
def test_another_package_is_refused(quick_path: Path, package: ElectionPackage, media: int) -> None:
    a_day(quick_path, media, "one")
    assert refused(quick_path, media, lambda: elsewhere(quick_path, media, package=package)) == "packageChanged"


def test_another_package_is_refused_also_beside_an_empty_medium(quick_path: Path) -> None:
    a_day(quick_path, 1, "one")
    other = elsewhere(quick_path, 2, package=ElectionPackage(b"{ }"))
    assert refused(quick_path, 2, lambda: other) == "packageChanged"


def test_a_medium_that_cannot_even_be_looked_at_is_left_out(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(quick_path, 2, "one")
    exists = Path.exists

    def fail(path: Path) -> bool:
        if quick_path / "one" in path.parents:
            raise OSError(5, "Input/output error")
        return exists(path)

    monkeypatch.setattr(Path, "exists", fail)
    with opened(quick_path, 2) as kept:
        assert kept.opened().lost == ["first"]
        assert texts(kept) == ["one"]


def test_a_failure_at_the_first_words_leaves_nothing_half_open(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(quick_path, 1, "one")
    with opened(quick_path) as kept:
        kept.open_polls()
        kept.write_pending(reading("two"))

    def fail(*_: object) -> None:
        raise StoreError("storeUnavailable", "Input/output error")

    with monkeypatch.context() as patched:
        # The first word is that a sheet was found pending.
        patched.setattr(EventLog, "write", fail)
        kept = store(quick_path)
        assert code(kept.read) == "storeUnavailable"
        assert code(kept.opened) == "storeUnavailable"
    kept.read()
    assert ids(kept)[-1] == "sheetFoundPending"
    assert kept.commit().count == 2
    kept.close()
