"""Handwritten tally sheets: from the scan of a form to its numbers, how sure each is, and whether they add up.

In: an image and a form template. Out: for each cell, field and rule what was read, and why not where it was not. Everything from
the pixels to the reading is whole-number arithmetic; nothing is corrected silently.
"""
