"""Whether two records of one sheet are the same: byte for byte, but for what two machines may differ in.

Of the second reader of digits a record of a tally sheet holds who it was and whether it agrees. Another machine may have another
runtime, and what it says can change no digit that is recorded; so where the runtimes differ, that and nothing else is left out.
"""

from __future__ import annotations

import json
from typing import Any

from edge.definition.canonical_json import canonical_bytes

_READER = "reader"
_RUNTIME = ("runtime", "version", "resolver")
_SECOND = "second"


def is_same_record(kept: bytes, again: bytes) -> bool:
    """Whether a record that is kept is the one that came out again.

    Args:
        kept: As it lies in the export; may be anything.
        again: As it was made here.
    """
    if kept == again:
        return True
    try:
        one, other = json.loads(kept), json.loads(again)
        if canonical_bytes(one) != kept or _runtime(one) == _runtime(other):
            return False
        return canonical_bytes(_without_second(one)) == canonical_bytes(_without_second(other))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _runtime(record: dict[str, Any]) -> list[Any]:
    return [record[_READER][name] for name in _RUNTIME]


def _without_second(record: dict[str, Any]) -> dict[str, Any]:
    reader = {name: value for name, value in record[_READER].items() if name not in _RUNTIME}
    cells = [{name: value for name, value in cell.items() if name != _SECOND} for cell in record["cells"]]
    return {**record, _READER: reader, "cells": cells}
