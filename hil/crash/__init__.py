"""The crash matrix of the evidence: sessions of sheets, cut at every write, and what must hold of what is left.

Comes in: sessions recorded by `hil.cuts`, and the real process killed at many instants. Goes out: how many distinct cut points
were checked, and each that broke a promise, by a name that repeats it.

The promises: nothing that was acknowledged is missing, nothing is counted twice, nothing is in the box that was not accepted,
nothing that was erased can be opened, no signed checkpoint is contradicted, both media agree, and opening it once is enough.

`witness` marks in a recording what the evidence was asked for and what it answered, `ledger` reads those marks, `session` and its
neighbours make the recordings, `found` looks at what is on the media without the code under test, `check` compares, `campaign`
goes through the cuts, `killed_first` lets a process be killed before the power fails, `kill` kills the real one.
"""
