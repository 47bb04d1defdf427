"""Recording what a program does to some folders: everything is wrapped for as long as a `with` lasts, and compared at its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.cuts.error import RecordingError
from hil.cuts.live_tree import LiveTree
from hil.cuts.medium import Medium
from hil.cuts.os_calls import OsCalls
from hil.cuts.recording import Recording
from hil.cuts.sqlite_calls import sqlite_calls

_ONE = threading.Lock()


@contextmanager
def record(*roots: Path) -> Iterator[Recording]:
    """Record what this process does in these folders, until the end of the `with`. What is in them at first counts as durable.

    Databases that are open at the beginning are not seen; those that are open at the end go on, unrecorded.

    Args:
        roots: Folders that exist; none lies in another.

    Raises:
        RecordingError: sqliteUnreachable, alreadyRecording, rootUnusable; notRecorded from a call that cannot be recorded; at the
            end, when the recording is not what happened, callFailed and replayDiffers.
    """
    calls = sqlite_calls()
    if not _ONE.acquire(blocking=False):
        raise RecordingError("alreadyRecording", "there is one recording at a time in a process")
    try:
        tree = LiveTree(roots)
        with calls.installed(tree), OsCalls(tree).installed():
            yield tree.recording
        if tree.refusals:
            raise RecordingError("notRecorded", "; ".join(tree.refusals))
        _compare(tree)
    finally:
        _ONE.release()


def _compare(tree: LiveTree) -> None:
    """Replay the whole recording and look for a difference to what is there, byte for byte."""
    medium = Medium(tree.recording)
    for recorded in tree.recording.operations:
        medium.apply(recorded.operation)
    image = medium.now()
    wrong = tree.strangers()
    if not wrong:
        for place, held in zip(image.places, image.contents, strict=True):
            path = tree.real_path(place.root, place.path)
            if held is not None and path.read_bytes() != bytes(held):
                wrong.append(f"the contents of {path} were changed in a way that is not recorded")
            if path.lstat().st_mode & 0o7777 != place.mode:
                wrong.append(f"the mode of {path} was changed in a way that is not recorded")
    if wrong:
        raise RecordingError("replayDiffers", "; ".join(wrong))
