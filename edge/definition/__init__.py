"""What an election is, and how it is written on paper.

In come the bytes of an election file, of a settings file, and of the codes that ballots carry: QR payloads of hand-marked and
machine-marked ballots in every published version, and the 32 bits of an AccuVote bottom row. Out go immutable objects with exact
rational coordinates, or a `DefinitionError` that says by name what was refused; nothing else is raised for any input. The room
also knows the paper sizes and the timing-mark grid, and encodes the same codes for printing. It reads no files, opens no images
and measures nothing.
"""
