"""A kept sheet read a second time from its files: what each process of the pool does.

The record must come out the same, byte for byte, and so must the cast vote record. Whatever the files hold, the answer is a
verdict.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from edge.audit.checks.same_record import is_same_record
from edge.audit.content import cvr_document
from edge.audit.folder import ExportFolder, FileError
from edge.audit.layout import CVR, SHEET_FOLDERS
from edge.audit.manifest import FileFacts
from edge.audit.verification import Finding, Repeat
from edge.ballot.interpret import interpret_pages
from edge.decision import decide
from edge.definition.election import Election
from edge.definition.package import ElectionPackage
from edge.definition.settings import SystemSettings
from edge.evidence.archive import SheetKind
from edge.evidence.cdf.election_parts import ReportingParty
from edge.evidence.cdf.error import CdfError
from edge.evidence.sheet_files import (
    MOST_BYTES,
    MOST_FILES,
    PAGES,
    RECORD,
    grey_name,
    greys_of,
    image_name,
    is_repeatable,
    pages_of,
)
from edge.page.page import Grey, Page
from edge.record import canonical_json
from edge.tally.record import KIND as TALLY_SHEET
from edge.tally_sheet import TallySheetReader

_SCANS = ("a", "b")
_MOST_JSON_BYTES = 8 << 20
"""Of a record, a description of pages or a cast vote record; parsed, it takes many times that."""
_MOST_PIXELS = 120_000_000
"""Of a whole grey image with its border: twice what a page may have."""


@dataclass(frozen=True, slots=True)
class SheetFolder:
    """A folder of a sheet as it lies on the medium: its kind and id, and its files without the folder's name, sorted."""

    kind: SheetKind
    id: str
    names: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its name in the export."""
        return f"{SHEET_FOLDERS[self.kind]}/{self.id}"


@dataclass(frozen=True, slots=True)
class SheetSeen:
    """What came of a sheet.

    Attributes:
        kind: Its kind.
        id: Its id.
        repeat: What its second reading gave.
        record: The record as it is kept; None if there is none that can be read.
        reading: The record as it was read here; None where that was not possible.
        facts: The files that were read, without the folder's name.
        errors: Those that could not be: code, full name and sentence.
        findings: What is wrong.
    """

    kind: SheetKind
    id: str
    repeat: Repeat
    record: bytes | None
    reading: bytes | None
    facts: tuple[FileFacts, ...]
    errors: tuple[Finding, ...]
    findings: tuple[Finding, ...]


class SheetReader:
    """Reads sheets of one export.

    Args:
        path: The export's folder.
        identity: What `ExportFolder.identity` gave; another folder under the same name is refused.
        package: What the sheets are read with.
        party: Who made the cast vote records; None if that is not known, and they are then not made again.

    Raises:
        FolderError, OSError, DefinitionError, ModelError, ValueError: the folder, the package or the digit model cannot be used.
    """

    def __init__(self, path: Path, identity: tuple[int, int], package: ElectionPackage, party: ReportingParty | None) -> None:
        self._folder = ExportFolder(path)
        if self._folder.identity != identity:
            self._folder.close()
            raise OSError(f"{path} is another folder than a moment ago")
        self._election = package.election_if_any()
        self._settings = SystemSettings() if self._election is None else package.system_settings(self._election)
        self._tally = TallySheetReader(package.forms) if package.forms else None
        self._party = party

    def close(self) -> None:
        """Let go of the folder."""
        self._folder.close()

    def read(self, sheet: SheetFolder) -> SheetSeen:
        """The verdict over a sheet."""
        return _Reading(sheet, self._folder, self._election, self._settings, self._tally, self._party).seen()


@dataclass(slots=True)
class _Reading:
    """The work on one sheet."""

    sheet: SheetFolder
    folder: ExportFolder
    election: Election | None
    settings: SystemSettings
    tally: TallySheetReader | None
    party: ReportingParty | None
    files: dict[str, bytes] = field(default_factory=dict)
    facts: list[FileFacts] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def seen(self) -> SheetSeen:
        """Read all files, read the sheet, compare."""
        self._collect()
        repeat, reading = self._again()
        kept = self.files.get(RECORD)
        if self.sheet.kind is not SheetKind.RETURNED:
            self._check_in_box(reading or kept)
        return SheetSeen(
            self.sheet.kind, self.sheet.id, repeat, kept, reading, tuple(self.facts), tuple(self.errors), tuple(self.findings)
        )

    def _wrong(self, code: str, file: str, detail: str) -> None:
        self.findings.append(Finding(code, f"{self.sheet.path}/{file}" if file else self.sheet.path, detail))

    def _collect(self) -> None:
        """The files and their hashes; what is more than a sheet can have is only hashed."""
        left = MOST_BYTES
        for name in self.sheet.names:
            full = f"{self.sheet.path}/{name}"
            try:
                if len(self.files) == MOST_FILES:
                    facts = self.folder.look(full)
                else:
                    content = self.folder.read(full, min(left, _MOST_JSON_BYTES if name.endswith(".json") else left))
                    self.files[name] = content
                    left -= len(content)
                    facts = self.folder.facts[full]
            except FileError as error:
                self.errors.append(error.finding())
                continue
            self.facts.append(FileFacts(name, facts.size, facts.sha256))
        if len(self.sheet.names) > MOST_FILES:
            self._wrong("sheetTooLarge", "", f"has {len(self.sheet.names)} files; a sheet has at most {MOST_FILES}")

    def _again(self) -> tuple[Repeat, bytes | None]:
        """The second reading, and what it gave."""
        missing = [name for name in self._always() if name not in self.files]
        for name in missing:
            self._wrong("sheetIncomplete", name, "cannot be read, and without it the sheet cannot be read again")
        if missing:
            return Repeat.DIFFERENT, None
        try:
            repeatable, pages, greys = is_repeatable(self.files), pages_of(self.files), greys_of(self.files)
        except ValueError as error:
            self._blame(str(error))
            return Repeat.DIFFERENT, None
        self._check_names(pages, in_grey=greys is not None)
        self._check_images(pages)
        if not repeatable or (not pages and greys is None):
            return self._unrepeatable(repeatable=repeatable)
        try:
            reading = self._read(pages, greys)
        except Exception as error:  # noqa: BLE001  pages that no scanner gives may break anything in a reader
            self._wrong("readingFailed", PAGES, f"the sheet cannot be read from these pages: {error!r:.300}")
            return Repeat.DIFFERENT, None
        if is_same_record(self.files[RECORD], reading):
            return Repeat.SAME, reading
        self._wrong("readingDiffers", RECORD, f"is not what the images say: {_difference(self.files[RECORD], reading)}")
        return Repeat.DIFFERENT, reading

    def _read(self, pages: Sequence[Page], greys: tuple[Grey, Grey] | None) -> bytes:
        """The record that these images give: of a tally sheet from the grey, of a ballot from the pages."""
        if greys is not None:
            if self.tally is None:
                raise ValueError("it is kept as a tally sheet, and the package has no form")
            return self.tally.read(*greys).record
        if self.election is None:
            raise ValueError("it is kept as a ballot, and the package has no election")
        interpretation = interpret_pages((pages[0], pages[1]), self.election, self.settings)
        return canonical_json(interpretation, decide(interpretation, self.election, self.settings))

    def _always(self) -> tuple[str, ...]:
        return (RECORD, PAGES, CVR) if self.sheet.kind is SheetKind.CAST else (RECORD, PAGES)

    def _unrepeatable(self, *, repeatable: bool) -> tuple[Repeat, None]:
        """A sheet that the device says cannot be read again: that may be so only for one that was refused and returned."""
        if self.sheet.kind is not SheetKind.RETURNED or repeatable:
            self._wrong("notRepeatable", PAGES, "does not hold what a second reading needs, which such a sheet always does")
            return Repeat.DIFFERENT, None
        try:
            refused = json.loads(self.files[RECORD])["kind"] == "refused"
        except (ValueError, KeyError, TypeError, RecursionError):
            refused = False
        if not refused:
            self._wrong("notRepeatable", RECORD, "tells a reading of which the pages were not kept, though it is no refusal")
        return Repeat.IMPOSSIBLE, None

    def _blame(self, detail: str) -> None:
        """Name the images that do not decode; if all do, what describes them is wrong."""
        damaged = False
        for name in sorted(self.files):
            if name.endswith(".png") and not _decodes(self.files[name]):
                self._wrong("imageDamaged", name, "does not decode")
                damaged = True
        if not damaged:
            self._wrong("pagesMalformed", PAGES, f"does not describe the images beside it: {detail:.300}")

    def _check_names(self, pages: Sequence[Page], *, in_grey: bool) -> None:
        """Exactly the files that the pages call for, and grey images of all of them or of none."""
        called = set(self._always())
        for scan, page in zip(_SCANS, pages, strict=False):
            called |= {image_name(scan), *(f"scan-{scan}-kept-{number}.png" for number in range(1, len(page.kept) + 1))}
        grey = {grey_name(scan) for scan, _ in zip(_SCANS, _SCANS if in_grey else pages, strict=False)}
        if in_grey or grey & set(self.sheet.names):
            called |= grey
        for name in self.sheet.names:
            if name not in called:
                self._wrong("sheetForeign", name, "belongs to no sheet like this")
        for name in sorted(called - set(self.sheet.names)):
            self._wrong("sheetIncomplete", name, "is missing")

    def _check_images(self, pages: Sequence[Page]) -> None:
        """Images hold pixels and nothing else; where the whole grey is kept, the page is what the threshold makes of it."""
        for name, content in self.files.items():
            if name.endswith(".png") and not _is_plain_png(content):
                self._wrong("imageExtra", name, "holds something beside its pixels")
        for scan, page in zip(_SCANS, pages, strict=False):
            name = grey_name(scan)
            if name in self.files and not _is_scan_of(self.files[name], page):
                self._wrong("greyDiffers", name, f"is not the image that {image_name(scan)} was made of")

    def _check_in_box(self, record: bytes | None) -> None:
        """The sheet may be in the box, as what it is, and a ballot's cast vote record follows from its record."""
        if record is None or PAGES not in self.files:
            return
        try:
            parsed = json.loads(record)
            disposition, is_tally = parsed["disposition"], parsed["kind"] == TALLY_SHEET
            kind, castable = disposition["kind"], disposition["castable"]
        except (ValueError, KeyError, TypeError, RecursionError):
            kind, castable, is_tally = None, None, self.sheet.kind is SheetKind.TALLY
        if is_tally != (self.sheet.kind is SheetKind.TALLY):
            self._wrong("castNotAcceptable", RECORD, "is of another kind of sheet than its folder is for")
        if kind != "accept" and (kind, castable) != ("hold", True):
            self._wrong("castNotAcceptable", RECORD, "is of a sheet that could not be cast")
        if self.party is None or CVR not in self.files or self.election is None:
            return
        try:
            document = cvr_document(self.party, self.election, self.sheet.id, {**self.files, RECORD: record})
        except CdfError as error:
            self._wrong("cvrImpossible", CVR, f"no cast vote record can be made of the record: {error}")
        except ValueError as error:
            self._wrong("cvrImpossible", CVR, f"no cast vote record can be made of the files: {error!s:.300}")
        else:
            if document != self.files[CVR]:
                self._wrong("cvrDiffers", CVR, "is not the cast vote record of this reading")


def _difference(kept: bytes, reading: bytes) -> str:
    """Where two records part, in words."""
    try:
        one, other = json.loads(kept), json.loads(reading)
        differing = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return "it is no record"
    # A hostile name must not fill the report.
    return f"{', '.join(name[:40] for name in differing[:10])} differ" if differing else "it is not canonical JSON"


def _decodes(content: bytes) -> bool:
    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as image:
            image.verify()
        with Image.open(BytesIO(content), formats=("PNG",)) as image:
            if image.width * image.height > _MOST_PIXELS or image.mode not in {"1", "L"}:
                return False
            image.load()
    except Exception:  # noqa: BLE001  a decoder may raise anything at a damaged file
        return False
    return True


def _is_plain_png(content: bytes) -> bool:
    """Whether a PNG is a header, image data and an end: no texts, no times, nothing behind."""
    place, kinds = 8, []
    while place + 12 <= len(content):
        kinds.append(content[place + 4 : place + 8])
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return place == len(content) and kinds[:1] == [b"IHDR"] and kinds[-1:] == [b"IEND"] and set(kinds[1:-1]) == {b"IDAT"}


def _is_scan_of(content: bytes, page: Page) -> bool:
    """Whether a grey image gives this page's pixels when it is cropped and cut at the page's threshold."""
    insets = page.insets
    size = (page.width + insets.left + insets.right, page.height + insets.top + insets.bottom)
    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as image:
            if image.size != size or image.mode != "L" or size[0] * size[1] > _MOST_PIXELS:
                return False
            grey = np.asarray(image)
    except Exception:  # noqa: BLE001  as above
        return False
    crop = grey[insets.top : insets.top + page.height, insets.left : insets.left + page.width]
    pieces = all(np.array_equal(area.of(crop), pixels) for area, pixels in page.kept)
    return pieces and np.array_equal(crop <= page.threshold, page.bits == 1)


_PROCESS: list[SheetReader] = []
"""The reader of this process of the pool; its election is loaded once."""


def start_process(path: Path, identity: tuple[int, int], package: ElectionPackage, party: ReportingParty | None) -> None:
    """What each process of the pool does first; arguments as for `SheetReader`."""
    cv2.setNumThreads(1)  # there are as many processes as processors
    _PROCESS[:] = [SheetReader(path, identity, package, party)]


def read_sheets(sheets: Sequence[SheetFolder]) -> list[SheetSeen]:
    """The verdicts over some sheets, in a process that was started."""
    return [_PROCESS[0].read(sheet) for sheet in sheets]
