"""QR symbols as our printer makes them: Model 2, byte mode, the smallest version at the asked error correction."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import segno

ErrorCorrection = Literal["L", "M", "Q", "H"]


@lru_cache(maxsize=128)
def qr_matrix(text: str, error: ErrorCorrection = "H") -> npt.NDArray[np.bool_]:
    """The modules of a symbol without its quiet zone, True for dark."""
    code = segno.make_qr(text, error=error, boost_error=False, mode="byte")
    matrix = np.array([[bool(module) for module in row] for row in code.matrix])
    matrix.setflags(write=False)
    return matrix
