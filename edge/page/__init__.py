"""One side of a sheet, from grey pixels to a bilevel page.

In: a uint8 grey image as the scanner delivered it. Out: a `Page` cropped to the paper, thresholded, with its size in inches, its
vertical streaks and, on request, its barcodes. Everything after the threshold reads the bilevel page alone, so the stored page is
enough to reproduce a reading. This room knows paper, not ballots.
"""
