"""An image: everything that is found in the recorded folders after a cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from hil.cuts.contents import Contents

_DIGEST_BYTES = 16


class Place(NamedTuple):
    """A name in an image.

    Attributes:
        root: Number of the root.
        path: In the root, with slashes; empty for the root itself.
        what: Number of the file or folder; two names of one file have the same.
        mode: Permission bits.
        is_folder: Whether it is a folder.
    """

    root: int
    path: str
    what: int
    mode: int
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Image:
    """Folders and files with their contents.

    Attributes:
        roots: The folders that were recorded.
        places: Every name, a folder before what is in it.
        contents: What the file at each place holds; None for a folder.
        fingerprint: Differs when anything that a reader can see differs.
    """

    roots: tuple[Path, ...]
    places: tuple[Place, ...]
    contents: tuple[Contents | None, ...]
    fingerprint: bytes = field(init=False)

    def __post_init__(self) -> None:
        seen: dict[int, int] = {}
        lines = [
            (place.root, place.path, place.mode, place.is_folder, seen.setdefault(place.what, number))
            + ((held.size, held.digest) if held else ())
            for number, (place, held) in enumerate(zip(self.places, self.contents, strict=True))
        ]
        object.__setattr__(self, "fingerprint", blake2b(repr(lines).encode(), digest_size=_DIGEST_BYTES).digest())

    def read(self, root: Path, path: str) -> bytes:
        """The bytes of a file, from memory.

        Raises:
            FileNotFoundError: there is no file of that name.
        """
        for place, held in zip(self.places, self.contents, strict=True):
            if held is not None and self.roots[place.root] == root and place.path == path:
                return bytes(held)
        raise FileNotFoundError(f"{root / path} is not in the image")
