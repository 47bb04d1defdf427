"""The interpretation as canonical JSON (RFC 8785): one sheet, one sequence of bytes, on every machine.

Every number is an integer: pixels, 1/256 pixels, counts, parts per 10,000. Nothing in the record says when the sheet was read.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from edge.definition.canonical_json import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.ballot.grid import Grid
    from edge.ballot.result import Box, Interpretation, PageMetadata, PageReading
    from edge.decision import Disposition, Reason
    from edge.fixed.number import Score

INTERPRETER_VERSION = "2"
"""Changes whenever the same pixels could give another reading."""
RECORD_VERSION = 1
"""Changes whenever the shape of the record does."""

Json = dict[str, Any]


def canonical_json(interpretation: Interpretation, disposition: Disposition) -> bytes:
    """The record of a sheet as canonical bytes, UTF-8, without a final newline."""
    return canonical_bytes(record(interpretation, disposition))


def record(interpretation: Interpretation, disposition: Disposition) -> Json:
    """The record of a sheet: disposition, votes, marginal, unmarkedWriteIns, pages, scores, versions."""
    return {
        "disposition": {
            "kind": disposition.kind,
            "castable": disposition.castable,
            "reasons": [_reason(reason) for reason in disposition.reasons],
        },
        "kind": interpretation.kind,
        "votes": _lists(interpretation.votes),
        "marginal": _lists(interpretation.marginal),
        "unmarkedWriteIns": _lists(interpretation.unmarked_write_ins),
        "writeInNames": _lists(interpretation.write_in_names),
        "contests": list(interpretation.contests),
        "pages": [_page(page) for page in interpretation.pages],
        "scores": [score for page in interpretation.pages for score in _scores(page)],
        "versions": {"interpreter": INTERPRETER_VERSION, "record": RECORD_VERSION},
    }


def _lists(options: Mapping[str, tuple[str, ...]]) -> Json:
    return {contest: list(names) for contest, names in options.items()}


def _reason(reason: Reason) -> Json:
    parts = {
        "code": str(reason.code),
        "contestId": reason.contest_id,
        "optionIds": list(reason.option_ids) or None,
        "scan": reason.scan,
        "detail": reason.detail,
    }
    return {name: value for name, value in parts.items() if value is not None}


def _score(score: Score | None) -> Json | None:
    return None if score is None else {"count": score.count, "of": score.of}


def _box(box: Box) -> list[int]:
    return [box.x, box.y, box.width, box.height]


def _metadata(metadata: PageMetadata | None) -> Json | None:
    if metadata is None:
        return None
    return {
        "ballotStyleId": metadata.ballot_style_id,
        "precinctId": metadata.precinct_id,
        "pageNumber": metadata.page_number,
        "totalPages": metadata.total_pages,
        "testMode": metadata.test_mode,
        "ballotType": None if metadata.ballot_type is None else metadata.ballot_type.name.lower(),
        "auditId": metadata.audit_id,
        "ballotHash": None if metadata.ballot_hash is None else metadata.ballot_hash.hex(),
        "encoding": metadata.encoding,
        "inferred": metadata.inferred,
    }


def _grid(grid: Grid | None) -> Json | None:
    if grid is None:
        return None
    return {
        "rows": grid.rows,
        "pitch": grid.pitch,
        "leftX": grid.left_x.tolist(),
        "leftY": grid.left_y.tolist(),
        "rightX": grid.right_x.tolist(),
        "rightY": grid.right_y.tolist(),
        "leftFound": grid.left_found.tolist(),
        "rightFound": grid.right_found.tolist(),
    }


def _page(reading: PageReading) -> Json:
    page, barcode = reading.page, reading.barcode
    return {
        "scan": reading.scan,
        "side": reading.side,
        "upsideDown": reading.upside_down,
        "paper": None if reading.paper is None else str(reading.paper),
        "dpi": page.dpi,
        "width": page.width,
        "height": page.height,
        "threshold": page.threshold,
        "black": page.black,
        "white": page.white,
        "insets": [page.insets.top, page.insets.bottom, page.insets.left, page.insets.right],
        "streaks": [[streak.first, streak.last] for streak in reading.streaks],
        "scale": _score(reading.scale),
        "grid": _grid(reading.grid),
        "metadata": _metadata(reading.metadata),
        "barcode": None
        if barcode is None
        else {
            "reader": barcode.reader,
            "source": "bilevel" if barcode.grey is None else "grey",
            "x": barcode.x,
            "y": barcode.y,
            "data": base64.b64encode(barcode.data).decode("ascii"),
        },
        "contests": [
            {"contestId": c.contest_id, "box": _box(c.box), "options": [{"optionId": o, "box": _box(b)} for o, b in c.options]}
            for c in reading.contests
        ],
    }


def _scores(reading: PageReading) -> list[Json]:
    """One entry a bubble; a write-in's entry also holds the ink of its area."""
    areas = {(area.contest_id, area.option_id): area for area in reading.write_ins}
    entries = []
    for bubble in reading.bubbles:
        entry: Json = {
            "side": reading.side,
            "contestId": bubble.contest_id,
            "optionId": bubble.option_id,
            "box": _box(bubble.box),
            "fill": _score(bubble.fill),
            "outline": _score(bubble.outline),
            "stroke": _score(bubble.stroke),
            "greyInk": [{"kind": found.kind, "score": _score(found.score)} for found in bubble.grey_ink],
            "verdict": str(bubble.verdict),
            "doubt": None if bubble.doubt is None else str(bubble.doubt),
        }
        area = areas.get((bubble.contest_id, bubble.option_id))
        if area is not None:
            entry["writeInArea"] = {
                "corners": [list(corner) for corner in area.corners],
                "ink": _score(area.ink),
                "filled": area.filled,
                "doubt": None if area.doubt is None else str(area.doubt),
            }
        entries.append(entry)
    return entries
