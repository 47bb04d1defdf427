"""What the campaign's sheets are like: one kind of trouble a sheet over everyday differences, all from the sheet's seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from edge.definition.form import Form, load_form, shipped_form
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.scan import DAMAGES, generator
from hil.paper.forms.story import MISTAKES

CLEAN, SEVERAL = "clean", "several"

KINDS = (CLEAN, *DAMAGES, *MISTAKES, SEVERAL)
"""Kinds of sheets: without trouble, with one damage, with one mistake, and with several of each."""

_CLEAN_TURNS = 6
"""A kind without trouble comes as often as this many others: most sheets are like that."""
_TURNS = (*(CLEAN,) * _CLEAN_TURNS, *DAMAGES, *MISTAKES, SEVERAL)


@dataclass(frozen=True, slots=True)
class Plan:
    """One sheet of the campaign."""

    seed: int
    form: str
    kind: str
    knobs: Knobs


@cache
def form_of(name: str) -> Form:
    """A shipped form, loaded once."""
    return load_form(shipped_form(name))


def plan_sheet(seed: int, forms: tuple[str, ...]) -> Plan:
    """What the sheet with this seed is like; forms and kinds take turns, so that every kind meets every form."""
    rng = generator(seed, "plan")
    name = forms[seed % len(forms)]
    kind = _TURNS[(seed // len(forms)) % len(_TURNS)]
    form = form_of(name)
    parts = [extent.name for extent in form.extents]
    crop = bool(parts) and rng.random() < 0.35
    damages, mistakes = _trouble(kind, rng)
    knobs = Knobs(
        dpi=int(rng.choice((150, 200, 300, rng.integers(150, 301)), p=(0.3, 0.35, 0.1, 0.25))),
        rotation=round(float(rng.uniform(-5, 5)), 2) if rng.random() < 0.7 else 0.0,
        stretch=round(float(rng.uniform(-0.008, 0.008)), 4) if rng.random() < 0.3 else 0.0,
        upside_down=bool(rng.random() < 0.15),
        extent=parts[int(rng.integers(len(parts)))] if crop else "sheet",
        colour="grey" if rng.random() < 0.3 else "colour",
        mistakes=mistakes,
        damages=damages,
    )
    return Plan(seed, name, kind, knobs)


def _trouble(kind: str, rng: np.random.Generator) -> tuple[Mapping[str, int], tuple[str, ...]]:
    if kind == CLEAN:
        return {}, ()
    if kind in MISTAKES:
        return {}, (kind,)
    if kind in DAMAGES:
        # One in four is worse than anybody would hand in.
        return {kind: int(rng.integers(60, 101) if rng.random() < 0.25 else rng.integers(5, 60))}, ()
    chosen = rng.choice(len(DAMAGES), 3, replace=False).tolist()
    mistakes = tuple(MISTAKES)
    return {DAMAGES[number]: int(rng.integers(5, 50)) for number in chosen}, (mistakes[int(rng.integers(len(mistakes)))],)
