"""The station on a bench: the real daemon, the emulated scanner and the emulated panel wired together.

Comes in: sheets, verbs and faults. Goes out: what the station said and did, and the truth about where each sheet is.
"""
