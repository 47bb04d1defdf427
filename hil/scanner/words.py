"""The words of one line, and what to say when one of them is not what was expected."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

_LONGEST = 86_400
_MOST = 1 << 40


class VerbError(Exception):
    """A line that is not understood, or cannot be done; the message says what was expected."""


class Words:
    """The words of a line, taken one after the other. All methods that take raise VerbError for what they do not expect."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    @property
    def at_trigger(self) -> bool:
        """A trigger comes next, or nothing."""
        return self._words[:1] in ([], ["at"])

    def rest(self) -> list[str]:
        """Take all that is left."""
        words, self._words = self._words, []
        return words

    def next(self, what: str) -> str:
        """Take one word."""
        if not self._words:
            raise VerbError(f"{what} expected at the end of the line")
        return self._words.pop(0)

    def skip(self, word: str) -> bool:
        """Take this word if it comes next."""
        if self._words[:1] != [word]:
            return False
        del self._words[0]
        return True

    def need(self, word: str) -> None:
        """Take this word."""
        if (found := self.next(f"'{word}'")) != word:
            raise VerbError(f"'{word}' expected, not '{found}'")

    def among(self, what: str, known: Sequence[str]) -> str:
        """Take one of the known words."""
        word = self.next(f"{what} ({', '.join(known)})")
        if word not in known:
            raise VerbError(f"'{word}' is no {what}{nearest(word, known)}; known: {', '.join(known)}")
        return word

    def number(self, what: str, least: int = 0, most: int = _MOST) -> int:
        """Take a whole number."""
        word = self.next(what)
        try:
            value = int(word)
        except ValueError:
            value = most + 1
        if not least <= value <= most:
            raise VerbError(f"{what} must be a whole number from {least} to {most}, not '{word}'")
        return value

    def seconds(self) -> float:
        """Take a number of seconds."""
        word = self.next("a number of seconds")
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not 0 <= value <= _LONGEST:
            raise VerbError(f"a number of seconds from 0 to {_LONGEST} expected, not '{word}'")
        return value

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self._words:
            raise VerbError(f"nothing more expected, but there is '{' '.join(self._words)}'")


def nearest(word: str, known: Sequence[str]) -> str:
    """Give ` (perhaps '...')` for the known word that is most like this one, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (perhaps '{close[0]}')" if close else ""
