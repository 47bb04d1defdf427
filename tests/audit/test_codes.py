"""docs/auditor.md explains every code that an export, a verification, a key or a list can give."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("edge/audit", "edge/evidence/tlog", "edge/evidence/keys")
RAISED = re.compile(
    r"(?:ExportError|ManifestError|FileError|FolderError|WitnessError|EnrolmentError|TrustError|NoteError|TileError|MinisignError"
    r'|Finding|wrong|_wrong|_unsound|_refused)\(\s*(?:self\._\w+,\s*)?"([a-z]+[A-Za-z]+)"'
)
DOCUMENTS = ("docs/auditor.md", "docs/scanner.md", "docs/reasons.md")


def test_every_code_is_explained() -> None:
    sources = [path.read_text() for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    given = {code for source in sources for code in RAISED.findall(source)}
    assert len(given) > 80
    explained = set(re.findall(r"`([a-z]+[A-Za-z]+)`", "".join((ROOT / name).read_text() for name in DOCUMENTS)))
    assert given <= explained, sorted(given - explained)
