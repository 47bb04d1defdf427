"""File names for what was fetched: safe on every file system, recognisable, and never two alike.

Names come from strangers. Only letters, digits, marks of letters, `-` and `_` stay, whatever the script; a name never begins
with a dot or a dash, and its bytes are counted. Two images never share a stem, since an annotation is called by the stem of its
image; names that differ only in upper and lower case are alike.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping

from edge.commands.read import SUFFIXES

MOST_STEM_BYTES = 100
_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{kind}{number}" for kind in ("com", "lpt") for number in range(1, 10)})
_UNNAMED = "image"


def safe_stem(name: str) -> str:
    """A stem for a file that its owner calls `name`; the ending goes, for the content says what it is."""
    name = name.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    if dot and f".{ending.lower()}" in SUFFIXES:
        name = stem
    kept = "".join(
        one if one in "-_" or unicodedata.category(one)[0] in "LMN" else "_" for one in unicodedata.normalize("NFC", name)
    )
    kept = kept.encode("utf-8", "replace")[:MOST_STEM_BYTES].decode("utf-8", "ignore").strip("_-")
    if kept.casefold() in _DEVICES:
        return f"{kept}_"
    return kept or _UNNAMED


def key_of(stem: str) -> str:
    """What two stems have in common that some file system takes for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", stem).casefold())


def unique_stem(stem: str, owner: str, taken: Mapping[str, str]) -> str:
    """The stem, with some digits of its owner's hash where somebody else has it.

    Args:
        stem: A safe one.
        owner: For whom: an address.
        taken: Whose the stems are, by `key_of`.
    """
    digest = hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()
    for ending in ("", f"-{digest[:8]}", f"-{digest}"):
        if taken.get(key_of(stem + ending), owner) == owner:
            return stem + ending
    raise AssertionError("a hash belongs to one address")


def planned_stems(named: Iterable[tuple[str, str]], taken: Mapping[str, str]) -> dict[str, str]:
    """A stem for each, the same in every run over the same list.

    Args:
        named: Address and name of each, in order.
        taken: Whose the stems are that were given out before, by `key_of`.
    """
    owners = dict(taken)
    stems: dict[str, str] = {}
    for address, name in named:
        stem = unique_stem(safe_stem(name), address, owners)
        owners[key_of(stem)] = address
        stems[address] = stem
    return stems
