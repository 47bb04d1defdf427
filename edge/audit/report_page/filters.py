"""What a reader filters the sheets by, and the key to the drawings. Without the script every sheet is shown."""

from __future__ import annotations

from edge.audit.report_page.markup import Markup, tag
from edge.audit.report_page.sheet_kinds import FILTERS, MARGINAL, ON_SHEET, OVERVOTED, UNDERVOTED, WRITE_IN
from edge.definition.election import Contest, Election

_MOST_NAME = 80
_KEY = {
    "marked": ("X", "marked"),
    "marginal": ("?", "marginal: it may not be meant as a mark"),
    "unreadable": ("!", "cannot be read"),
    "unmarked": ("–", "not marked (no letter)"),
    "written": ("W", "something is written, its oval is not filled"),
    "area": ("–", "write-in area (no letter)"),
    "contest": ("–", "contest (no letter)"),
}


def filter_form(election: Election) -> Markup:
    """The form; the script shows it and makes it work."""
    kinds = [tag("option", "every sheet", value=""), *(tag("option", text, value=word) for word, text in FILTERS.items())]
    contests = [tag("option", "every contest", value="")]
    contests += [_contest(contest, place) for place, contest in enumerate(election.contests)]
    return tag(
        "form",
        tag("label", "Show ", tag("select", *kinds, id="kind")),
        " ",
        tag("label", "with ", tag("select", *contests, id="vote")),
        " ",
        tag("button", "Show all", type="reset"),
        " ",
        tag("output", id="count", for_="kind vote", aria_live="polite"),
        id="filter",
        hidden=True,
        autocomplete="off",
    )


def key() -> Markup:
    """What colours and letters mean."""
    items = [tag("li", tag("b", letter, class_=kind), f" {text}") for kind, (letter, text) in _KEY.items()]
    return tag("ul", *items, class_="key", aria_label="key to the drawings")


def _contest(contest: Contest, place: int) -> Markup:
    title = contest.title if len(contest.title) <= _MOST_NAME else f"{contest.title[:_MOST_NAME]}…"
    choices = [(ON_SHEET, "is on the sheet")]
    choices += [(f".{number}", f"vote for {_short(option.name)}") for number, option in enumerate(contest.options)]
    choices += [(WRITE_IN, "write-in")] if contest.allow_write_ins else []
    choices += [(OVERVOTED, "overvoted"), (UNDERVOTED, "fewer votes than allowed"), (MARGINAL, "marginal mark")]
    options = [tag("option", f"{_short(title)}: {text}", value=f"{place}{word}", dir="auto") for word, text in choices]
    return tag("optgroup", *options, label=title)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_NAME else f"{text[:_MOST_NAME]}…"
