"""Where every sheet is: the paper path as a state machine in which a sheet moves only as rollers or hands can move it.

A sheet goes from `hand` to `front`, where it sticks out and covers the front sensors. Drawn in it is `spanning` (it covers the
front and the rear sensors) or, if it is shorter than the path, `inside` (it covers none); then `escrow` (only the rear sensors),
then `box`. A sheet that has reached the box stays there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from hil.scanner.sheet import DPI, Sheet


class IllegalMove(Exception):  # noqa: N818 (it is what it says)
    """A sheet cannot go there from where it is, or a hand cannot reach it."""


class Place(StrEnum):
    """Where a sheet can be."""

    HAND = "hand"
    FRONT = "front"
    INSIDE = "inside"
    SPANNING = "spanning"
    ESCROW = "escrow"
    BOX = "box"


class Sensor(StrEnum):
    """The paper sensors, in the order of the status bits: two at the rear, five at the front."""

    REAR_LEFT = "rear-left"
    REAR_RIGHT = "rear-right"
    FRONT_LEFT = "front-left"
    FRONT_M1 = "front-m1"
    FRONT_M2 = "front-m2"
    FRONT_M3 = "front-m3"
    FRONT_M4 = "front-m4"


REAR_SENSORS = (Sensor.REAR_LEFT, Sensor.REAR_RIGHT)
FRONT_SENSORS = tuple(sensor for sensor in Sensor if sensor not in REAR_SENSORS)
HELD = (Place.INSIDE, Place.SPANNING, Place.ESCROW)
"""Places where the rollers have the whole or half of a sheet."""

_CRUMPLED = frozenset({Sensor.REAR_LEFT, Sensor.FRONT_LEFT, Sensor.FRONT_M1})
"""What a sheet jammed between the sensors covers, as in the published status of a jam."""
_ROLLERS: dict[Place, frozenset[Place]] = {
    Place.HAND: frozenset(),
    Place.FRONT: frozenset({Place.INSIDE, Place.SPANNING, Place.HAND}),
    Place.INSIDE: frozenset({Place.FRONT, Place.ESCROW}),
    Place.SPANNING: frozenset({Place.FRONT, Place.ESCROW}),
    Place.ESCROW: frozenset({Place.INSIDE, Place.SPANNING, Place.BOX}),
    Place.BOX: frozenset(),
}
_HAND: dict[Place, frozenset[Place]] = {
    Place.HAND: frozenset({Place.FRONT}),
    Place.FRONT: frozenset({Place.HAND}),
    Place.SPANNING: frozenset({Place.HAND}),
}
_HAND_UNDER_COVER: dict[Place, frozenset[Place]] = _HAND | {
    Place.INSIDE: frozenset({Place.HAND}),
    Place.ESCROW: frozenset({Place.HAND, Place.BOX}),
}


class PaperPath:
    """All sheets ever seen, and where they are.

    Args:
        path_inches: From the front sensors to the rear sensors.
        on_move: Called after each move with the sheet's name and its new place.

    Attributes:
        box: Names of the sheets in the box, in order of arrival.
        cover_open: Hands can reach the whole path.
        fresh: Sheets at the front that were put there by a hand and not yet touched by the rollers.
        crumpled: Sheets that the rollers cannot move.
        stuck: Sensors that say covered or clear whatever they see.
    """

    def __init__(self, path_inches: float, on_move: Callable[[str, Place], None]) -> None:
        self.box: list[str] = []
        self.cover_open = False
        self.fresh: set[str] = set()
        self.crumpled: set[str] = set()
        self.stuck: dict[Sensor, bool] = {}
        self._path_rows = path_inches * DPI
        self._on_move = on_move
        self._sheets: dict[str, Sheet] = {}
        self._places: dict[str, Place] = {}
        self._width: dict[str, int] = {}

    @property
    def places(self) -> dict[str, Place]:
        """Where each known sheet is; those that came to the front last stand last."""
        return dict(self._places)

    def sheet(self, name: str) -> Sheet:
        """Give the sheet of that name. Raises KeyError for a name never seen."""
        return self._sheets[name]

    def at(self, *places: Place) -> list[str]:
        """Names of the sheets at any of these places, those that came to the front last standing last."""
        return [name for name, place in self._places.items() if place in places]

    def covered(self) -> frozenset[Sensor]:
        """Sensors that say that they see paper."""
        seeing: set[Sensor] = set()
        for name, place in self._places.items():
            if place is Place.SPANNING and name in self.crumpled:
                seeing |= _CRUMPLED
                continue
            if place in {Place.FRONT, Place.SPANNING}:
                seeing.update(FRONT_SENSORS[: self._width[name]])
            if place in {Place.ESCROW, Place.SPANNING}:
                seeing.update(REAR_SENSORS)
        return frozenset(sensor for sensor in Sensor if self.stuck.get(sensor, sensor in seeing))

    def put_in(self, sheets: Sequence[Sheet | str], sensors: int) -> list[str]:
        """Put sheets to the front by hand, one on top of the other.

        Args:
            sheets: Sheets, or names of sheets seen before.
            sensors: How many front sensors they cover, 1 to 5.

        Returns:
            Their names.

        Raises:
            IllegalMove: A sheet is not in a hand, or its name belongs to another or is unknown.
        """
        if not 1 <= sensors <= len(FRONT_SENSORS):
            raise IllegalMove(f"a sheet covers 1 to {len(FRONT_SENSORS)} front sensors, not {sensors}")
        found = [self._known(sheet) for sheet in sheets]
        names = [sheet.name for sheet in found]
        if len(set(names)) < len(names):
            raise IllegalMove(f"{', '.join(names)}: a sheet can be put in only once")
        for sheet in found:
            self._check(sheet.name, Place.FRONT, _HAND)
        for sheet in found:
            self._sheets[sheet.name] = sheet
            self._width[sheet.name] = sensors
            self._places.pop(sheet.name, None)  # so that it stands last
            self._place(sheet.name, Place.FRONT)
            self.fresh.add(sheet.name)
        return names

    def take(self, names: Sequence[str], to: Place = Place.HAND) -> None:
        """Move sheets by hand. Raises IllegalMove, and then moves none, if a hand cannot do it."""
        for name in names:
            self._check(name, to, _HAND_UNDER_COVER if self.cover_open else _HAND)
        for name in names:
            self._place(name, to)

    def roll(self, name: str, to: Place) -> None:
        """Move a sheet by the rollers. Raises IllegalMove if they cannot do it."""
        self._check(name, to, _ROLLERS)
        self._place(name, to)

    def middle(self, name: str) -> Place:
        """Where the sheet is between front and escrow."""
        return Place.SPANNING if self._sheets[name].rows >= self._path_rows else Place.INSIDE

    def route(self, name: str, to: Place) -> list[Place]:
        """Places through which the rollers move a sheet to the box, the front, or out there (hand); the last one included."""
        line = [Place.HAND, Place.FRONT, self.middle(name), Place.ESCROW, Place.BOX]
        here, there = line.index(self._places[name]), line.index(to)
        return line[here + 1 : there + 1] if here < there else line[there:here][::-1]

    def _known(self, sheet: Sheet | str) -> Sheet:
        if isinstance(sheet, Sheet):
            if self._sheets.get(sheet.name, sheet) is not sheet:
                raise IllegalMove(f"another sheet is called {sheet.name}")
            return sheet
        if sheet not in self._sheets:
            raise IllegalMove(f"no sheet is called {sheet}")
        return self._sheets[sheet]

    def _check(self, name: str, to: Place, moves: dict[Place, frozenset[Place]]) -> None:
        place = self._places.get(name, Place.HAND)
        if to not in moves.get(place, ()):
            mover = "the rollers" if moves is _ROLLERS else "a hand"
            cover = " with the cover closed" if moves is _HAND else ""
            raise IllegalMove(f"{mover} cannot move sheet {name} from {place} to {to}{cover}")

    def _place(self, name: str, to: Place) -> None:
        self._places[name] = to
        self.fresh.discard(name)
        if to in {Place.HAND, Place.BOX}:
            self.crumpled.discard(name)
        if to is Place.BOX:
            self.box.append(name)
        self._on_move(name, to)
