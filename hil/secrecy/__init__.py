"""An attack on the order of voters by someone who has everything on disk, the key of the ballot box, and the export.

Comes in: a day of known order through the real evidence. Goes out: how far each clue agrees with that order, and every place in
which something of a ballot was found where nothing may be.
"""
