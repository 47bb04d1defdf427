"""A scanned sheet as a tally sheet: which form it is, on which side, and what happens to it. Pure.

The page itself tells: a side on which a form is found is that form. Nothing is asked of the other side but that no form is there
too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from edge.decision import Disposition, Reason
from edge.definition.canonical_json import canonical_bytes
from edge.definition.form import Form, load_form
from edge.page.page import Grey
from edge.tally.decide import decide_tally
from edge.tally.interpret import interpret_sighted
from edge.tally.readers import tally_readers
from edge.tally.record import INTERPRETER_VERSION, RECORD_VERSION, record
from edge.tally.result import TallyInterpretation
from edge.tally.scan import grey_scan
from edge.tally.sighting import look

_SCANS = ("A", "B")


class FormCode(StrEnum):
    """Why a sheet is not taken for a form."""

    NOT_FOUND = "formNotFound"
    """Neither side is one of the forms."""
    AMBIGUOUS = "formAmbiguous"
    """A form fits on a side in two ways."""
    INCOMPLETE = "formIncomplete"
    """A form is there, and too many of its printed frames are not."""
    SEVERAL = "severalSheets"
    """A side shows several sheets of a form."""
    UNSURE = "formUnsure"
    """More than one form is found."""


@dataclass(frozen=True, slots=True)
class TallySheet:
    """A sheet as read.

    Attributes:
        disposition: What is to happen to it.
        record: Canonical JSON of the reading.
        form: Name of its form; None when it is none of them.
    """

    disposition: Disposition
    record: bytes
    form: str | None


class TallySheetReader:
    """Reads tally sheets of some forms.

    Args:
        forms: The forms' files.

    Raises:
        DefinitionError: one of them is no form.
        ModelError: one of the models, or what runs it, cannot be used.
    """

    def __init__(self, forms: Sequence[bytes]) -> None:
        self._forms = [load_form(raw) for raw in forms]
        self._readers = tally_readers()

    def read(self, top: Grey, bottom: Grey) -> TallySheet:
        """Read a sheet; uint8 grey of shape (height, width) for each side, any way up."""
        read = [_Side(scan, *one) for scan, grey in zip(_SCANS, (top, bottom), strict=True) for one in self._side(grey)]
        found = [side for side in read if side.interpretation.refusal is None]
        if not found:
            return _refused(read)
        best = max(found, key=lambda side: side.fit)
        disposition = decide_tally(best.interpretation, best.form, whole_sheet=True)
        if any(side.scan != best.scan or side.fit == best.fit for side in found if side is not best):
            told = ", ".join(f"{side.form.name} on side {side.scan}" for side in found)
            reason = Reason(FormCode.UNSURE, detail=f"more than one form is found: {told}")
            disposition = Disposition("hold", (reason, *disposition.reasons), castable=False)
        document = record(best.interpretation, disposition) | {"scan": best.scan}
        return TallySheet(disposition, canonical_bytes(document), best.form.name)

    def _side(self, grey: Grey) -> Iterator[tuple[Form, TallyInterpretation]]:
        scan = grey_scan(grey)
        sighting = look(scan, self._readers.regions)
        for form in self._forms:
            yield form, interpret_sighted(scan, form, self._readers.digits, sighting)


@dataclass(frozen=True, slots=True)
class _Side:
    """What a side is as one of the forms."""

    scan: str
    form: Form
    interpretation: TallyInterpretation

    @property
    def fit(self) -> Fraction:
        """The share of the form's frames that were found."""
        placement = self.interpretation.placement
        return Fraction(placement.matched, max(1, placement.expected)) if placement is not None else Fraction(0)


def _refused(sides: Sequence[_Side]) -> TallySheet:
    """The reading of a sheet that is none of the forms."""
    refusals = [side.interpretation.refusal for side in sides if side.interpretation.refusal is not None]
    reason = Reason(FormCode.NOT_FOUND, detail="neither side is one of the forms")
    for code in (FormCode.SEVERAL, FormCode.INCOMPLETE, FormCode.AMBIGUOUS):
        details = [refusal.detail for refusal in refusals if refusal.code == code]
        if details:
            reason = Reason(code, detail="; ".join(details))
            break
    disposition = Disposition("return", (reason,), castable=False)
    document = {
        "disposition": {
            "kind": disposition.kind,
            "castable": disposition.castable,
            "reasons": [{"code": str(reason.code), "detail": reason.detail}],
        },
        "kind": "refused",
        "sides": [
            {"scan": side.scan, "form": side.form.name, "code": side.interpretation.refusal.code}
            for side in sides
            if side.interpretation.refusal is not None
        ],
        "versions": {"interpreter": INTERPRETER_VERSION, "record": RECORD_VERSION},
    }
    return TallySheet(disposition, canonical_bytes(document), None)
