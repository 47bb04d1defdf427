"""The emulated world around the station: what stands behind its USB, GPIO and clock in the demo, the tests and the VM.

Nothing here reaches the device. What comes in are wishes of a test ("a folded letter ballot with a faint cross"); what goes out
are the same bytes that a real scanner, lamp or sheet of paper would give.
"""
