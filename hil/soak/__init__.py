"""The station worked for a long time: the real daemon, thousands of sheets, mishaps at any moment, people who help truthfully.

Comes in: a seed and a number of sheets. Goes out: whether the count is the box after every sheet, and whether anything leaks.
"""
