"""The safetensors container: a header of JSON that names, types and places arrays, and their bytes.

A page of code reads and writes it, strictly, so that an error of the system or a lack of memory is Python's
own exception, which leaves the process and the old file as they were.

References
----------
The format: https://huggingface.co/docs/safetensors. In order: the header's length in eight bytes,
little-endian; the header in UTF-8, padded with blanks to a multiple of eight; the arrays, without gaps or
overlaps.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import struct
from collections.abc import Collection, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.files.atomic import atomic_file
from fastdense.errors import FormatError

__all__ = ["DTYPES", "Tensors", "open_tensors", "plain_array", "write_tensors"]

DTYPES: Final = {"I64": "int64", "F64": "float64", "F32": "float32", "I32": "int32"}
"""The dtypes of files that are written here, in the order in which a file has them: the widest first."""

# How each dtype that can be read lies in a file. NumPy lacks bfloat16, the upper half of a float32.
_STORED: Final = {**DTYPES, "F16": "float16", "BF16": "uint16"}
_KINDS: Final = {name: kind for kind, name in DTYPES.items()}
_METADATA: Final = "__metadata__"
_MAX_HEADER: Final = 100 * 2**20  # as in other readers
_MAX_AXES: Final = 32  # NumPy 1's


class Entry(NamedTuple):
    """What the header says of one array: its dtype in the format's words, its shape and its bytes' place."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def write_tensors(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], metadata: Mapping[str, str]
) -> None:
    """Write arrays by name, atomically.

    Parameters
    ----------
    path : path-like
    arrays : mapping of name to array
        float32, float64, int32 or int64; any memory layout and byte order.
    metadata : mapping of str to str

    Raises
    ------
    TypeError
        An array has another dtype.
    OSError
        The file cannot be written; what was there before is untouched.
    """
    ranks = list(DTYPES)
    names = sorted(arrays, key=lambda name: (ranks.index(_kind(arrays[name])), name))
    header: dict[str, Any] = {_METADATA: dict(metadata)}
    end = 0
    for name in names:
        array = arrays[name]
        start, end = end, end + array.nbytes
        header[name] = {"dtype": _kind(array), "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with atomic_file(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            file.write(_bytes(arrays[name]))


def _kind(array: Array) -> str:
    """Return an array's dtype in the format's words."""
    try:
        return _KINDS[array.dtype.name]
    except KeyError:
        known = ", ".join(sorted(_KINDS))
        raise TypeError(f"a file holds arrays of {known}, not of {array.dtype}") from None


def _bytes(array: Array) -> memoryview:
    return plain_array(array).reshape(-1).view(np.uint8).data


def plain_array(array: Array) -> Array:
    """Return an array as a file holds its bytes: row after row, little-endian; copied only if it must be.

    Raises
    ------
    TypeError
        It is not of float32, float64, int32 or int64.
    """
    _kind(array)
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return plain.reshape(array.shape)  # 0-d arrays stay 0-d


class Tensors:
    """An open safetensors file, of which only the header has been read.

    Attributes
    ----------
    metadata : dict of str to str
    """

    def __init__(
        self,
        path: object,
        file: BufferedReader,
        header: Mapping[str, Entry],
        metadata: dict[str, str],
        dtypes: Collection[str],
    ) -> None:
        self._path, self._file, self._header, self._dtypes = path, file, header, dtypes
        self.metadata = metadata

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by name; bfloat16 comes as float32.

        Raises
        ------
        FormatError
            One has another dtype than was asked for, or a size that its shape does not have: nothing has been
            allocated for any yet.
        """
        for name, entry in self._header.items():
            if entry.dtype not in self._dtypes:
                raise FormatError(
                    f"{self._path}: tensor {name!r:.100} has dtype {entry.dtype:.20}, which no model has"
                )
            size = math.prod(entry.shape) * np.dtype(_STORED[entry.dtype]).itemsize
            if size != entry.end - entry.start:
                raise _damaged(self._path, f"{name!r:.100} has {entry.end - entry.start} bytes, not {size}")
        return {name: self._array(entry) for name, entry in self._header.items()}

    def _array(self, entry: Entry) -> Array:
        array = np.empty(entry.shape, np.dtype(_STORED[entry.dtype]).newbyteorder("<"))
        self._file.seek(entry.start)
        if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
            raise _damaged(self._path, "it ended while it was read")
        if entry.dtype == "BF16":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array.astype(array.dtype.newbyteorder("="), copy=False)


@contextlib.contextmanager
def open_tensors(
    path: str | os.PathLike[str], dtypes: Collection[str] = frozenset(DTYPES)
) -> Iterator[Tensors]:
    """Open a safetensors file and check its header.

    Parameters
    ----------
    path : path-like
    dtypes : collection of str
        The dtypes that its arrays may have: some of "F64", "F32", "F16", "BF16", "I64" and "I32".

    Raises
    ------
    FormatError
        The file is damaged or of another kind.
    OSError
        It cannot be opened.
    """
    with Path(path).open("rb") as file:
        header, metadata = _read_header(path, file)
        yield Tensors(path, file, header, metadata, dtypes)


def _read_header(path: object, file: BufferedReader) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the arrays' entries, which fill the file without gaps or overlaps, and the metadata."""
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > min(size - 8, _MAX_HEADER):
        raise _damaged(path, f"its header would be {length} bytes long, and the file is {size}")
    try:
        header = json.loads(file.read(length).decode(), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a JSON object")
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _damaged(path, "its metadata are not texts")
    entries = {name: _entry(path, name, value, 8 + length) for name, value in header.items()}
    end = 8 + length
    for name, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.start != end:
            raise _damaged(path, f"{name!r:.100} begins at byte {entry.start}, not {end}")
        end = entry.end
    if end != size:
        raise _damaged(path, f"its arrays end at byte {end}, and the file is {size} long")
    return entries, metadata


def _entry(path: object, name: str, value: Any, origin: int) -> Entry:
    match value:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [start, end], **more} if not more:
            sizes = all(type(number) is int and 0 <= number < 2**63 for number in (*shape, start, end))
            # NumPy refuses an array of no numbers too if its other axes are beyond this.
            if sizes and len(shape) <= _MAX_AXES and start <= end and math.prod(filter(None, shape)) < 2**59:
                return Entry(dtype, tuple(shape), origin + start, origin + end)
    raise _damaged(path, f"the entry of {name!r:.100} is {value!r:.200}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    for text in (*found, *found.values()):
        if isinstance(text, str):
            text.encode()  # half of a surrogate pair is a ValueError
    return found


def _damaged(path: object, reason: str) -> FormatError:
    return FormatError(f"{path} is damaged or not a safetensors file: {reason}")
