"""The board's processor, emulated: the same code and wheels under qemu-user for arm64 must give the same bytes as here.

Comes in: a function and arrays. Goes out: whether every array that the function gives has the same SHA-256 on both processors.
"""
