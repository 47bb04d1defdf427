"""Days and moments as the formats want them written; none of them is ever asked of a clock here."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from edge.evidence.cdf.error import CdfError

if TYPE_CHECKING:
    from edge.definition.election import Election

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*)?", re.DOTALL)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
)


def election_day(election: Election) -> str:
    """The day of the election, YYYY-MM-DD. Older definition files give a moment of that day, with its zone.

    Raises:
        CdfError: `electionDate`.
    """
    found = _DAY.fullmatch(election.date)
    if found is None or not _is_day(found[1]):
        raise CdfError("electionDate", "the election's date does not begin with a day written as YYYY-MM-DD")
    return found[1]


def check_day(text: str) -> str:
    """The day again, if it is one, written as YYYY-MM-DD.

    Raises:
        CdfError: `timeMalformed`.
    """
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None or not _is_day(text):
        raise CdfError("timeMalformed", f"{text[:40]!a} is no day written as YYYY-MM-DD")
    return text


def check_moment(text: str, *, fraction: bool) -> str:
    """The moment again, if it is one, written as RFC 3339 has it and with its zone; `fraction`: whether parts of a second may be.

    Raises:
        CdfError: `timeMalformed`.
    """
    found = _MOMENT.fullmatch(text)
    if found is None or (found[1] is not None and not fraction) or not _is_moment(text):
        raise CdfError("timeMalformed", f"{text[:40]!a} is no moment written as 2026-11-03T20:06:00Z")
    return text


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
