"""A printed sheet: both sides of one blank ballot, and where everything on it lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from edge.definition.bottom_row import BackCode, FrontCode, encode_back, encode_front
from edge.definition.bubble_payload import BubblePayload, BubbleVersion, encode_bubble_payload
from edge.definition.payload_fields import BallotType
from edge.definition.qr_text import barcode_text
from hil.paper.composition import (
    QR_SIDE,
    PageText,
    print_contests,
    print_foot,
    print_head,
    print_timing_marks,
    qr_corner,
)
from hil.paper.geometry import PageGeometry
from hil.paper.ink import Plate
from hil.paper.lettering import Grey
from hil.paper.qr import qr_matrix
from hil.paper.stroke import Box

if TYPE_CHECKING:
    from fractions import Fraction

    from edge.definition.election import Election
    from edge.definition.page_layout import BubblePosition

SIDES = ("front", "back")


@dataclass(frozen=True, slots=True)
class PrintedBubble:
    """A bubble on paper.

    Attributes:
        position: What the definition says of it.
        x: Centre in pixels from the side's left edge; pixel i covers i to i + 1.
        y: Centre in pixels from the side's top edge.
        write_in_area: Where a name belongs, in pixels, if this is a write-in.
    """

    position: BubblePosition
    x: float
    y: float
    write_in_area: Box | None

    @property
    def side(self) -> str:
        """The side it is printed on: front or back."""
        return self.position.side


@dataclass(frozen=True, slots=True, eq=False)
class PrintedSheet:
    """Both sides of a blank ballot at one resolution.

    Attributes:
        election: The election it belongs to.
        style_id: Its ballot style.
        sheet_number: 1 for the first sheet.
        precinct_index: The precinct it says.
        test_mode: Whether it says it is a test ballot.
        dpi: Pixels per inch.
        geometry: The grid.
        front: Grey uint8, shape (height, width), read-only.
        back: The same for the back.
        qr_payloads: Bytes in the QR codes of front and back; None for timing-mark ballots.
        bubbles: Every bubble of the sheet, front first, in layout order.
    """

    election: Election
    style_id: str
    sheet_number: int
    precinct_index: int
    test_mode: bool
    dpi: int
    geometry: PageGeometry
    front: Grey
    back: Grey
    qr_payloads: tuple[bytes, bytes] | None
    bubbles: tuple[PrintedBubble, ...]

    def side(self, name: str) -> Grey:
        """The image of `front` or `back`."""
        return self.front if name == "front" else self.back

    def pixel(self, column: Fraction, row: Fraction) -> tuple[float, float]:
        """The printed place of a grid coordinate, in pixels."""
        return self.geometry.pixel(column, row, self.dpi)

    def bubbles_on(self, side: str) -> tuple[PrintedBubble, ...]:
        """The bubbles of one side."""
        return tuple(bubble for bubble in self.bubbles if bubble.side == side)

    def bubble(self, contest_id: str, option_id: str) -> PrintedBubble:
        """The first bubble of an option.

        Raises:
            KeyError: When the sheet has none.
        """
        for bubble in self.bubbles:
            if (bubble.position.contest_id, bubble.position.option_id) == (contest_id, option_id):
                return bubble
        raise KeyError((contest_id, option_id))


@dataclass(frozen=True, slots=True)
class _Order:
    """What is printed; elections are told apart by their hash, which is a hash of their bytes."""

    ballot_hash: bytes
    election: Election = field(compare=False)
    style_id: str
    sheet_number: int
    precinct_index: int
    test_mode: bool
    ballot_type: BallotType
    payload_version: BubbleVersion
    audit_id: str | None
    dpi: int


def render_sheet(
    election: Election,
    style_id: str,
    sheet_number: int = 1,
    *,
    precinct_index: int = 0,
    test_mode: bool = False,
    ballot_type: BallotType = BallotType.PRECINCT,
    payload_version: BubbleVersion = BubbleVersion.V4_0,
    audit_id: str | None = None,
    dpi: int = 200,
) -> PrintedSheet:
    """Prints a blank sheet; the last few are kept, so printing the same one again costs nothing.

    Args:
        election: A made-up election (`hil.paper.election`), loaded.
        style_id: One of its ballot styles.
        sheet_number: Which sheet of the ballot, from 1.
        precinct_index: Place in the election's precincts.
        test_mode: Whether the QR code says it is a test ballot.
        ballot_type: As the QR code says.
        payload_version: Version of the QR payload.
        audit_id: Put into the QR code if given.
        dpi: Pixels per inch, 200 or 300 usually.

    Returns:
        The sheet; both images are read-only.

    Raises:
        ValueError: When the election names no paper or the style has no such sheet.
    """
    return _render(
        _Order(
            election.ballot_hash,
            election,
            style_id,
            sheet_number,
            precinct_index,
            test_mode,
            ballot_type,
            payload_version,
            audit_id,
            dpi,
        )
    )


@lru_cache(maxsize=12)
def _render(order: _Order) -> PrintedSheet:
    election = order.election
    layout = election.layout(order.style_id) or ()
    sheets = max((position.sheet_number for position in layout), default=0)
    if election.paper_size is None or not 1 <= order.sheet_number <= sheets:
        raise ValueError(f"style {order.style_id} has no sheet {order.sheet_number} with a known paper")
    coded = election.metadata_encoding == "timing-marks"
    geometry = PageGeometry(election.paper_size, bottom_row_is_code=coded)
    payloads = None if coded else (_payload(order, "front"), _payload(order, "back"))
    images = []
    for number, side in enumerate(SIDES):
        plate = Plate(*geometry.size_in_pixels(order.dpi), order.dpi)
        print_timing_marks(plate, geometry, _bottom_bits(order, side) if coded else None)
        text = _page_text(order, sheets, 2 * order.sheet_number - 1 + number)
        print_head(plate, geometry, text)
        positions = [position for position in layout if (position.sheet_number, position.side) == (order.sheet_number, side)]
        print_contests(plate, geometry, election, positions)
        print_foot(plate, geometry, text)
        if payloads is not None:
            plate.modules(*qr_corner(geometry), float(QR_SIDE), qr_matrix(barcode_text(payloads[number])))
        image = plate.printed()
        image.setflags(write=False)
        images.append(image)
    return PrintedSheet(
        election=election,
        style_id=order.style_id,
        sheet_number=order.sheet_number,
        precinct_index=order.precinct_index,
        test_mode=order.test_mode,
        dpi=order.dpi,
        geometry=geometry,
        front=images[0],
        back=images[1],
        qr_payloads=payloads,
        bubbles=tuple(_bubbles(order, geometry)),
    )


def _bubbles(order: _Order, geometry: PageGeometry) -> list[PrintedBubble]:
    bubbles = []
    for side in SIDES:
        for position in order.election.layout(order.style_id) or ():
            if (position.sheet_number, position.side) != (order.sheet_number, side):
                continue
            x, y = geometry.pixel(position.column, position.row, order.dpi)
            box = None
            if position.write_in_area is not None:
                area = position.write_in_area
                left, top = geometry.pixel(area.column, area.row, order.dpi)
                right, bottom = geometry.pixel(area.column + area.width, area.row + area.height, order.dpi)
                box = Box(round(left), round(top), round(right), round(bottom))
            bubbles.append(PrintedBubble(position, x, y, box))
    return bubbles


def _payload(order: _Order, side: str) -> bytes:
    election = order.election
    payload = BubblePayload(
        version=order.payload_version,
        ballot_hash=election.ballot_hash,
        precinct_index=order.precinct_index,
        style_index=[style.id for style in election.ballot_styles].index(order.style_id),
        page_number=2 * order.sheet_number - (side == "front"),
        test_mode=order.test_mode,
        ballot_type=order.ballot_type,
        audit_id=order.audit_id,
    )
    return encode_bubble_payload(payload, election)


def _bottom_bits(order: _Order, side: str) -> int:
    if side == "front":
        return encode_front(FrontCode(order.precinct_index + 1, int(order.style_id.rpartition("-")[2])))
    year, month, day = (int(part) for part in order.election.date[:10].split("-"))
    return encode_back(BackCode(day, month, year % 100, "G"))


def _page_text(order: _Order, sheets: int, page: int) -> PageText:
    election = order.election
    return PageText(
        heading="TEST BALLOT" if order.test_mode else "Official Ballot",
        election=election.title,
        date=election.date[:10],
        precinct=election.precincts[order.precinct_index].name,
        style=order.style_id,
        ballot_hash=election.ballot_hash.hex()[:10],
        page=page,
        pages=2 * sheets,
    )
