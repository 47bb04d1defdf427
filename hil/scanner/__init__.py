"""An emulated PageScan 6: paper, rollers, sensors and firmware, as the public notes on the PageScan 6 protocol describe them.

Comes in: sheets, hands, bytes of a host, faults, and the time. Goes out: the bytes a scanner would send, and the truth about
where every sheet is. `emulator.EmulatedScanner` is the whole device behind a USB cable; `model.ScannerModel` is the same device
without threads and clock; `verbs` and `console` let a person or a script play the voter. Nothing of the driver is used here but
its CRC: the two sides read the same notes independently.
"""
