"""Fixed-point numbers and integer measurements on pixels.

In: arrays of uint8 and int32, counts, coordinates in 1/256 pixel. Out: the same. Nothing here knows what an election is, and
nothing here computes with floating point, so that any machine gives the same answer from the same pixels.
"""
