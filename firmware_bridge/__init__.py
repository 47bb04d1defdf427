"""Speaks to the scanner's firmware over USB.

Comes in: USB frames. Goes out: typed messages and grey images of both sides of a sheet. This package knows nothing of
elections and never imports from edge.
"""
