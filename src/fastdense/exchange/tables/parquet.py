"""How large a Parquet file's table is, from the metadata at its end, before any data is unpacked."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["unpacked_size"]

_WIDTHS: Final = (1, 4, 8, 12, 4, 8, 16, 16)
"""Bytes per value of each physical type in memory: a text has 16 beside its characters."""

_MAX_DEPTH: Final = 32
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12


def unpacked_size(data: bytes) -> int:
    """Return the bytes that a Parquet file's columns take when they are unpacked.

    Of each chunk of a column that is what its pages unpack to, or its values at the width of their type
    if that is more, as of a value that is stored once and repeated.

    Raises
    ------
    ValueError
        The file is not Parquet, or its metadata is damaged.

    References
    ----------
    Apache Parquet, "File format" and parquet.thrift; Apache Thrift, "Thrift compact protocol encoding".
    """
    if len(data) < 12 or data[:4] != b"PAR1" or data[-4:] != b"PAR1":
        raise ValueError("no mark of Parquet at both ends")
    length = int.from_bytes(data[-8:-4], "little")
    if length > len(data) - 12:
        raise ValueError("the metadata is longer than the file")
    try:
        found = _Compact(data[-8 - length : -8]).struct()
        chunks = [chunk[3] for group in found[4] for chunk in group[1]]
        return sum(max(chunk[6], chunk[5] * _WIDTHS[chunk[1]]) for chunk in chunks)
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError("the metadata is damaged") from error


class _Compact:
    """Reads a structure of Thrift's compact protocol as dicts of field numbers, lists, numbers and bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Read the fields of a structure."""
        if depth > _MAX_DEPTH:
            raise ValueError("the metadata is nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) & 15 != _STOP:
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int, inside: bool = False) -> Any:
        if kind in (_TRUE, _FALSE):
            return (self._byte() == _TRUE) if inside else kind == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind < _DOUBLE:
            return self._zigzag()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            if count > len(self.data) - self.place:
                raise ValueError("the metadata has a list longer than itself")
            return [self._value(head & 15, depth, inside=True) for _ in range(count)]
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"the metadata has a field of unknown type {kind}")

    def _byte(self) -> int:
        self.place += 1
        return self.data[self.place - 1]

    def _bytes(self, count: int) -> bytes:
        if count > len(self.data) - self.place:
            raise ValueError("the metadata is cut short")
        self.place += count
        return self.data[self.place - count : self.place]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("the metadata has a number of more than 64 bits")

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
