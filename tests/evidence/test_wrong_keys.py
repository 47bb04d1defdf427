"""Without its own keys the evidence stays closed; every reason has its code, and nothing is made in their place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.evidence.archive import SheetKind
from edge.evidence.event_log import LogState
from edge.evidence.events import LogEvent
from edge.evidence.keys.day_key import discard_day_key
from edge.evidence.opening import day_key_label
from edge.evidence.store import Polls
from tests.evidence.keeping import LABEL, a_day, cast, code, ids, opened, reading, refused, store, texts


def keys_of(folder: Path) -> Path:
    return folder / "keys"


def without_key(folder: Path) -> None:
    (keys_of(folder) / "device.key").unlink()


def without_folder(folder: Path) -> None:
    shutil.rmtree(keys_of(folder))


def open_to_others(folder: Path) -> None:
    (keys_of(folder) / "device.key").chmod(0o640)


def folder_open_to_others(folder: Path) -> None:
    keys_of(folder).chmod(0o750)


def a_link(folder: Path) -> None:
    (keys_of(folder) / "device.key").rename(folder / "elsewhere.key")
    (keys_of(folder) / "device.key").symlink_to(folder / "elsewhere.key")


def damaged(folder: Path) -> None:
    (keys_of(folder) / "device.key").write_bytes(b"no key\n")


def another(folder: Path) -> None:
    with opened(folder / "other"):
        pass
    shutil.copy(folder / "other" / "keys" / "device.key", keys_of(folder))
    shutil.rmtree(folder / "other")


def day_key(folder: Path) -> Path:
    return keys_of(folder) / f"day-{day_key_label(LABEL)}.key"


def without_day_key(folder: Path) -> None:
    day_key(folder).unlink()


def damaged_day_key(folder: Path) -> None:
    day_key(folder).write_bytes(bytes(64))


def day_key_open_to_others(folder: Path) -> None:
    day_key(folder).chmod(0o604)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without_key, "keyMissing"),
        (without_folder, "keyMissing"),
        (open_to_others, "keyTooOpen"),
        (folder_open_to_others, "keyTooOpen"),
        (a_link, "keyForeign"),
        (damaged, "keyMalformed"),
        (another, "keyForeign"),
        (without_day_key, "keyMissing"),
        (damaged_day_key, "keyMalformed"),
        (day_key_open_to_others, "keyTooOpen"),
    ],
)
@pytest.mark.parametrize("media", [1, 2])
def test_without_its_own_keys_the_evidence_stays_closed(
    quick_path: Path, media: int, spoil: Callable[[Path], None], reason: str
) -> None:
    a_day(quick_path, media, "one")
    spoil(quick_path)
    if spoil is without_folder:
        # The folder is made again, and stays empty.
        assert code(store(quick_path, media).read) == reason
        assert [path.name for path in keys_of(quick_path).iterdir()] == ["lock"]
    else:
        assert refused(quick_path, media) == reason


def test_a_key_that_goes_while_the_evidence_is_open_is_told_and_nothing_is_made_in_its_place(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        kept.open_polls()
        cast(kept, "one")
        os.rename(keys_of(quick_path), quick_path / "away")  # noqa: PTH104  as a person would
        assert code(kept.pause_polls) == "keyMissing"
        (quick_path / "away").rename(keys_of(quick_path))
        assert kept.pause_polls().polls is Polls.PAUSED
        assert texts(kept) == ["one"]


def test_the_list_of_media_beside_the_key_is_not_guessed(quick_path: Path) -> None:
    a_day(quick_path, 1, "one")
    [noted] = keys_of(quick_path).glob("media-*")
    for content in (b"{", b"7"):
        noted.write_bytes(content)
        assert code(store(quick_path).read) == "storeCorrupt"
    noted.write_bytes(json.dumps(["00"]).encode())
    assert code(store(quick_path).read) == "mediumBehind"


def test_an_anchor_of_another_key_is_refused(quick_path: Path) -> None:
    a_day(quick_path / "ours", 1, "one")
    a_day(quick_path / "theirs", 1, "two")
    [ours], [theirs] = (keys_of(quick_path / name).glob("anchor-*") for name in ("ours", "theirs"))
    ours.write_bytes(theirs.read_bytes())
    assert refused(quick_path / "ours") == "keyForeign"


ROOTS = {SheetKind.CAST: bytes(32), SheetKind.RETURNED: bytes(32)}


def test_after_the_close_the_log_is_read_without_the_key_of_the_box(quick_path: Path) -> None:
    with opened(quick_path, 2) as kept:
        kept.open_polls()
        cast(kept, "one")
        kept.pause_polls()
        kept.close_polls(LogState(cast=1), ROOTS, {})
        discard_day_key(kept.opened().keys, day_key_label(LABEL))
    with opened(quick_path, 2) as kept:
        books = kept.read()
        assert (books.count, books.room, books.polls, books.alarms) == (1, 0, Polls.CLOSED, ())
        assert code(kept.open_polls) == "pollsClosed"
        kept.note([LogEvent("dayKeyDiscarded")])
        kept.keep_returned(reading("late", "return"))
        kept.tend()
        assert code(lambda: texts(kept)) == "pollsClosed"
        assert ids(kept)[-3:] == ["pollsClosed", "dayKeyDiscarded", "sheetReturned"]
