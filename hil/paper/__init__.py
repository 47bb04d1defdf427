"""The emulated paper: made-up elections, printed sheets, pens, damage, and the exact truth about all of them.

A made-up election (`election`) is printed (`sheet`, `summary`), marked (`pen`, `truth`), worn and scanned (`damage`, `scan`).
Everything follows from a seed, so a page that a reader gets wrong can be printed again from one line of a report. Positions are
in pixels of the printed side: x to the right and y down from the corner of the paper, pixel i covering i to i + 1.
"""
