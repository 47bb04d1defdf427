"""The demo: an election hour in half a minute. The real station takes a stack of ballots, and a poll worker helps where it asks.

In: nothing, or a folder. Out: on the terminal the lamps, what the station says and a tally of the truth against the evidence; in
the folder all that the station used and kept. Only the paper, the scanner and the panel are emulated: the station is
`scrutineer run` in a process of its own.
"""
