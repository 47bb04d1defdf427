"""Images put on disk one after the other: what is there already is left, whatever differs is changed.

A check may do with the folders what it likes, and usually does: to open a database is to repair it. A file that was touched is
known by its time of modification: after each of our own changes that is set to a fixed moment long ago, and any write of somebody
else moves it.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hil.cuts.contents import Contents
from hil.cuts.image import Image, Place

_LONG_AGO_NS = 1_000_000_000 * 1_000_000_000
_ALL_MINE = 0o700


@dataclass(frozen=True, slots=True)
class _Left:
    """A file as we have left it: what it holds, and which one it is."""

    contents: Contents
    inode: int


class Materialiser:
    """Keeps one set of folders.

    Args:
        targets: For each recorded folder the one in which its images are put. What is in it and not in an image is deleted.
    """

    def __init__(self, targets: Mapping[Path, Path]) -> None:
        self._targets = dict(targets)
        self._left: dict[Path, _Left] = {}

    def put(self, image: Image) -> None:
        """Make the folders hold this image and nothing else.

        Raises:
            ValueError: there is no target for a recorded folder.
            OSError: they cannot be written.
        """
        missing = [str(root) for root in image.roots if root not in self._targets]
        if missing:
            raise ValueError(f"no target for {', '.join(missing)}")
        roots = [self._targets[root] for root in image.roots]
        wanted = {_path(roots, place): (place, held) for place, held in zip(image.places, image.contents, strict=True)}
        for root in roots:
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(_ALL_MINE)
            self._clear(root, wanted)
        names: dict[int, Path] = {}
        for path, (place, held) in wanted.items():
            if held is None:
                path.mkdir(exist_ok=True)
            elif place.what in names:
                path.unlink(missing_ok=True)
                path.hardlink_to(names[place.what])
                self._left.pop(path, None)
            else:
                self._put_file(path, held, place.mode)
                names[place.what] = path
        # From the inside out: a folder may forbid what is still to be done in it.
        for path, (place, held) in reversed(wanted.items()):
            if held is None:
                path.chmod(place.mode)

    def _clear(self, folder: Path, wanted: Mapping[Path, tuple[Place, Contents | None]]) -> None:
        """Delete what does not belong there, and open the folders that do."""
        for entry in list(os.scandir(folder)):
            path = Path(entry.path)
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder:
                path.chmod(_ALL_MINE)
            if path not in wanted or (wanted[path][1] is None) != is_folder:
                if is_folder:
                    delete_folder(path)
                else:
                    path.unlink()
            elif is_folder:
                self._clear(path, wanted)

    def _put_file(self, path: Path, contents: Contents, mode: int) -> None:
        left = self._left.pop(path, None)
        about = _look(path)
        if about is None or left is None or not _is_as_left(about, left):
            # Over what is there, if it is a file with one name: the system then need not find new memory for it.
            is_new = about is None or not stat.S_ISREG(about.st_mode) or about.st_nlink != 1
            if is_new:
                path.unlink(missing_ok=True)
            changes = contents.pieces(with_holes=not is_new)
        elif left.contents == contents and stat.S_IMODE(about.st_mode) == mode:
            self._left[path] = left
            return
        else:
            changes = left.contents.differences(contents)
        if about is not None and path.exists():
            path.chmod(0o600)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            for offset, blocks in changes:
                _write(descriptor, offset, blocks)
            os.ftruncate(descriptor, min(contents.reach, contents.size))
            os.ftruncate(descriptor, contents.size)
            os.fchmod(descriptor, mode)
            os.utime(descriptor, ns=(_LONG_AGO_NS, _LONG_AGO_NS))
            self._left[path] = _Left(contents, os.fstat(descriptor).st_ino)
        finally:
            os.close(descriptor)


def delete_folder(folder: Path) -> None:
    """Delete a folder with everything in it, whatever the modes in it forbid."""
    for path, _, _ in os.walk(folder):
        Path(path).chmod(_ALL_MINE)
    shutil.rmtree(folder)


def _path(roots: list[Path], place: Place) -> Path:
    return roots[place.root] / place.path if place.path else roots[place.root]


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _is_as_left(about: os.stat_result, left: _Left) -> bool:
    as_left = (left.inode, left.contents.size, _LONG_AGO_NS, 1)
    return stat.S_ISREG(about.st_mode) and (about.st_ino, about.st_size, about.st_mtime_ns, about.st_nlink) == as_left


def _write(descriptor: int, offset: int, blocks: list[bytes]) -> None:
    wanted = sum(map(len, blocks))
    if os.pwritev(descriptor, blocks, offset) != wanted:
        raise OSError(f"fewer than {wanted} bytes were written")
