"""Reading FlatBuffers with care: every offset is checked before it is followed, and nothing is larger than the file.

A buffer is a graph of tables; a table points back to a list of field offsets (its vtable), so that absent fields take defaults.
Whoever reads a table names its fields by number. Format: https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edge.inference.error import ModelError


def damaged(detail: str) -> ModelError:
    """Give the error for bytes that are not a well-formed file."""
    return ModelError("modelDamaged", detail)


class Source:
    """The bytes of a file, read within their bounds and never copied.

    Vectors of tables are bounded in number by the caller, tables in depth by the code that reads them: nothing here recurses. All
    reading methods raise ModelError `modelDamaged` for whatever lies outside the file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)

    def number(self, layout: struct.Struct, position: int) -> int:
        """Read one little-endian integer at a byte position."""
        if not 0 <= position <= len(self.data) - layout.size:
            raise damaged(f"byte {position} of {len(self.data)} is asked for")
        value: int = layout.unpack_from(self.data, position)[0]
        return value

    def follow(self, position: int) -> int:
        """Give the position that the unsigned offset at `position` points to."""
        return position + self.number(_UINT32, position)

    def vector(self, position: int, width: int) -> tuple[int, int]:
        """Give where the elements of a vector start and how many there are, all of them within the file."""
        count, start = self.number(_UINT32, position), position + _UINT32.size
        if count * width > len(self.data) - start:
            raise damaged(f"a vector of {count} elements at byte {position} does not end within the file")
        return start, count


_UINT8 = struct.Struct("<B")
_INT8 = struct.Struct("<b")
_UINT16 = struct.Struct("<H")
_INT32 = struct.Struct("<i")
_UINT32 = struct.Struct("<I")


class Table:
    """One table. Fields are named by their number in the schema; an absent one has the default of the schema."""

    def __init__(self, source: Source, position: int) -> None:
        self._source = source
        self._position = position
        self._fields = position - source.number(_INT32, position)
        self._fields_bytes = source.number(_UINT16, self._fields)

    def _place(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._fields_bytes:
            return None
        offset = self._source.number(_UINT16, self._fields + entry)
        return self._position + offset if offset else None

    def _scalar(self, field: int, layout: struct.Struct, default: int) -> int:
        place = self._place(field)
        return default if place is None else self._source.number(layout, place)

    def byte(self, field: int, default: int = 0) -> int:
        """Read a signed byte."""
        return self._scalar(field, _INT8, default)

    def ubyte(self, field: int, default: int = 0) -> int:
        """Read an unsigned byte."""
        return self._scalar(field, _UINT8, default)

    def boolean(self, field: int) -> bool:
        """Read a truth value, false by default."""
        return bool(self._scalar(field, _UINT8, 0))

    def int32(self, field: int, default: int = 0) -> int:
        """Read a signed integer."""
        return self._scalar(field, _INT32, default)

    def uint32(self, field: int, default: int = 0) -> int:
        """Read an unsigned integer."""
        return self._scalar(field, _UINT32, default)

    def table(self, field: int) -> Table | None:
        """Follow to a table."""
        place = self._place(field)
        return None if place is None else Table(self._source, self._source.follow(place))

    def tables(self, field: int, most: int) -> Iterator[Table]:
        """Follow to each table of a vector; more than `most` of them are refused."""
        place = self._place(field)
        if place is None:
            return
        start, count = self._source.vector(self._source.follow(place), 4)
        if count > most:
            raise damaged(f"{count} tables where {most} are the most")
        for index in range(count):
            yield Table(self._source, self._source.follow(start + 4 * index))

    def _vector(self, field: int, width: int, most: int) -> memoryview:
        place = self._place(field)
        if place is None:
            return memoryview(b"")
        start, count = self._source.vector(self._source.follow(place), width)
        if count > most:
            raise damaged(f"a vector of {count} where {most} are the most")
        return self._source.data[start : start + width * count]

    def raw(self, field: int) -> memoryview:
        """Read a vector of bytes, empty by default; a view of the file."""
        return self._vector(field, 1, len(self._source.data))

    def text(self, field: int, most: int) -> str:
        """Read the first `most` bytes of a string for people; what is not UTF-8 in it is shown as such."""
        return bytes(self.raw(field)[:most]).decode("utf-8", "replace")

    def int32s(self, field: int, most: int) -> tuple[int, ...]:
        """Read a vector of signed integers, empty by default; more than `most` are refused."""
        return tuple(np.frombuffer(self._vector(field, 4, most), "<i4").tolist())

    def int64s(self, field: int, most: int) -> NDArray[np.int64]:
        """Read a vector of long integers, as `int32s`; a view of the file."""
        return np.frombuffer(self._vector(field, 8, most), "<i8")

    def floats(self, field: int, most: int) -> NDArray[np.float32]:
        """Read a vector of floats, as `int32s`; a view of the file."""
        return np.frombuffer(self._vector(field, 4, most), "<f4")


def root(data: bytes, identifier: bytes) -> Table:
    """Give the root table of a file whose bytes 4 to 7 are `identifier`; raises ModelError `modelDamaged`."""
    if len(data) < 8 or data[4:8] != identifier:
        raise damaged(f"the file does not carry {identifier.decode('ascii', 'replace')}")
    source = Source(data)
    return Table(source, source.follow(0))
