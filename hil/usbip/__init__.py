"""The emulated USB cable made long: USB/IP over TCP, both ends.

The server offers emulated devices to anything that speaks the protocol, the Linux kernel's vhci included; the client is a
`UsbPort`, so that pyusb can use a device in another process, and tests can do without the kernel. Both keep to the loopback
interface unless told otherwise: the protocol has neither names nor secrets.
"""
