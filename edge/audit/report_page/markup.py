"""HTML from parts, in which text can never become markup, nor one text pass for another.

Every string that is not `Markup` is shown and escaped by whatever takes it in, so forgetting to do so cannot happen.
"""

from __future__ import annotations

import html
import unicodedata
from functools import lru_cache
from itertools import groupby

MOST_TEXT = 4000
"""Characters of one text; what is longer is cut, and the page says by how much."""
_MOST_MARKS = 6
"""Combining marks in a row, more than any script needs; a pile of them would hide what stands above."""
_MOST_CACHED = 200
"""Characters."""
_VOID = frozenset({"br", "img", "input", "link", "meta"})

Attribute = str | int | bool | None


class Markup(str):
    """A piece of HTML. Only this module makes one of a text that is not a constant."""

    __slots__ = ()


def shown(text: str, most: int = MOST_TEXT) -> str:
    """The text with everything that cannot be seen, or that moves other letters about, as a code such as ⟨U+202E⟩.

    That is every control, format (so every bidirectional control), surrogate, private and unassigned character, every space but
    the plain one, and combining marks beyond the sixth in a row.

    Args:
        text: Any text.
        most: Characters to show.
    """
    beyond = len(text) - most
    text = text[:most]
    if not (text.isascii() and text.isprintable()):
        text = "".join(_seen(text))
    return text if beyond <= 0 else f"{text}… ({beyond} more characters)"


def _seen(text: str) -> list[str]:
    parts = []
    for is_mark, run in groupby(text, lambda letter: unicodedata.category(letter)[0] == "M"):
        for place, letter in enumerate(run):
            hidden = not letter.isprintable() or (is_mark and place >= _MOST_MARKS)
            parts.append(f"⟨U+{ord(letter):04X}⟩" if hidden else letter)
    return parts


def escaped(text: str, most: int = MOST_TEXT) -> Markup:
    """A text, shown and escaped: what a browser shows for it is `shown(text)`, between tags and within quotes alike."""
    return _escaped(text) if len(text) <= min(most, _MOST_CACHED) else Markup(html.escape(shown(text, most)))


@lru_cache(maxsize=4096)
def _escaped(text: str) -> Markup:
    """Kept, since every sheet names the same contests."""
    return Markup(html.escape(shown(text)))


def name(text: str, most: int = MOST_TEXT) -> Markup:
    """A name from the election, which may run from right to left; it never turns the words around it."""
    return tag("bdi", escaped(text, most))


def joined(*parts: str) -> Markup:
    """Parts one after the other; those that are text are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escaped(part) for part in parts))


def tag(element: str, *content: str, **attributes: Attribute) -> Markup:
    """An element.

    Args:
        element: Its name, a constant of the caller.
        content: What is in it; text is escaped.
        attributes: Values by name, `_` standing for `-` and one at the end left out (`class_`); text is escaped. True gives the
            name alone, False and None nothing.
    """
    parts = [f"<{element}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        parts.append(f" {label}" if value is True else f' {label}="{value if isinstance(value, int) else joined(value)}"')
    parts.append(">")
    if element not in _VOID:
        parts += [joined(*content), f"</{element}>"]
    return Markup("".join(parts))


def sentence_count(count: int, one: str, many: str) -> str:
    """A number with its noun: `1 sheet`, `2,000 sheets`."""
    return f"{count:,} {one if count == 1 else many}"
