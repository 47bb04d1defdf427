"""JSON read exactly: no floats, no doubled keys, and nothing that costs more than its length.

`json.loads` would round 0.07 to the nearest binary fraction, keep the last of two equal keys without a word, and accept `NaN`.
Here every number that is not an integer arrives as a `Fraction`, and everything doubtful is refused.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

MAX_INTEGER_DIGITS = 18
MAX_NUMBER_LENGTH = 40
"""Characters in a number with a point or an exponent; a printed double has at most 24."""
MAX_EXPONENT = 30
MAX_VALUES = 2_000_000
"""Bounds the memory that a hostile file of many tiny values can take to some 200 MB; a large published election has a tenth."""
MAX_NESTING = 40
"""Published elections nest nine deep."""

_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)$")


class InexactJsonError(ValueError):
    """The bytes are not JSON that this reader takes; the message says why."""


def read_exact_json(raw: bytes, max_bytes: int) -> Any:  # noqa: ANN401 - the shape is the caller's to check
    """Parse strict UTF-8 JSON.

    Args:
        raw: the whole file.
        max_bytes: the largest accepted size.

    Returns:
        dict, list, str, bool, None, int (at most 18 digits) or Fraction; at most 2,000,000 of them, nested at most 40 deep.

    Raises:
        InexactJsonError: for anything else.
    """
    if len(raw) > max_bytes:
        raise InexactJsonError(f"{len(raw)} bytes, at most {max_bytes} are read")
    # Commas inside texts are counted too: an upper bound is all that is needed.
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MAX_VALUES:
        raise InexactJsonError(f"more than {MAX_VALUES} values")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise InexactJsonError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise InexactJsonError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise InexactJsonError(f"nested deeper than {MAX_NESTING}") from error
    _check_nesting(value)
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise InexactJsonError(f"integer of {len(text)} digits")
    return int(text)


def _fraction(text: str) -> Fraction:
    # The exponent is looked at as text: Fraction(Decimal("1e999999")) would compute a million digits first.
    exponent = _EXPONENT.search(text)
    if len(text) > MAX_NUMBER_LENGTH or (exponent is not None and abs(int(exponent[1])) > MAX_EXPONENT):
        raise InexactJsonError(f"number out of proportion: {text[:MAX_NUMBER_LENGTH]}")
    return Fraction(Decimal(text))


def _refuse_constant(name: str) -> NoReturn:
    raise InexactJsonError(f"{name} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InexactJsonError(f"key given twice in one object: {key[:80]!a}")
        found[key] = value
    return found


def _check_nesting(value: object) -> None:
    level = [value]
    for _ in range(MAX_NESTING):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise InexactJsonError(f"nested deeper than {MAX_NESTING}")
