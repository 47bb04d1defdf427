"""docs/reasons.md names every reason code that the source can give, and no other."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from edge.ballot.result import Doubt
from edge.decision import ReturnCode
from edge.definition.settings import AdjudicationReason
from edge.sentences import RETURN_SENTENCES
from edge.station.config import effective, station_config
from edge.station.config_sections import ScannerDevice
from edge.station.patterns import PATTERNS
from edge.station.sentences import SCANNER_SENTENCES, TALLY_SENTENCES
from edge.station.signals import Signal
from edge.station.state import StateName, StationReason
from edge.tally.decide import HoldCode
from edge.tally_sheet import FormCode
from firmware_bridge.pagescan6.settings import ScannerSettings

IN_THE_TEXT = {"statusUnreachable", "statusUnreadable", "calibrationFailed"}
"""Codes of commands that the technician's document explains where it shows the command."""
EVIDENCE_ERRORS = ("StoreError", "_RefusedError", "KeyFileError")
EVIDENCE_CODES = {"storeConfused", "mediumLost", "mediumLow"}
"""Beside those that are raised: what the worker says of a mistake of ours, and the alarms."""
START_ERRORS = ("ModelError", "ConfigError", "PanelError", "NotifyError", "ClockError", "SoftwareError")
DRIVERS_OWN = {
    "scanner.timing.write_limit": 1000,
    "scanner.timing.status_limit": 2000,
    "scanner.timing.connect_limit": 3000,
    "scanner.timing.image_quiet": 20,
    **{f"scanner.device.{name}": getattr(ScannerSettings(), name) for name in ScannerDevice.model_fields},
}
"""Left out, the driver's own defaults hold, which the example shows."""
ROOT = Path(__file__).resolve().parents[2]
ERRORS = ("PageError", "DefinitionError", "ImageFileError", "CommandError")


def constants(node: ast.expr) -> list[str] | None:
    """The texts that an expression can be; None when it is something else."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            first, second = constants(body), constants(orelse)
            return first + second if first and second else None
        case _:
            return None


def codes_in(tree: ast.Module, error: str) -> set[str]:
    """First arguments of every `error(...)`.

    A variable is looked up where it is assigned, a function's value where it is returned; `other.code` is passed on.
    """
    assigned = {
        target.id: texts
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and (texts := constants(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    returned = {
        function.name: [
            text
            for node in ast.walk(function)
            if isinstance(node, ast.Return) and node.value
            for text in constants(node.value) or []
        ]
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == error):
            continue
        code = node.args[0]
        if isinstance(code, ast.Attribute) and code.attr == "code":
            continue
        match code:
            case ast.Name(id=name):
                texts = assigned.get(name)
            case ast.Call(func=ast.Name(id=name)):
                texts = returned.get(name)
            case _:
                texts = constants(code)
        assert texts, f"line {node.lineno}: the code of this {error} cannot be told from the source"
        found |= set(texts)
    return found


def raised(*errors: str) -> set[str]:
    sources = sorted((ROOT / "edge").rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sources]
    return {code for tree in trees for error in errors for code in codes_in(tree, error)}


def documented(name: str = "reasons.md", *sections: str) -> list[str]:
    """The first cells of the tables of a document, or of some of its sections."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    chosen = [text] if not sections else [body for title, body in zip(parts[1::2], parts[2::2], strict=True) if title in sections]
    assert len(chosen) == max(1, len(sections))
    return [code for part in chosen for code in re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)]


STATION_CODES = documented(
    "scanner.md", "Reason codes of the station", "Codes of the evidence", "When the station does not start"
)


AUDITORS_CODES = {"fileUnwritable", "notExported", "trustUnsigned"}
"""Codes of commands that docs/auditor.md explains; tests/audit holds that document against the source."""


def test_the_document_has_every_code_once_and_no_other() -> None:
    enums = {str(member) for kind in (Doubt, ReturnCode, AdjudicationReason, HoldCode, FormCode) for member in kind}
    assert sorted(documented()) == sorted((raised(*ERRORS) | enums) - set(STATION_CODES) - IN_THE_TEXT - AUDITORS_CODES)
    text = (ROOT / "docs" / "scanner.md").read_text(encoding="utf-8")
    assert all(f"`{code}`" in text for code in IN_THE_TEXT)


def test_the_technicians_document_has_every_state_and_every_signal() -> None:
    assert documented("scanner.md", "States") == [str(name) for name in StateName]
    assert sorted(documented("scanner.md", "Lamps")) == sorted(str(signal) for signal in Signal)


def test_the_technicians_document_names_the_lamps_of_each_signal() -> None:
    text = (ROOT / "docs" / "scanner.md").read_text(encoding="utf-8")
    for signal, pattern in PATTERNS.items():
        row = re.search(rf"^\| `{signal}` \|([^|]*)\|([^|]*)\|", text, re.MULTILINE)
        assert row is not None
        assert set(re.findall(r"`(\w+)`", row[1])) == set(pattern) - {"buzzer"}, signal
        assert ("buzzer" in pattern) == (row[2].strip() != "–"), signal


def test_the_technicians_document_has_every_code_of_the_station_once_and_no_other() -> None:
    assert len(STATION_CODES) == len(set(STATION_CODES))
    said = {*map(str, StationReason), *SCANNER_SENTENCES, *raised(*START_ERRORS), *raised(*EVIDENCE_ERRORS), *EVIDENCE_CODES}
    assert said - set(STATION_CODES) == set()
    sources = [path for folder in ("edge", "firmware_bridge") for path in (ROOT / folder).rglob("*.py")]
    literals = {
        node.value
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(STATION_CODES) - literals == set()


def test_the_example_of_the_configuration_is_one() -> None:
    text = (ROOT / "docs" / "scanner.md").read_text(encoding="utf-8")
    example = re.search(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example is not None
    shown = station_config(tomllib.loads(example[1]), ROOT)
    # Every commented line that does not say "example" or "only" shows the default.
    lines = [line for line in example[1].splitlines() if not re.search(r"# .*(example|only with)", line)]
    uncommented = station_config(tomllib.loads("\n".join(re.sub(r"^# (?=\w+ = )", "", line) for line in lines)), ROOT)
    assert {place: value for place, value, _ in effective(shown)} | DRIVERS_OWN == {
        place: value for place, value, _ in effective(uncommented)
    }


def test_every_code_of_a_returned_sheet_has_its_sentence() -> None:
    assert set(RETURN_SENTENCES) == raised("PageError") | set(ReturnCode)
    assert set(TALLY_SENTENCES) == {*HoldCode, *FormCode}


def test_codes_are_one_camel_case_word() -> None:
    assert [code for code in documented() if not re.fullmatch(r"[A-Za-z]+", code)] == []


def test_every_row_says_what_to_do() -> None:
    rows = [
        line.split("|")[1:-1]
        for line in (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8").splitlines()
        if line[:3] == "| `"
    ]
    assert rows
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)
