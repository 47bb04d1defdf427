"""The parts of the report that a person reads in a browser: one page, complete in itself, for whoever checks an export.

Comes in: a verification, the election, and the kept files of each sheet. Goes out: HTML in pieces, in which everything that an
export says stands as text and nothing of it as markup, style or script.
"""
