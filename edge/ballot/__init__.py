"""Hand-marked and machine-marked ballots: from two pages to an interpretation.

In: two `Page`s, an `Election` and `SystemSettings`. Out: an `Interpretation`: what was read, every score behind it, and what is
held against the sheet. A pure function; nothing in this room reads a file or a clock.
"""
