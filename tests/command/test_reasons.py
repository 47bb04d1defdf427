"""docs/reasons.md names every reason code that the source can give, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from edge.ballot.result import Doubt
from edge.commands.table import RETURN_SENTENCES
from edge.decision import ReturnCode
from edge.definition.settings import AdjudicationReason

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
    """First arguments of every `error(...)`; a variable is looked up where it is assigned, `other.code` is passed on."""
    assigned = {
        target.id: texts
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and (texts := constants(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == error):
            continue
        code = node.args[0]
        if isinstance(code, ast.Attribute) and code.attr == "code":
            continue
        texts = assigned.get(code.id) if isinstance(code, ast.Name) else constants(code)
        assert texts, f"line {node.lineno}: the code of this {error} cannot be told from the source"
        found |= set(texts)
    return found


def raised(*errors: str) -> set[str]:
    sources = sorted((ROOT / "edge").rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sources]
    return {code for tree in trees for error in errors for code in codes_in(tree, error)}


def documented() -> list[str]:
    text = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def test_the_document_has_every_code_once_and_no_other() -> None:
    enums = {str(member) for kind in (Doubt, ReturnCode, AdjudicationReason) for member in kind}
    assert sorted(documented()) == sorted(raised(*ERRORS) | enums)


def test_every_code_of_a_returned_sheet_has_its_sentence() -> None:
    assert set(RETURN_SENTENCES) == raised("PageError") | set(ReturnCode)


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
