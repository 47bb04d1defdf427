"""The PDI PageScan 6 family: wire format, image assembly and driver.

Comes in: USB transfers. Goes out: the events and images of `firmware_bridge.scanner`. Byte layouts follow the public notes on the
PageScan 6 protocol; what those notes only guess is a named setting in `settings.py`. `driver.connect` is the way in.
"""
