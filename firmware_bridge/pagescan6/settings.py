"""What a technician may change about a PageScan 6: every guess of the public notes on its protocol, and every time limit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Bits = Literal[8, 1]
Sides = Literal["both", "top", "bottom"]
PartialRow = Literal["drop", "refuse"]

DELAY_STEP_MS = 16
"""The scanner counts its feed delay in this many milliseconds."""
LENGTH_MARGIN_INCHES = 0.5
"""A sheet of nominal length passes, yet the motor stops in time when two sheets go in nose to tail (observed by others)."""
USB_PACKET_BYTES = 512
"""Largest bulk packet at high speed; an IN buffer that is no multiple of it can overflow."""


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """How one scanner is driven. Times are seconds unless the name says otherwise; values out of range raise ValueError.

    Source marks: (notes) the public notes on the PageScan 6 protocol say so; (guess) they do not know, so it may have to
    change; (ours) our own choice.

    Attributes:
        vendor_id: USB idVendor (notes).
        product_id: USB idProduct (notes).
        allowed_serial_numbers: Serial numbers that belong here; empty = any. Compared without regard to case (ours).
        lock_file: File whose advisory lock keeps two processes from one scanner; None = no lock (notes: a lock; ours: where).
        reset_on_connect: Reset the USB port first; without it the first image after a reconnect can be shifted (notes, observed).
        find_again_seconds: How long the device may be gone, or not yet ours to open, after that reset (ours).
        bits: Bits per pixel on the wire: 8 = grey, 1 = the older bilevel mode (notes).
        sides: Arrays that are read. One side alone is a guess; the other side's image then has no rows.
        partial_row: What to do with pixels after the last whole row: drop them (notes) or refuse the sheet (ours).
        image_limit_bytes: Longest image that is kept, raw; 16 MiB is 24 inches of both sides in grey (ours: memory).
        paper_inches: Nominal length of the paper, 1 to 22.8; the scanner is told half an inch less (notes).
        front_sensors_needed: Front sensors that must be covered before a scan begins, 1 to 5 (notes: 2).
        feed_delay_ms: Wait between paper seen and intake, 0 to 3200 in steps of 16; sent by the documented rule, 0 as 0x20.
        bitonal_threshold: Percent of white for the bilevel mode, 0 to 100 (notes: the vendor's own default, 75).
        double_feed_detection: Whether the scanner looks for two sheets on top of each other (notes: on).
        double_feed_sensitivity: Percent, 0 to 100 (notes: 50).
        double_feed_overlap: Smallest overlap that counts, in 1/100 inch, 10 to 250 (notes: 100).
        check_boot_register: See to it that a sheet held during a power cut is not ejected at boot (notes). A firmware without
            registers would give no answer, which is fatal: then turn it off.
        boot_register: Index of that register (notes: 9).
        boot_register_shift: Position of its field, in bits (notes: 8).
        boot_register_mask: The field after shifting; three values are known, so two bits (guess).
        boot_register_none: The field's value for "leave the sheet alone" (notes: 2).
        greet_seconds: Limit for the first sign of life (notes: 3).
        greet_reply_seconds: Wait for each ping (notes: 0.1).
        greet_pause_seconds: Pause before the next ping (notes: 0.075).
        setup_seconds: Limit for the rest of the opening conversation (notes: 3).
        write_seconds: Limit for one command to leave (notes: 1).
        status_seconds: Limit for the reply to a status query; late while a long sheet is ejected (notes: 2).
        pause_seconds: The same while the motion into the box waits for the front to be clear; commands are queued then (ours).
        reply_seconds: Limit for any other reply (notes: 5 in older drivers).
        event_read_bytes: Buffer for replies and events, a multiple of 512 (notes: 16384).
        image_read_bytes: Buffer for pixels, a multiple of 512 (notes: 1 MiB).
        idle_read_seconds: Longest read while nothing is expected. Closing, and noticing a loss, can take this long (ours).
        image_read_seconds: Longest read while pixels come (ours).
        drain_quiet_seconds: After the end of a scan, this much silence on the image endpoint means that all pixels came (ours).
        drain_limit_seconds: After the end of a scan, pixels that still come after this long cost the sheet (ours).
    """

    vendor_id: int = 0x0BD7
    product_id: int = 0xA002
    allowed_serial_numbers: tuple[str, ...] = ()
    lock_file: Path | None = None
    reset_on_connect: bool = True
    find_again_seconds: float = 5.0

    bits: Bits = 8
    sides: Sides = "both"
    partial_row: PartialRow = "drop"
    image_limit_bytes: int = 16 << 20

    paper_inches: float = 11.0
    front_sensors_needed: int = 2
    feed_delay_ms: int = 0
    bitonal_threshold: int = 75
    double_feed_detection: bool = True
    double_feed_sensitivity: int = 50
    double_feed_overlap: int = 100

    check_boot_register: bool = True
    boot_register: int = 9
    boot_register_shift: int = 8
    boot_register_mask: int = 0x3
    boot_register_none: int = 2

    greet_seconds: float = 3.0
    greet_reply_seconds: float = 0.1
    greet_pause_seconds: float = 0.075
    setup_seconds: float = 3.0
    write_seconds: float = 1.0
    status_seconds: float = 2.0
    pause_seconds: float = 600.0
    reply_seconds: float = 5.0

    event_read_bytes: int = 16 << 10
    image_read_bytes: int = 1 << 20
    idle_read_seconds: float = 0.25
    image_read_seconds: float = 0.015
    drain_quiet_seconds: float = 0.02
    drain_limit_seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what no scanner could be told, and times that libusb would take for "wait for ever"."""
        for name, low, high in (
            ("vendor_id", 0, 0xFFFF),
            ("product_id", 0, 0xFFFF),
            ("image_limit_bytes", 3456, 1 << 30),
            ("paper_inches", 1, 22.8),
            ("front_sensors_needed", 1, 5),
            ("feed_delay_ms", 0, 3200),
            ("bitonal_threshold", 0, 100),
            ("double_feed_sensitivity", 0, 100),
            ("double_feed_overlap", 10, 250),
            ("boot_register", 0, 0xFFF),
            ("boot_register_shift", 0, 31),
            ("boot_register_mask", 1, 0xFFFFFFFF >> self.boot_register_shift if 0 <= self.boot_register_shift <= 31 else 0),
            ("boot_register_none", 0, self.boot_register_mask),
            ("event_read_bytes", USB_PACKET_BYTES, 1 << 20),
            ("image_read_bytes", USB_PACKET_BYTES, 16 << 20),
            *((name, 0.001, 3600) for name in self.__slots__ if name.endswith("_seconds")),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} {getattr(self, name)!r} is not within {low} to {high}")
        for name, step in (
            ("feed_delay_ms", DELAY_STEP_MS),
            ("event_read_bytes", USB_PACKET_BYTES),
            ("image_read_bytes", USB_PACKET_BYTES),
        ):
            if getattr(self, name) % step:
                raise ValueError(f"{name} {getattr(self, name)} is not a multiple of {step}")
        if self.boot_register_none & ~self.boot_register_mask:
            raise ValueError(
                f"boot_register_none {self.boot_register_none} does not fit boot_register_mask {self.boot_register_mask}"
            )
        for name, choices in (("bits", (8, 1)), ("sides", ("both", "top", "bottom")), ("partial_row", ("drop", "refuse"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} {getattr(self, name)!r} is none of {choices}")

    @property
    def length_tenths(self) -> int:
        """The longest sheet that the scanner is told to take, in tenths of an inch."""
        return round((self.paper_inches - LENGTH_MARGIN_INCHES) * 10)
