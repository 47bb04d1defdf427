"""An emulated USB cable: what an emulated device offers, and the pyusb backend that makes it look like any other USB device.

Comes in: an object that keeps the `UsbDevice` contract. Goes out: a backend for `usb.core.find`, so that pyusb's own code runs.
`InProcessPort` is the short cable; the long one, over TCP, is next door in `hil.usbip`.
"""
