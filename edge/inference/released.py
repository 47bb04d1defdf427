"""The models that may be used: each file pinned by its hash, here in the code. A different file is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from edge.inference.error import ModelError


@dataclass(frozen=True, slots=True)
class ReleasedModel:
    """One released file.

    Attributes:
        name: What it is asked for by.
        file: Its name in `models/released`.
        sha256: Hash of its bytes, hexadecimal.
    """

    name: str
    file: str
    sha256: str


_FILES = (
    ReleasedModel("digit", "digit.tflite", "784553856a5a34cb1a5fe8af5654e8e18e38d1e79a1a889fc1fd8163a344198c"),
    ReleasedModel("region", "region.tflite", "04ca139917209f0f550824c1e9da827fad54b71f9fd09373fbd2e5dcc0ea0012"),
    ReleasedModel("regionCard", "region.json", "ec3a5026a41a72442c81715ab1caa07ed5d10890f904afddadc5aa1bfb590a3f"),
    ReleasedModel("digitCard", "digit.json", "d50d1b2f61e75d11325509271689bae53033e473630db0d0c4a03f002b4e1a0a"),
)
RELEASED: Mapping[str, ReleasedModel] = MappingProxyType({entry.name: entry for entry in _FILES})


def load_released(name: str) -> bytes:
    """Give the bytes of a released file.

    Raises:
        ModelError: `modelMissing` if nothing of that name was released or the installation lacks the file, `modelChanged` if the
            file is not the one that was released.
    """
    entry = RELEASED.get(name)
    if entry is None:
        raise ModelError("modelMissing", f"nothing was released by the name of {name}")
    try:
        data = resources.files("edge.inference").joinpath("released_files", entry.file).read_bytes()
    except OSError as error:
        raise ModelError("modelMissing", f"{entry.file} cannot be read: {error.strerror or error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        raise ModelError("modelChanged", f"{entry.file} has the SHA-256 {found}, released was {entry.sha256}")
    return data
