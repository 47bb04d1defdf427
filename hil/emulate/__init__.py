"""The emulated station for a person at a terminal: `scrutineer emulate`.

Comes in: verbs, from stdin or a script; a station folder. Goes out: an emulated scanner behind USB/IP (or in the same process as
the station), an emulated panel, and in words what both do. `ballots` draws the sheets that a new folder holds.
"""
