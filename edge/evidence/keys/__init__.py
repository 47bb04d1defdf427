"""Keys: those of the device, kept where nobody else reads them, and those of others, which the authority vouches for.

Private halves stay in the key folder and in memory; they are shown, pickled and logged nowhere.
"""
