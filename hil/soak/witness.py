"""Who watches the books, the status documents and the accept line: acceptance is signalled for what is counted, never before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from gpiozero.pins.mock import MockPin

from edge.evidence.events import LogEvent
from edge.evidence.reading import SheetReading
from edge.evidence.store import Books, PendingStage, SheetStore
from edge.station.signals import Signal
from edge.station.status import StatusDocument
from hil.rig.station import OUTPUTS, StationRig


class WitnessedStore:
    """Passes everything on to `books`; keeps `edge.evidence.store.SheetStore`.

    Attributes:
        stage: How far the books have a sheet on its way into the box, or None.
        commits: Sheets that were counted since the making of this object.
        mistakes: What must never be, each in one sentence.
        line: The accept line of the station that they belong to.
    """

    def __init__(self, books: SheetStore) -> None:
        self.stage: PendingStage | None = None
        self.commits = 0
        self.mistakes: list[str] = []
        self.line = AcceptLine()
        self._books = books

    def read(self) -> Books:
        """As the books."""
        return self._seen(self._books.read())

    def write_pending(self, reading: SheetReading) -> Books:
        """As the books."""
        return self._seen(self._books.write_pending(reading))

    def mark_pending(self, stage: PendingStage) -> Books:
        """As the books."""
        return self._seen(self._books.mark_pending(stage))

    def commit(self) -> Books:
        """As the books, after a look at the line: it must be dark until they have counted the sheet."""
        if self.line.is_lit:
            self.mistakes.append("acceptance was signalled before the sheet was counted")
        books = self._seen(self._books.commit())
        self.commits += 1
        return books

    def erase(self) -> Books:
        """As the books."""
        return self._seen(self._books.erase())

    def keep_returned(self, reading: SheetReading) -> Books:
        """As the books."""
        return self._seen(self._books.keep_returned(reading))

    def open_polls(self) -> Books:
        """As the books."""
        return self._seen(self._books.open_polls())

    def pause_polls(self) -> Books:
        """As the books."""
        return self._seen(self._books.pause_polls())

    def note(self, events: Sequence[LogEvent]) -> Books:
        """As the books."""
        return self._seen(self._books.note(events))

    def tend(self) -> Books:
        """As the books."""
        return self._seen(self._books.tend())

    def _seen(self, books: Books) -> Books:
        self.stage = books.pending
        return books

    def close(self) -> None:
        """As the books."""
        self._books.close()


class AcceptLine:
    """The accept line of a station, as its pin shows it; dark until `follow` was called."""

    def __init__(self) -> None:
        self._pins: list[MockPin] = []
        self._before = 0

    def follow(self, rig: StationRig) -> None:
        """Look at this station's pins from now on."""
        self._pins = [rig.pins.pin(number) for number in (OUTPUTS["accept"], *OUTPUTS.values())]

    @property
    def is_lit(self) -> bool:
        """Whether it is lit now."""
        return bool(self._pins and self._pins[0].state)

    @property
    def times(self) -> int:
        """How often it was lit so far."""
        return self._before + self._edges()

    def forget_times(self) -> None:
        """Let go of the times that mock pins keep of every change, for ever; to be called while nothing changes."""
        self._before += self._edges()
        for pin in self._pins:
            pin.clear_states()

    def _edges(self) -> int:
        levels = [bool(kept.state) for pin in self._pins[:1] for kept in tuple(pin.states)]
        return sum(after and not before for before, after in pairwise(levels))


class SignalWitness:
    """Reads the status documents in order.

    Attributes:
        signals: How often acceptance was signalled; again where the signal was interrupted.
        sheets: For how many sheets.
        mistakes: What must never be, each in one sentence.
    """

    def __init__(self) -> None:
        self.signals = 0
        self.sheets = 0
        self.mistakes: list[str] = []
        self._count: int | None = None
        self._counted = False
        self._told = False
        self._signalling = False

    def read(self, documents: Iterable[StatusDocument]) -> None:
        """Go on with these documents."""
        for document in documents:
            self._read(document)

    def _read(self, document: StatusDocument) -> None:
        if self._count is not None and document.count > self._count:
            self._counted, self._told = True, False
        if document.state == "scanning":
            self._counted = False
        self._count = document.count
        accepted = document.signal == Signal.ACCEPTED
        if accepted and not self._counted:
            self.mistakes.append(f"acceptance was signalled with a count of {document.count}, and the sheet is not in it")
        self.signals += accepted and not self._signalling
        self.sheets += accepted and not self._told
        self._told = self._told or accepted
        self._signalling = accepted
