"""What reading a tally sheet gives: plain, immutable records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.inference.identity import FinderIdentity, ReaderIdentity
    from edge.page.area import Area
    from edge.tally.ink_hash import InkHash

CellState = Literal["empty", "dash", "digit", "unreadable"]

EMPTY_LABEL, DASH_LABEL, UNREADABLE_LABEL = 10, 11, 12
LABELS = 13
"""Classes of the digit model: the digits are their own labels."""


@dataclass(frozen=True, slots=True)
class CellReading:
    """One cell.

    Attributes:
        state: What it is taken for; `unreadable` also when the margin is too small or the readers differ.
        digit: 0 to 9 for a digit, else None.
        label: What the recorded reader says, 0..12, whatever its margin.
        margin: Steps of the int8 output between the best and the second label, 0..255.
        confidence: Calibrated probability that `label` is right, in parts per 10,000.
        accepted: Whether the margin reaches the reader's threshold and the second reader agrees.
        ranked: All labels, likeliest first: pairs of label and int8 score.
        doubt: Why it is not accepted: lowMargin, readersDisagree, notADigit, foreignInk, strayInk, lineDown, lineAcross,
            frameNotFound, offImage; None when it is.
        area: Where it lies in the image, pixels.
    """

    state: CellState
    digit: int | None
    label: int
    margin: int
    confidence: int
    accepted: bool
    ranked: tuple[tuple[int, int], ...]
    doubt: str | None
    area: Area


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One field.

    Attributes:
        name: Its name on the form.
        value: A count as int, a time or code as text; None for blank paper, and when it was not read.
        reason: Why it was not read; None when it was: then `value` stands. cellUnread, gapInNumber, dashAndDigits, notATime,
            codeMissing, codesDiffer, codeLength.
        cells: Its cells in reading order; none for a code.
        detail: What `reason` is about, for people.
    """

    name: str
    value: int | str | None
    reason: str | None
    cells: tuple[CellReading, ...] = ()
    detail: str | None = None

    @property
    def read(self) -> bool:
        """Whether the value stands."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class CodeReading:
    """A barcode that was read: its symbology, its text, and the middle of it in image pixels."""

    symbology: str
    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule.

    Attributes:
        name: Its name on the form.
        holds: None when it could not be checked.
        difference: Left minus right (sum of the addends minus the total); for an upper bound how far the highest field is above
            it, at least 0. None when it could not be checked.
        reason: Why it does not hold or was not checked: notEqual, totalBlank, aboveBound, boundBlank, unread, notOnImage; None
            when it holds.
        detail: The same as a sentence.
    """

    name: str
    holds: bool | None
    difference: int | None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A reading that would mend broken rules; for a person to look at, never applied.

    Attributes:
        field: The field.
        cell: Number of the cell from 0, or None for the whole field.
        before: What was read there: the label of a cell, or the value of the field.
        after: What would mend it.
        value: The field's value then.
        mends: Names of the rules that would hold.
    """

    field: str
    cell: int | None
    before: int | None
    after: int
    value: int
    mends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the form lies in the image.

    Of a scanned page there are six coefficients. Image position in 1/256 pixel of a point (x, y) of the form in hundredths of a
    millimetre, after the scan was turned upright: `(c[0] + (c[1] * x + c[2] * y) / 2**20, c[3] + (c[4] * x + c[5] * y) / 2**20)`,
    divisions rounded half away from zero. Of a picture taken at an angle there are the eight of `edge.tally.projective`, in the
    order of its attributes; the bend of the paper comes on top.

    Attributes:
        coefficients: The six or eight numbers.
        upside_down: Whether the image was turned by half a turn first.
        dpi: Pixels per inch, rounded.
        matched: Frames that were found, of those that the image should show.
        expected: How many those are.
        brackets: Corner marks that were found.
    """

    coefficients: tuple[int, ...]
    upside_down: bool
    dpi: int
    matched: int
    expected: int
    brackets: int = 0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the region model says to the place where a form was found.

    Attributes:
        says: `agrees`, or why not: `elsewhere`, `otherForm`, `notSeen`, `severalSheets`.
        confidence: That of what it sees, in parts per 10,000; 0 where it sees nothing.
        off: How far off its table is as a whole, in parts per 10,000 of the table's diagonal; None without such a form.
        detail: The same as a sentence; None when it agrees.
    """

    says: Literal["agrees", "elsewhere", "otherForm", "notSeen", "severalSheets"]
    confidence: int
    off: int | None
    detail: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether there is no doubt."""
        return self.says == "agrees"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was read: formNotFound, formAmbiguous, formIncomplete, severalSheets or imageTooSmall, with one sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class TallyInterpretation:
    """A sheet as read.

    Attributes:
        form: Name of the form.
        form_sha256: Hash of its file.
        extent: Which part of the form the image shows: `sheet` or one of the form's extents; None when refused.
        placement: Where it lies; None when refused.
        missing: Names of fields and label frames whose printed lines are not where they belong.
        opinion: What the region model says to the place; None when refused, and where it does not know the form.
        fields: Readings of the fields and codes on that extent, by name.
        rules: All rules of the form.
        suggestions: For a person, when rules are broken.
        barcodes: Every barcode of the form's symbologies that was read.
        ink_hash: By which the same piece of paper is known again; None when refused.
        reader: Who read the digits; None when refused before.
        finder: Which region model looked at the image.
        refusal: Why nothing was read; None otherwise.
    """

    form: str
    form_sha256: str
    extent: str | None
    placement: Placement | None
    missing: tuple[str, ...]
    opinion: Opinion | None
    fields: Mapping[str, FieldReading]
    rules: tuple[RuleResult, ...]
    suggestions: tuple[Suggestion, ...]
    barcodes: tuple[CodeReading, ...]
    ink_hash: InkHash | None
    reader: ReaderIdentity | None
    finder: FinderIdentity
    refusal: Refusal | None = None
