"""The documents keep their promises: their Python runs, and the commands they show exist."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]
FENCE = re.compile(r"^```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A fenced block of a document, or one line of it, and where it stands."""

    path: Path
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def blocks(language: str) -> list[Example]:
    """Every fenced block of that language; the line is that of the block's first line."""
    return [
        Example(path, text.count("\n", 0, match.start("body")) + 1, match["body"])
        for path in DOCUMENTS
        for text in [path.read_text(encoding="utf-8")]
        for match in FENCE.finditer(text)
        if match["language"] == language
    ]


def commands(*starts: str) -> list[Example]:
    """Every line of a `sh` block that, after an optional prompt, begins with one of these words."""
    return [
        Example(block.path, block.line + number, line)
        for block in blocks("sh")
        for number, line in enumerate(re.sub(r"^\$ ", "", line) for line in block.text.splitlines())
        if line.split(maxsplit=1)[:1] and line.split(maxsplit=1)[0] in starts
    ]


def places(examples: list[Example]) -> list[str]:
    return [example.place for example in examples]


PYTHON_BLOCKS = blocks("python")
DEV_COMMANDS = commands("./dev")
SCRUTINEER_COMMANDS = commands("scrutineer")


@pytest.mark.parametrize("example", PYTHON_BLOCKS, ids=places(PYTHON_BLOCKS))
def test_python_example_runs(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # whatever an example writes stays out of the tree
    source = "\n" * (example.line - 1) + example.text  # so that a traceback names the document's own line
    exec(compile(source, str(example.path), "exec"), {"__name__": "__example__"})  # noqa: S102  our own documents


@pytest.mark.parametrize("example", DEV_COMMANDS, ids=places(DEV_COMMANDS))
def test_dev_command_exists(example: Example) -> None:
    text = subprocess.run(["sh", str(ROOT / "dev"), "help"], check=True, capture_output=True, text=True).stdout
    known = re.findall(r"^  (\w+)  ", text, re.MULTILINE)
    assert "test" in known
    assert example.text.split()[1] in known


@pytest.mark.parametrize("example", SCRUTINEER_COMMANDS, ids=places(SCRUTINEER_COMMANDS))
def test_scrutineer_command_exists(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    from edge.cli import main  # noqa: PLC0415  only where a document shows the command

    words = example.text.split()[1:2]
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--help"])
    assert stopped.value.code == 0, capsys.readouterr().err
