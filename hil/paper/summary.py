"""Summary pages as ballot-marking devices print them: the voter's choices in words, and in a QR code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.definition.payload_fields import BallotType
from edge.definition.qr_text import barcode_text
from edge.definition.summary_payload import SummaryPayload, SummaryVersion, encode_summary_payload
from hil.paper.exposure import ExposedSide, Exposure
from hil.paper.ink import PAPER_TONE, Plate
from hil.paper.layout import LEADING
from hil.paper.lettering import Grey, break_lines
from hil.paper.names import invented_write_in
from hil.paper.qr import ErrorCorrection, qr_matrix

if TYPE_CHECKING:
    from edge.definition.election import Contest, Election

QR_SIDE = 1.1
_QUIET = 0.15
_MARGIN = 0.45
_HEAD = 1.75
_COLUMNS = 3
_GUTTER = 0.2
_TYPE_SIZES = (0.13, 0.115, 0.1, 0.085, 0.07)


@dataclass(frozen=True, slots=True, eq=False)
class PrintedSummary:
    """One machine-marked page.

    Attributes:
        payload: What it says.
        barcode: The payload's bytes.
        dpi: Pixels per inch.
        front: Grey uint8, read-only.
        back: The blank back, same shape.
    """

    payload: SummaryPayload
    barcode: bytes
    dpi: int
    front: Grey
    back: Grey

    def exposure(self) -> Exposure:
        """The sheet as a scanner gets it, undamaged; it has neither bubbles nor timing marks."""
        width = float(self.front.shape[1])
        sides = [
            ExposedSide(name, pixels, pixels, np.empty((0, 2)), (0.0, width))
            for name, pixels in (("front", self.front), ("back", self.back))
        ]
        return Exposure(sides[0], sides[1], self.dpi)


def render_summary(
    election: Election,
    payload: SummaryPayload,
    *,
    width: float = 8.5,
    height: float = 11.0,
    qr_at: tuple[float, float] | None = None,
    error: ErrorCorrection = "M",
    dpi: int = 200,
) -> PrintedSummary:
    """Prints one summary page.

    Args:
        election: The election.
        payload: What the page says.
        width: Of the paper in inches: 8.5, or 8 for the narrow thermal paper.
        height: Of the paper in inches.
        qr_at: Top-left corner of the QR code in inches, printed over whatever is there; top right if None.
        error: Error correction of the QR code.
        dpi: Pixels per inch.

    Returns:
        The page and its blank back.
    """
    barcode = encode_summary_payload(payload, election)
    plate = Plate(round(width * dpi), round(height * dpi), dpi)
    qr_x, qr_y = qr_at or (width - _MARGIN - QR_SIDE, 0.5)
    _print_head(plate, election, payload, width)
    _print_choices(plate, election, payload, width, height)
    plate.clear(qr_x - _QUIET, qr_y - _QUIET, qr_x + QR_SIDE + _QUIET, qr_y + QR_SIDE + _QUIET)
    plate.modules(qr_x, qr_y, QR_SIDE, qr_matrix(barcode_text(barcode), error))
    front = plate.printed()
    front.setflags(write=False)
    back = np.full_like(front, PAPER_TONE)
    back.setflags(write=False)
    return PrintedSummary(payload, barcode, dpi, front, back)


def _print_head(plate: Plate, election: Election, payload: SummaryPayload, width: float) -> None:
    style = election.ballot_styles[payload.style_index]
    lines = (
        ("TEST BALLOT" if payload.test_mode else "Official Ballot", 0.2, True),
        (election.title, 0.16, True),
        (f"{election.date[:10]}    {election.precincts[payload.precinct_index].name}    style {style.id}", 0.12, False),
        (f"Page {payload.page_number} of {payload.total_pages}    {payload.audit_id or ''}", 0.12, False),
    )
    down = 0.5
    for text, size, bold in lines:
        plate.text(_MARGIN, down, text, size, bold=bold)
        down += LEADING * size
    plate.rectangle(_MARGIN, _HEAD - 0.08, width - _MARGIN, _HEAD - 0.06)


def _choice_lines(contest: Contest, payload: SummaryPayload, size: float, width: float) -> list[tuple[str, bool]]:
    names = {option.id: option.name for option in contest.options}
    chosen = [names[option] for option in payload.votes.get(contest.id, ())]
    chosen += [f"{name} (write-in)" for name in payload.write_ins.get(contest.id, ())]
    lines = [(line, False) for line in break_lines(contest.title, size, width)]
    for name in chosen or ["[no selection]"]:
        lines += [(line, bool(chosen)) for line in break_lines(name, size, width * 0.95)]
    return lines


def _print_choices(plate: Plate, election: Election, payload: SummaryPayload, width: float, height: float) -> None:
    column_width = (width - 2 * _MARGIN - (_COLUMNS - 1) * _GUTTER) / _COLUMNS
    contests = [election.contest(contest_id) for contest_id in payload.contests_on_page]
    for size in _TYPE_SIZES:
        blocks = [_choice_lines(contest, payload, size, column_width) for contest in contests]
        places = _flow([len(block) * LEADING * size + 0.1 for block in blocks], height - _HEAD - _MARGIN)
        if places is not None:
            break
    else:
        raise ValueError("the choices do not fit on one summary page")
    for block, (column, offset) in zip(blocks, places, strict=True):
        x, y = _MARGIN + column * (column_width + _GUTTER), _HEAD + offset
        for line, bold in block:
            plate.text(x, y, line, size, bold=bold)
            y += LEADING * size
        plate.rectangle(x, y + 0.03, x + column_width, y + 0.035)


def _flow(heights: list[float], room: float) -> list[tuple[int, float]] | None:
    """Column and offset of each block, top to bottom and left to right; None when they need more columns."""
    places = []
    column, offset = 0, 0.0
    for block in heights:
        if offset + block > room:
            column, offset = column + 1, 0.0
        if column == _COLUMNS:
            return None
        places.append((column, offset))
        offset += block
    return places


def random_summary_payloads(
    election: Election,
    seed: int,
    version: SummaryVersion = SummaryVersion.VS1,
    *,
    pages: int = 1,
    style_index: int = 0,
    precinct_index: int = 0,
    test_mode: bool = False,
    ballot_type: BallotType = BallotType.PRECINCT,
) -> tuple[SummaryPayload, ...]:
    """What a random voter's summary ballot says.

    Args:
        election: The election.
        seed: The voter.
        version: Any of the four published bodies; only the multi-page ones may have more than one page.
        pages: Pages to spread the contests over.
        style_index: Place in the election's ballot styles.
        precinct_index: Place in the election's precincts.
        test_mode: Whether it is a test ballot.
        ballot_type: How it reached the voter.

    Returns:
        One payload per page.
    """
    rng = np.random.default_rng((seed, 3))
    contests = election.contests_of(election.ballot_styles[style_index])
    votes: dict[str, tuple[str, ...]] = {}
    write_ins: dict[str, tuple[str, ...]] = {}
    for contest in contests:
        count = 0 if rng.random() < 0.15 else int(rng.integers(1, contest.seats + 1))
        own = int(rng.binomial(count, 0.2)) if contest.allow_write_ins else 0
        picked = set(rng.permutation(len(contest.options))[: count - own].tolist())
        votes[contest.id] = tuple(option.id for index, option in enumerate(contest.options) if index in picked)
        if own:
            write_ins[contest.id] = tuple(invented_write_in(rng) for _ in range(own))
    audit_id = f"{rng.integers(1 << 32):08x}-{rng.integers(1 << 16):04x}" if version.multipage else None
    shares = [contests[page * len(contests) // pages : (page + 1) * len(contests) // pages] for page in range(pages)]
    return tuple(
        SummaryPayload(
            version=version,
            ballot_hash=election.ballot_hash,
            precinct_index=precinct_index,
            style_index=style_index,
            page_number=page + 1,
            total_pages=pages,
            test_mode=test_mode,
            ballot_type=ballot_type,
            audit_id=audit_id,
            votes={contest.id: votes[contest.id] for contest in share},
            write_ins={contest.id: write_ins[contest.id] for contest in share if contest.id in write_ins},
            contests_on_page=tuple(contest.id for contest in share),
        )
        for page, share in enumerate(shares)
    )
