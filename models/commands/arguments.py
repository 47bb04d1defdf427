"""Arguments that several sub-commands take: their kinds, with the limits that keep a slip of the finger harmless."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  argparse has no other name
"""What sub-commands are added to."""

MOST_WORKERS = 256


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}, not {text!r}")
        return number

    return parse


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A number of seconds within bounds."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"seconds from {least:g} to {most:g}, not {text!r}")
        return number

    return parse
