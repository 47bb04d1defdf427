"""docs/data-sets.md names every reason code that the tools give, and every command that it shows exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "data-sets.md").read_text("utf-8")
SOURCES = [path for path in (ROOT / "models").rglob("*.py") if path.parent.name not in {"digit", "region"}]
CODE = r'(?:CommandError|TransferError|ContentError|AddressError)\(\s*"(\w+)"|^_FAILED = "(\w+)"|_failed\(.*"(\w+)"\)'
LINES = [line.removeprefix("$ ./dev models ") for line in PAGE.splitlines() if line.startswith("$ ./dev models ")]


def test_every_code_is_explained() -> None:
    given = {next(filter(None, found)) for path in SOURCES for found in re.findall(CODE, path.read_text("utf-8"), re.MULTILINE)}
    assert len(given) > 25
    told = set(re.findall(r"`([a-z]+[A-Z]\w+)`", PAGE))
    assert given <= told
    image_codes = {"imageDepth", "imageFrames", "imageTooLarge", "imageTooSmall", "imageUnreadable"}
    fields = {"mediaType", "fetchedAt"}
    assert told - given - image_codes - fields == set()


@pytest.mark.parametrize("line", LINES)
def test_every_command_and_option_exists(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *rest = line.split()
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    if command not in {"train", "convert", "evaluate"}:
        text = capsys.readouterr().out
        assert all(word in text for word in rest if word.startswith("--"))
