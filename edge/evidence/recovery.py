"""After a cut, or with a medium that was away: which medium is right, and everything else brought into line with it.

The log's state is the truth: it changes in one transaction. A sheet is written into its slot before the log knows of it, settled
after. So there is at most one sheet that is not settled, and the state says what it is: pending, already counted, or never
written down.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from edge.evidence.archive import SheetKind
from edge.evidence.event_log import LogState
from edge.evidence.medium import Medium, settled_ids
from edge.evidence.store import StoreError

_INTO_BOX = frozenset({SheetKind.CAST, SheetKind.TALLY})
"""What a sheet that is on its way into the box can be."""


def align_boxes(media: Sequence[Medium], state: LogState) -> None:
    """Bring the boxes into line with the state and with each other, and note where the pending sheet is.

    Args:
        media: The one that leads first.
        state: Its state.

    Raises:
        StoreError: storeCorrupt when the sheets contradict the counts; nothing was changed then.
    """
    settled = {kind: frozenset[uuid.UUID]().union(*(settled_ids(medium, kind) for medium in media)) for kind in SheetKind}
    open_sheet = _open_sheet(media, state, settled)
    pending = None
    if open_sheet is not None:
        kind, identity = open_sheet
        if state.pending is None:
            settled[kind] |= {identity}
        else:
            pending = open_sheet
    for kind in SheetKind:
        if len(settled[kind]) != state.kept(kind):
            raise StoreError("storeCorrupt", f"{len(settled[kind])} {kind} sheets are kept, {state.kept(kind)} are counted")
    for medium in media:
        _align(medium, media, settled, pending)


def _open_sheet(
    media: Sequence[Medium], state: LogState, settled: dict[SheetKind, frozenset[uuid.UUID]]
) -> tuple[SheetKind, uuid.UUID] | None:
    """The one sheet that was written down but not settled and that the state wants; None when it wants none."""
    done = frozenset[uuid.UUID]().union(*settled.values())
    if state.pending is not None:
        wanted = _INTO_BOX
    else:
        wanted = frozenset(kind for kind in SheetKind if state.kept(kind) == len(settled[kind]) + 1)
        if not wanted:
            return None
    # The other medium may still hold one that was wiped while it was away.
    for medium in media:
        slots = [
            (slot, entry)
            for slot, entry in medium.open_box().entries.items()
            if not entry.settled and entry.id not in done and entry.kind in wanted
        ]
        if len(slots) == 1 and medium.open_box().is_whole(slots[0][0]):
            return slots[0][1].kind, slots[0][1].id
        if len(slots) > 1:
            break
    raise StoreError("storeCorrupt", "a sheet was written down, but no medium has it whole")


def _align(
    medium: Medium,
    media: Sequence[Medium],
    settled: dict[SheetKind, frozenset[uuid.UUID]],
    pending: tuple[SheetKind, uuid.UUID] | None,
) -> None:
    box = medium.open_box()
    wanted = {identity: kind for kind, identities in settled.items() for identity in identities}
    for slot, entry in box.entries.items():
        if entry.id in wanted and not entry.settled:
            if box.is_whole(slot):
                box.settle(slot)
            else:
                box.wipe(slot)
        elif entry.id not in wanted and (pending is None or entry.id != pending[1]):
            box.wipe(slot)
    # By id, so that the order in which they are copied says nothing either.
    present = {entry.id for entry in box.entries.values()}
    for identity in sorted(wanted.keys() - present):
        box.settle(box.put(identity, wanted[identity], sheet_from(media, identity)))
    if pending is not None:
        kind, identity = pending
        slot_of = medium.slot_of(identity)
        if slot_of is not None and not box.is_whole(slot_of):
            box.wipe(slot_of)
            slot_of = None
        medium.pending = box.put(identity, kind, sheet_from(media, identity)) if slot_of is None else slot_of


def sheet_from(media: Sequence[Medium], identity: uuid.UUID) -> bytes:
    """A sheet from the first medium that has it whole.

    Raises:
        StoreError: storeCorrupt when none has.
    """
    for medium in media:
        slot = medium.slot_of(identity)
        if slot is not None and medium.open_box().is_whole(slot):
            return medium.open_box().sheet(slot)
    raise StoreError("storeCorrupt", "no medium has a sheet whole that is counted")
