"""Bits in and out of bytes, most significant first, every bound checked."""

from __future__ import annotations

from edge.definition.errors import DefinitionError


class BitWriter:
    """Collects bits; the last byte is filled up with zeros."""

    def __init__(self) -> None:
        self._value = 0
        self._width = 0

    def write_uint(self, value: int, width: int) -> None:
        """Append `value` in `width` bits, 0 bits being allowed for the value 0.

        Raises:
            DefinitionError: `valueOutOfRange` if it does not fit.
        """
        if not 0 <= value < 1 << width:
            raise DefinitionError("valueOutOfRange", f"{value} does not fit into {width} bits")
        self._value = self._value << width | value
        self._width += width

    def write_bool(self, value: bool) -> None:
        """Append one bit."""
        self.write_uint(int(value), 1)

    def write_bytes(self, data: bytes) -> None:
        """Append whole bytes, at whatever bit the writer stands."""
        self.write_uint(int.from_bytes(data), 8 * len(data))

    def to_bytes(self) -> bytes:
        """Give the bytes so far, padded with zero bits."""
        padding = -self._width % 8
        return (self._value << padding).to_bytes((self._width + padding) // 8)


class BitReader:
    """Reads bits from bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def remaining(self) -> int:
        """Bits not yet read."""
        return 8 * len(self._data) - self._position

    def read_uint(self, width: int) -> int:
        """Take the next `width` bits as an unsigned integer.

        Raises:
            DefinitionError: `truncatedPayload` if there are fewer.
        """
        if width > self.remaining:
            raise DefinitionError("truncatedPayload", f"{width} bits wanted at bit {self._position}, {self.remaining} left")
        end = self._position + width
        # Only the bytes that hold the bits are turned into an integer, so reading stays linear in the payload.
        whole = int.from_bytes(self._data[self._position // 8 : (end + 7) // 8])
        self._position = end
        return whole >> (-end % 8) & ((1 << width) - 1)

    def read_bool(self) -> bool:
        """Take one bit; raises as `read_uint`."""
        return self.read_uint(1) == 1

    def read_bytes(self, count: int) -> bytes:
        """Take `count` whole bytes, at whatever bit the reader stands; raises as `read_uint`."""
        return self.read_uint(8 * count).to_bytes(count)

    def finish(self) -> None:
        """Check that nothing but the zero padding of the last byte is left.

        Raises:
            DefinitionError: `excessData` for 8 bits or more, `nonZeroPadding` for fewer bits that are not all zero.
        """
        if self.remaining >= 8:
            raise DefinitionError("excessData", f"{self.remaining} bits left over")
        if self.read_uint(self.remaining) != 0:
            raise DefinitionError("nonZeroPadding", "the bits after the last field are not zero")
