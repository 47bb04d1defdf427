"""Which software this is: its name, and one hash over its own files.

The hash is that of the list which `sha256sum` prints, so that anyone can work it out beside the installed packages:

    find -L edge firmware_bridge -name __pycache__ -prune -o -type f -print | LC_ALL=C sort | xargs sha256sum | sha256sum

`-L` is for a checkout, in which one folder, that of the released models, is a link; an installation has none.

What Python keeps in `__pycache__`, the interpreter and the libraries are not in it: it tells versions apart and is no proof
against a changed machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

PACKAGES = ("edge", "firmware_bridge")

_DISTRIBUTION = "scrutineer-edge"
_CACHE = "__pycache__"
_MODELS = "inference/released_files"
"""The one folder that may be a link."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")


class SoftwareError(Exception):
    """The software cannot say what it is: code `softwareUnreadable`, and one sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


def software_name() -> str:
    """Name and version, as `scrutineer-edge 0.1.0`.

    Raises:
        SoftwareError: it runs without being installed.
    """
    try:
        return f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}"
    except metadata.PackageNotFoundError as error:
        raise SoftwareError(
            "softwareUnreadable", f"{_DISTRIBUTION} is not installed: install it, so that it has a version"
        ) from error


def software_sha256() -> bytes:
    """SHA-256, 32 bytes, over the names and contents of all files of the packages `PACKAGES` as they are installed now.

    Raises:
        SoftwareError: a package is not where it should be, or holds what is neither a plain file nor a folder.
    """
    return folders_sha256([_folder_of(package) for package in PACKAGES])


def folders_sha256(folders: Sequence[Path]) -> bytes:
    """SHA-256, 32 bytes, over the files of these folders, `__pycache__` left out.

    It is the hash of one line for each file, "<SHA-256 in hex>  <folder>/<path>" LF, sorted by the bytes of the path.

    Raises:
        SoftwareError: as `software_sha256`.
    """
    try:
        named = sorted((f"{folder.name}/{path}", folder / path) for folder in folders for path in _files(folder))
        whole = hashlib.sha256()
        for name, path in named:
            whole.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n".encode("ascii"))
    except OSError as error:
        raise SoftwareError("softwareUnreadable", f"{error.filename!r}: {error.strerror or error}: install it again") from error
    return whole.digest()


def _files(folder: Path, above: str = "") -> Iterator[str]:
    """Paths relative to the folder.

    Links are refused: Python would follow them, to files that the hash does not cover. The folder of models is followed here too.
    """
    with os.scandir(folder / above) as entries:
        for entry in entries:
            if entry.name == _CACHE:
                continue
            path = above + entry.name
            is_folder = entry.is_dir(follow_symlinks=path == _MODELS)
            # A name with a line break could pass for two files.
            if not _NAME.fullmatch(entry.name) or not (is_folder or entry.is_file(follow_symlinks=False)):
                raise SoftwareError("softwareUnreadable", f"{str(folder / path)!r} is not part of the software: remove it")
            if is_folder:
                yield from _files(folder, f"{path}/")
            else:
                yield path


def _folder_of(package: str) -> Path:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    places = [] if spec is None or spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    if len(places) != 1:
        raise SoftwareError("softwareUnreadable", f"the package {package} is in {len(places)} places instead of one")
    return Path(places[0])
