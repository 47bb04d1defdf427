"""The damage sweep: thousands of rendered sheets, each with its truth, read and judged.

In: names of damages and strengths. Out: for every sheet whether it was read exactly, held, refused, or read wrong. A wrong vote
is the one thing that must never happen; the share that is accepted is what the rest is worth.
"""
