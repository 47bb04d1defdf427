"""Bars of Code 128 and Code 39 for digits: widths in modules, drawn without anybody's library.

The patterns are those of ISO/IEC 15417 (Code 128) and ISO/IEC 16388 (Code 39).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from edge.definition.form import Symbology

QUIET_MODULES = 10

# Bar and space widths of values 0 to 106.
_CODE128 = (
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213", "221312", "231212",
    "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132", "221231", "213212", "223112", "312131",
    "311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121",
    "313121", "211331", "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242", "121142", "121241", "114212",
    "124112", "124211", "411212", "421112", "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113",
    "114311", "411113", "411311", "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
)  # fmt: skip
_START_B, _START_C, _CODE_B, _STOP = 104, 105, 100, 106

# Nine elements, bar first; 1 is wide. Digits 0 to 9, then the start and stop character.
_CODE39 = {
    "0": "000110100", "1": "100100001", "2": "001100001", "3": "101100000", "4": "000110001", "5": "100110000",
    "6": "001110000", "7": "000100101", "8": "100100100", "9": "001100100", "*": "010010100",
}  # fmt: skip
_WIDE = 3


def bars(symbology: Symbology, digits: str) -> tuple[int, ...]:
    """Widths in modules of bars and spaces in turn, beginning and ending with a bar; no quiet zone.

    Args:
        symbology: Which code.
        digits: ASCII digits, at least one.

    Raises:
        ValueError: for anything but digits.
    """
    if not digits.isascii() or not digits.isdigit():
        raise ValueError(f"{digits!r} is more than digits")
    if symbology == "code39":
        return _code39(digits)
    return tuple(int(width) for value in _code128(digits) for width in _CODE128[value])


def _code39(digits: str) -> tuple[int, ...]:
    widths: list[int] = []
    for character in f"*{digits}*":
        widths += [_WIDE if element == "1" else 1 for element in _CODE39[character]]
        widths.append(1)
    return tuple(widths[:-1])


def _code128(digits: str) -> list[int]:
    """Pairs of digits in code set C, an odd last digit in code set B."""
    pairs = [int(digits[place : place + 2]) for place in range(0, len(digits) - 1, 2)]
    odd = [ord(digits[-1]) - 32] if len(digits) % 2 else []
    values = [_START_C, *pairs, *([_CODE_B, *odd] if odd else [])] if pairs else [_START_B, *odd]
    check = (values[0] + sum(place * value for place, value in enumerate(values[1:], 1))) % 103
    return [*values, check, _STOP]


def dark_spans(widths: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Start and stop of every bar in modules from the first bar's left edge."""
    edges = [0]
    for width in widths:
        edges.append(edges[-1] + width)
    return tuple(pairwise(edges))[::2]
