"""What is kept of the sheets in the box, and of the one on its way there.

Comes in: sheets as read. Goes out: the count, and after a power cut the truth about the sheet that was moving.
"""
