"""Marks too pale for the page's threshold: a hard pencil that the bilevel page does not show at all.

Such a mark is never counted, only shown to a person. The paper's own level is taken inside each oval, so that shadows and stains
that are wider than an oval do not look like marks.
"""

from __future__ import annotations

import numpy as np

from edge.ballot.bubble_template import MOST_SWELL, bubble_template
from edge.ballot.result import Box, PaleInk
from edge.fixed.number import Score
from edge.page.page import Page

_PAPER_QUARTERS = 3
"""The paper's level is the third quartile of the oval's pixels: marks that fill more than that are dark enough to be seen anyhow."""
_PALE_PARTS = 2
"""Ink is darker than the paper by at least half the way from the paper to the threshold ..."""
_LEAST_CONTRAST = 24
"""... and by at least so many grey levels, which no scanner's noise reaches."""
_LEAST_PER_MILLE = 40
"""Pixels of pale ink, in thousandths of the bubble's box, that a person should see."""


def find_pale_ink(page: Page, box: Box, swell: int) -> PaleInk | None:
    """Ink inside an oval between the paper's level and the threshold; None when there is too little, or no grey image."""
    grey = page.grey_of(box.area())
    if grey is None or grey.shape != (box.height, box.width):
        return None
    # The printed line is soft at its edges: two steps further in than where its black ends.
    interior = bubble_template(page.dpi, min(swell + 2, MOST_SWELL)).interior
    inside = grey[interior]
    place = len(inside) * _PAPER_QUARTERS // 4
    paper = int(np.partition(inside, place)[place])
    limit = paper - max((paper - page.threshold) // _PALE_PARTS, _LEAST_CONTRAST)
    count = int(np.count_nonzero(inside <= limit)) if limit >= 0 else 0
    score = Score(count, box.width * box.height)
    return PaleInk(score, grey.copy()) if score.at_least(_LEAST_PER_MILLE * 10) else None
