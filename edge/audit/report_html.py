"""The report that a person reads in a browser: one file, complete in itself, written piece by piece.

It holds no address, takes nothing from the network, and is whole without its script, which does no more than hide sheets. The
page's own policy forbids everything else, so that a text from an export could do no harm even if it came through as markup.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from importlib import resources
from itertools import islice
from multiprocessing import get_context
from typing import BinaryIO, Literal, Self

from edge.audit.layout import SHEET_FOLDERS
from edge.audit.report_page.filters import filter_form, key
from edge.audit.report_page.head import checks, doubtful_index, header, unchecked
from edge.audit.report_page.markup import Markup, joined, sentence_count, tag
from edge.audit.report_page.record_shape import record_shape
from edge.audit.report_page.sheet import SCANS, SheetFiles, SheetWriter
from edge.audit.report_page.sheet_kinds import GROUP_TITLES, Group, group_of
from edge.audit.report_page.tally_sheets import is_tally_sheet, tally_sheets
from edge.audit.report_page.totals import totals
from edge.audit.verification import SheetVerdict, Verification
from edge.definition.election import Election
from edge.evidence.sheet_files import image_name

Pictures = Literal["all", "doubtful"]

_FINE_DPI, _COARSE_DPI = 66, 50
"""Pixels per inch, at least, of reduced pictures: a third of a scan at 200 dpi, or a quarter."""
_MOST_WHOLE: dict[Pictures, int] = {"all": 250, "doubtful": 600}
"""Sheets of which every pixel is shown; a sheet so takes a tenth of a megabyte."""
_MOST_FINE = 1000
"""Sheets with fine pictures; what is beyond is coarse, so that two thousand letter sheets stay below 60 MB."""
_AT_ONCE = 8
"""Sheets that a process is given at once."""
_LEAST_FOR_POOL = 200
"""Sheets for which it pays to start processes."""


def write_html(
    verification: Verification,
    election: Election | None,
    read_file: Callable[[str], bytes],
    out: BinaryIO,
    pictures: Pictures = "all",
    processes: int | None = None,
    title: str = "",
) -> None:
    """Write the page.

    Args:
        verification: What to report.
        election: Names of contests and options; None where no ballots were read.
        read_file: Gives a file of the export by its name in the folder; an OSError, LookupError or ValueError where it cannot.
        out: Takes the page, UTF-8.
        pictures: `all` shows every sheet, those about which there is no question reduced; `doubtful` shows those alone that were
            held or returned or that something is wrong with, and of the others the votes in words. Where a day has hundreds of
            doubtful sheets, those are reduced as well, the held ones first.
        processes: How many may work at once; None for as many as there are processors. Processes are started afresh, so the
            program's main module has to be importable.
        title: What the export is about, where there is no election.
    """
    tallied = [sheet for sheet in verification.sheets if is_tally_sheet(sheet)]
    if election is None:
        # Whatever else lies there is no ballot of any election: it is told with the tally sheets, as something wrong.
        _write_tallied(verification, title, verification.sheets, read_file, out)
        return
    ballots = [sheet for sheet in verification.sheets if not is_tally_sheet(sheet)]
    groups: dict[Group, list[SheetVerdict]] = {group: [] for group in Group}
    for sheet in ballots:
        groups[group_of(sheet, record_shape(sheet.record))].append(sheet)
    dpi = _resolutions({group: len(sheets) for group, sheets in groups.items()}, pictures)
    workers = (os.cpu_count() or 1) if processes is None else processes
    workers = workers if len(ballots) >= _LEAST_FOR_POOL else 1
    with _Articles(election, dpi, workers) as articles:
        _write(out, _opening(verification, election.title))
        for part in (
            header(verification, election),
            _contents(),
            checks(verification),
            unchecked(verification),
            totals(verification.totals, election),
            doubtful_index(groups),
            tag("h2", "The kept sheets", id="sheets"),
            filter_form(election),
            key(),
        ):
            _write(out, part)
        for group in Group:
            title = f"{GROUP_TITLES[group]}: {sentence_count(len(groups[group]), 'sheet', 'sheets')}"
            _write(out, Markup(f'<section class="sheets" id="{group}">'), tag("h2", title))
            shown = group is not Group.PLAIN or pictures == "all"
            for article in articles.of(_with_files(groups[group], read_file, shown)):
                _write(out, article)
            _write(out, Markup("</section>\n"))
        for part in tally_sheets(tallied, read_file):
            _write(out, part)
        _write(out, Markup(f"</main>\n<script>{_part('script.js')}</script>\n</body>\n</html>\n"))


def _write_tallied(
    verification: Verification,
    title: str,
    sheets: Iterable[SheetVerdict],
    read_file: Callable[[str], bytes],
    out: BinaryIO,
) -> None:
    """The page of a day on which no ballots were read."""
    for part in (
        _opening(verification, title),
        header(verification, None, title),
        checks(verification),
        unchecked(verification),
        *tally_sheets(sheets, read_file),
        Markup("</main>\n</body>\n</html>\n"),
    ):
        _write(out, part)


class _Articles:
    """Writes sheets, in several processes where that pays; the page is the same."""

    def __init__(self, election: Election, dpi: Mapping[Group, int], workers: int) -> None:
        self._setting = (election, dpi)
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._workers > 1:
            self._pool = ProcessPoolExecutor(self._workers, get_context("spawn"), _set_up, self._setting)
        else:
            _set_up(*self._setting)
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def of(self, sheets: Iterator[SheetFiles]) -> Iterator[Markup]:
        """The articles of some sheets, in their order; no more of them are read in advance than keep the processes busy."""
        if self._pool is None:
            yield from (article for sheet in sheets for article in _articles([sheet]))
            return
        waiting: deque[Future[list[Markup]]] = deque()
        while batch := list(islice(sheets, _AT_ONCE)):
            waiting.append(self._pool.submit(_articles, batch))
            if len(waiting) > 2 * self._workers:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()


_WRITER: list[SheetWriter] = []
"""What this process writes sheets with: the election is sent to it once."""


def _set_up(election: Election, dpi: Mapping[Group, int]) -> None:
    _WRITER[:] = [SheetWriter(election, dpi)]


def _articles(sheets: list[SheetFiles]) -> list[Markup]:
    return [_WRITER[0].article(sheet) for sheet in sheets]


def _resolutions(counts: Mapping[Group, int], pictures: Pictures) -> dict[Group, int]:
    """Pixels per inch of the pictures of each group; 0 for all there are."""
    dpi: dict[Group, int] = {}
    whole, fine = _MOST_WHOLE[pictures], _MOST_FINE
    for group in (Group.WRONG, Group.RETURNED, Group.HELD, Group.PLAIN):
        count = counts[group]
        if group is not Group.PLAIN and count <= whole:
            dpi[group], whole = 0, whole - count
        elif count <= fine:
            dpi[group], fine = _FINE_DPI, fine - count
        else:
            dpi[group] = _COARSE_DPI
    return dpi


def _with_files(sheets: Iterable[SheetVerdict], read_file: Callable[[str], bytes], shown: bool) -> Iterator[SheetFiles]:
    for sheet in sheets:
        scans = {scan: _read(f"{SHEET_FOLDERS[sheet.kind]}/{sheet.id}/{image_name(scan)}", read_file) for scan in SCANS if shown}
        yield SheetFiles(sheet, scans, shown)


def _read(name: str, read_file: Callable[[str], bytes]) -> bytes | None:
    try:
        return read_file(name)
    except (OSError, LookupError, ValueError):
        return None


def _opening(verification: Verification, title: str) -> Markup:
    style, script = _part("style.css"), _part("script.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"Audit of {verification.folder}, {title}"),
        Markup(f"<style>{style}</style>"),
    )
    return joined(Markup('<!DOCTYPE html>\n<html lang="en">\n'), head, Markup("\n<body>\n<main>\n"))


def _contents() -> Markup:
    places = {
        "checks": "What was checked",
        "unchecked": "What could not be checked",
        "totals": "Totals",
        "index": "Sheets to look at",
        "sheets": "The kept sheets",
    }
    links = (tag("li", tag("a", title, href=f"#{place}")) for place, title in places.items())
    return tag("nav", tag("ul", *links), aria_label="Contents")


def _part(file: str) -> Markup:
    """A file of the page's own, a constant of this software."""
    return Markup((resources.files("edge.audit.report_page") / file).read_text("utf-8"))


def _hash(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")


def _write(out: BinaryIO, *parts: Markup) -> None:
    out.write("".join((*parts, "\n")).encode())
