"""Signed notes, Merkle trees, checkpoints, tiles and detached signatures: byte formats that other people's tools verify.

In: bytes to sign and to commit to, keys, and files of unknown honesty. Out: the C2SP formats signed-note, tlog-checkpoint,
tlog-tiles, tlog-cosignature and tlog-proof (https://c2sp.org), the tree of RFC 6962, and minisign's files. Readers are strict:
what is not written exactly as this room would write it is refused. This room knows nothing of elections, and imports no other.
"""
