"""The demo: three sheets of a made-up election go through the real command, one that is held, one accepted, one returned.

In: a folder. Out: in the folder the scans, the election and pictures of how the first sheet was read; on the terminal what the
command says. Only the paper and the scanner are emulated: the reading is `scrutineer interpret` on image files, and anyone can
repeat it.
"""
