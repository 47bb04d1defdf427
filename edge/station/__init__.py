"""The station: one process that takes sheets from the scanner, decides with the interpreter, and tells people what happens.

In: a configuration file, a scanner, buttons. Out: lamps and sounds, the journal, a status socket, and what `edge.evidence` keeps.
"""
