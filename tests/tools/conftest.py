"""What the tests of the data set tools share: pictures, a server, and the command with short waits."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.__main__ import main
from tests.tools.loopback import Server, serving

Ingest = Callable[..., int]
QUICK = ["--delay", "0", "--first-wait", "0.01", "--connect-timeout", "2", "--read-timeout", "2"]


def picture(seed: int = 0, kind: str = "PNG", size: tuple[int, int] = (240, 210)) -> bytes:
    """An image file of noise, some tens of kilobytes; the same seed gives the same bytes."""
    grey = np.random.default_rng(seed).integers(0, 256, size[::-1], np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, kind)
    return file.getvalue()


def manifest(out: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text("ascii").splitlines()]
    assert len({line["address"] for line in lines}) == len(lines)
    return {line["address"]: line for line in lines}


def errors(out: Path) -> dict[str, str | None]:
    """The reason codes by the last part of the address."""
    return {address.rpartition("/")[2]: line["error"] for address, line in manifest(out).items()}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "set"


@pytest.fixture
def ingest(out: Path) -> Ingest:
    """Run `ingest` into `out`; what is given later wins over the short waits."""

    def command(*arguments: str | Path) -> int:
        return main(["ingest", "--out", str(out), *QUICK, *map(str, arguments)])

    return command
