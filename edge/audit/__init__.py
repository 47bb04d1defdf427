"""Exports for auditors: written to a stick that is not trusted, verified on a machine that has never seen the device.

Comes in: an archive (`edge.evidence.archive`), or a folder from a stick. Goes out: the folder, or what is right or wrong with it.
"""
