"""A scanned form as the two grey planes that the measuring works on."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.definition.form import Form
from edge.image_file import read_colour_image
from edge.page.page import Grey


@dataclass(frozen=True, slots=True, eq=False)
class TallyScan:
    """One side of a form.

    Attributes:
        print: uint8 of shape (height, width), 255 = white: everything that is printed or written is dark.
        pen: The same, with the form's coloured print paler than its pens. The same array as `print` for a grey scan.
    """

    print: Grey
    pen: Grey

    @property
    def in_colour(self) -> bool:
        """Whether the pens can be told from the print by their colour."""
        return self.pen is not self.print

    def turned(self) -> TallyScan:
        """The scan turned by 180 degrees."""
        print_plane = np.ascontiguousarray(self.print[::-1, ::-1])
        return TallyScan(print_plane, np.ascontiguousarray(self.pen[::-1, ::-1]) if self.in_colour else print_plane)


def grey_scan(grey: Grey) -> TallyScan:
    """A form scanned in grey; uint8 of shape (height, width)."""
    return TallyScan(grey, grey)


def colour_scan(colours: NDArray[np.uint8], form: Form) -> TallyScan:
    """A form scanned in colour; uint8 of shape (height, width, 3), red, green, blue.

    Ink is dark in some channel whatever its colour, so the darkest one shows everything. Each of the form's pens is dark in all
    of the channels of `form.colours`, and coloured print is pale in one of them, so the brightest of those shows the pens alone.
    """
    planes = [np.ascontiguousarray(colours[:, :, channel]) for channel in range(3)]
    darkest = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    brightest = planes[form.colours.channels[0]]
    for channel in form.colours.channels[1:]:
        brightest = np.maximum(brightest, planes[channel])
    return TallyScan(darkest, brightest)


def read_tally_scan(path: str | os.PathLike[str], form: Form) -> TallyScan:
    """Read the scan of a form from an image file, with its colours where it has them.

    Raises:
        ImageFileError: the file is refused.
    """
    pixels = read_colour_image(path)
    return grey_scan(pixels) if pixels.ndim == 2 else colour_scan(pixels, form)
