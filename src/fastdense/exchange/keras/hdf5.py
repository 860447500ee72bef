"""HDF5 files read as data: strictly what Keras writes, by a reader that a damaged file cannot crash.

pyfive (https://github.com/NCAS-CMS/pyfive) reads the format in Python. The C library was tried first: of ten
thousand damaged files some end the process, and others never end. pyfive follows no link to another file.
"""

from __future__ import annotations

import contextlib
import functools
import io
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FormatError

__all__ = ["SIGNATURE", "Hdf5"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""What the files start with."""

_NOWHERE = 2**64 - 1
_CHUNKED = 2


class Hdf5:
    """A file's groups, attributes and arrays by their paths.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    FormatError
        From all methods: the file is damaged, or holds what Keras does not write, as links to other files.
    """

    def __init__(self, data: bytes) -> None:
        self._room = len(data)
        with _guarded("it"):
            self._found: dict[str, Any] = {"": _file_class()(io.BytesIO(data))}

    def has(self, path: str) -> bool:
        """Whether there is anything at a path, and at those on the way to it."""
        group, _, name = path.rpartition("/")
        with _guarded(path):
            return (not group or self.has(group)) and name in self._at(group)

    def children(self, path: str) -> list[str]:
        """Return the names in a group."""
        with _guarded(path):
            return [str(name) for name in self._at(path)]

    def _at(self, path: str) -> Any:
        """Return what is at a path; every group is read once."""
        if path not in self._found:
            group, _, name = path.rpartition("/")
            self._found[path] = self._at(group)[name]
        return self._found[path]

    def texts(self, path: str, name: str) -> list[str] | None:
        """Return an attribute's texts, also where it is cut into ``name0``, ``name1``...; None without it."""
        with _guarded(f"{path}, attribute {name!r}"):
            attributes = self._at(path).attrs
            if name in attributes:
                return _texts(attributes[name])
            found: list[str] = []
            while f"{name}{len(found)}" in attributes:
                found.append(f"{name}{len(found)}")
            return [text for part in found for text in _texts(attributes[part])] if found else None

    def array(self, path: str) -> NDArray[Any]:
        """Return an array of numbers, which the file must hold as they are."""
        with _guarded(path):
            data = self._at(path)
            if not hasattr(data, "shape"):
                raise FormatError("there are no numbers")
            dtype, shape = np.dtype(data.dtype), tuple(int(size) for size in data.shape)
            if dtype.kind not in "fiu":
                raise FormatError(
                    f"it does not hold numbers of a dtype that is read, but {dtype} (bfloat16 is written so: "
                    "save the model in float32)"
                )
            if data.id.layout_class == _CHUNKED or getattr(data.id, "data_offset", 0) == _NOWHERE:
                raise FormatError(
                    "its numbers are compressed, in another file or nowhere; Keras writes them as they are"
                )
            self._room -= math.prod(shape) * dtype.itemsize
            if min(shape, default=1) < 1 or self._room < 0:
                raise FormatError(f"its shape is {shape}, which is more than the file holds")
            array: NDArray[Any] = np.asarray(data[()])
            if array.shape != shape:
                raise FormatError("the file ends before its numbers do")
            return array


@functools.cache
def _file_class() -> Any:
    """Return pyfive's class of files, made to refuse attributes that claim more values than they have bytes.

    It would make room for all that are claimed before it reads the first. The two methods are not of its
    public interface: a test holds that they do what is said here.
    """
    try:
        import pyfive
        from pyfive.dataobjects import DataObjects
    except ModuleNotFoundError:
        raise ImportError("reading Keras' files needs pyfive: pip install 'fastdense[h5]'") from None

    class Objects(DataObjects):  # type: ignore[misc]
        def _attr_value(self, ptype: Any, buf: bytes, count: int, offset: int) -> Any:
            if count > len(buf):
                raise FormatError(f"an attribute claims {count} values in {len(buf)} bytes")
            return super()._attr_value(ptype, buf, count, offset)

    class File(pyfive.File):  # type: ignore[misc]
        def _get_dataobjects(self, address: int) -> Any:
            if address not in self._dataobjects_cache:
                self._dataobjects_cache[address] = Objects(
                    self._fh, address, decode_strings=self.decode_strings, global_heaps=self._global_heaps
                )
            return self._dataobjects_cache[address]

    return File


@contextlib.contextmanager
def _guarded(what: str) -> Iterator[None]:
    """Turn whatever a damaged file makes pyfive raise, or warn of, into a `FormatError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ImportError, MemoryError):
        raise
    except FormatError as error:
        raise FormatError(f"{what}: {error}") from error
    except Exception as error:
        raise FormatError(
            f"{what} is damaged, no HDF5, or a link to another file, which is not followed "
            f"({type(error).__name__}: {error!s:.200})"
        ) from error


def _texts(value: Any) -> list[str]:
    items = np.asarray(value).reshape(-1).tolist()
    return [item.decode() if isinstance(item, bytes) else str(item) for item in items]
