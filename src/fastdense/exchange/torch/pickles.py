"""PyTorch's own files (.pt, .pth, .ckpt, .bin), read without PyTorch: what is in them, tensors as arrays.

`torch.save` writes a pickle of the objects and, beside it, the bytes of the tensors' storages: since PyTorch
1.6 as the members of a zip file, before that one after another behind the pickle. TorchScript writes such zip
files too. The pickle is followed by `machine`, which runs nothing; each storage must be there in full.
"""

from __future__ import annotations

import io
import math
import mmap
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.torch.machine import Made, Named, unpickle

__all__ = ["Tensor", "read_pickle"]

_DTYPES = {
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",  # the upper halves of float32
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "ByteStorage": "u1",
    "CharStorage": "i1",
    "ShortStorage": "i2",
    "IntStorage": "i4",
    "LongStorage": "i8",
    "BoolStorage": "?",
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
    "QInt8Storage": "i1",  # of quantised tensors, which are not read, but others behind them may be
    "QUInt8Storage": "u1",
    "QInt32Storage": "i4",
}
_MAGIC = 0x1950A86A20F9469CFC6C  # what an old file's first pickle holds


class Storage(NamedTuple):
    """The numbers that tensors are views of, by what the pickle says of them."""

    kind: str
    key: str
    length: int


class Tensor(NamedTuple):
    """A view of a storage: its size and strides are in numbers, and lie within it."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """How many bytes its numbers take, repeated ones included."""
        return math.prod(self.size) * np.dtype(_DTYPES[self.storage.kind]).itemsize


class Contents(NamedTuple):
    """A file's objects, and its storages.

    Attributes
    ----------
    objects : object
        Dicts, lists, tuples, numbers and texts; a `Tensor` for each tensor, a `Made` for all else.
    stored : callable
        Returns the bytes of a storage, given its key and how many bytes it must have.
    order : "<" or ">"
        The order of the bytes.
    """

    objects: Any
    stored: Callable[[str, int], bytes]
    order: Literal["<", ">"]

    def array(self, tensor: Tensor) -> Array:
        """Return a tensor's numbers; float16 and bfloat16 as float32.

        Raises
        ------
        FormatError
            Its storage is missing, or is longer or shorter than the tensor's.
        """
        kind, key, length = tensor.storage
        dtype = np.dtype(_DTYPES[kind]).newbyteorder(self.order)
        flat = np.frombuffer(self.stored(key, length * dtype.itemsize), dtype)[tensor.offset :]
        strides = [stride * dtype.itemsize for stride in tensor.strides]
        view = np.lib.stride_tricks.as_strided(flat, tensor.size, strides, writeable=False)
        array = np.array(view, dtype.newbyteorder("="))
        if kind == "BFloat16Storage":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array.astype(np.float32) if kind == "HalfStorage" else array


def read_pickle(path: str | os.PathLike[str], take: Callable[[Contents], Any]) -> Any:
    """Return what ``take`` makes of a file's contents, while the file is open.

    Raises
    ------
    FormatError
        The file is damaged or of another kind.
    OSError
        It cannot be opened.
    """
    with Path(path).open("rb") as file:
        try:
            with warnings.catch_warnings():  # of odd escapes in damaged names
                warnings.simplefilter("ignore", DeprecationWarning)
                return take((_of_zip if file.read(2) == b"PK" else _of_old)(path, file))
        except (FormatError, MemoryError):
            raise
        except Exception as error:  # the errors of damaged pickles and zip files have no class in common
            raise FormatError(
                f"{path} is damaged or not one of PyTorch's files: {type(error).__name__}: {error!s:.200}"
            ) from error


class _Members:
    """The members of a zip file, read as PyTorch writes them: once each, and not compressed."""

    def __init__(self, path: object, file: IO[bytes]) -> None:
        self.path, self.archive = path, zipfile.ZipFile(file)
        self.found: dict[str, list[zipfile.ZipInfo]] = {}
        for member in self.archive.infolist():
            self.found.setdefault(member.filename, []).append(member)

    def root(self) -> str:
        """Return the folder that everything is in."""
        roots = [name.rpartition("/")[0] for name in self.found if name.rpartition("/")[2] == "data.pkl"]
        if len(roots) == 1 and len(self.found[f"{roots[0]}/data.pkl"]) == 1:
            return roots[0]
        if any(name.endswith("/archive_format") for name in self.found):
            raise FormatError(
                f"{self.path} is a program of torch.export: read it by from_torch(torch.export.load(path))"
            )
        raise FormatError(
            f"{self.path} is a zip file, but not one of PyTorch's: it has {len(roots)} data.pkl"
        )

    def read(self, name: str, size: int | None = None) -> bytes:
        """Return a member's bytes, which must be ``size`` if that is given."""
        members = self.found.get(name, [])
        if len(members) != 1:
            raise FormatError(
                f"{self.path} is damaged: it has {len(members)} records {name!r:.100}, and not 1"
            )
        (member,) = members
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise FormatError(
                f"{self.path} holds compressed members ({name!r:.100}), and PyTorch writes none"
            )
        if size not in (None, member.file_size):
            raise FormatError(
                f"{self.path} is damaged: the record {name!r:.100} has {member.file_size} bytes, and its "
                f"storage {size}"
            )
        return self.archive.read(member)


def _of_zip(path: object, file: IO[bytes]) -> Contents:
    """Open a zip file; of its members only the objects' pickle is read at once."""
    members = _Members(path, file)
    root = members.root()
    named = f"{root}/byteorder" in members.found
    order: Literal["<", ">"] = "<" if not named or members.read(f"{root}/byteorder") == b"little" else ">"
    objects = unpickle(io.BytesIO(members.read(f"{root}/data.pkl")), _called, _referred)
    return Contents(objects, lambda key, size: members.read(f"{root}/data/{key}", size), order)


def _of_old(path: object, file: IO[bytes]) -> Contents:
    """Open a file of the old form: five pickles, and then each storage behind the number of its elements."""
    known: dict[str, Storage] = {}

    def refer(identifier: Any) -> Any:
        storage = _referred(identifier)
        if isinstance(storage, Storage) and known.setdefault(storage.key, storage) != storage:
            raise FormatError(f"{path} is damaged: it speaks of a storage in two ways")
        return storage

    content: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # whose reads end with the file
    magic, _, system, objects, keys = (unpickle(content, _called, refer) for _ in range(5))
    if magic != _MAGIC or not isinstance(system, dict) or not isinstance(keys, list):
        raise FormatError(f"{path} is a pickle, but not one of PyTorch's files")
    order: Literal["<", ">"] = "<" if system.get("little_endian", True) else ">"
    places, place = {}, content.tell()
    for key in keys:
        if key not in known:
            raise FormatError(
                f"{path} has a storage of an unknown kind, or that no tensor needs: {key!s:.50}"
            )
        size = known[key].length * np.dtype(_DTYPES[known[key].kind]).itemsize
        count = int.from_bytes(content[place : place + 8], "little" if order == "<" else "big")
        places[key] = slice(place + 8, place + 8 + size)
        place += 8 + size
        if count != known[key].length or place > len(content):
            raise FormatError(f"{path} is damaged: the storage {key!r:.50} is not there in full")
    if missing := known.keys() - places:
        raise FormatError(f"{path} is damaged: it lacks {len(missing)} of its {len(known)} storages")
    return Contents(objects, lambda key, size: content[places[key]], order)


def _referred(identifier: Any) -> Any:
    """Return what a persistent identifier stands for: a storage, or a class."""
    match identifier:
        case ("storage", Named(name=name), str(key), str(), int(length), *views):
            kind = name.removeprefix("torch.")
            if kind in _DTYPES and length >= 0 and views in ([], [None]):
                return Storage(kind, key, length)
        case ("module", Named() as named, *_):  # a class, with the source code that it had
            return named
    return Made("a storage of another kind", ())


def _called(name: str, arguments: tuple[Any, ...]) -> Any:
    """Return what a call by name makes: a dict, a tensor, or only what it would have been."""
    match name, arguments:
        case (("collections.OrderedDict" | "collections.defaultdict"), _):
            pairs = [pair for items in arguments if isinstance(items, list) for pair in items]
            return {key: value for key, value in pairs if isinstance(key, str)}
        case (
            ("torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state"),
            (tensor, *_),
        ):
            return tensor
        case "torch._tensor._rebuild_from_type_v2", (Named(name=rebuilt), _, tuple(inner), *_):
            return _called(rebuilt, inner)
        case "torch._utils._rebuild_tensor", (Storage() as storage, *view):
            return _tensor(storage, *view)
        case "torch._utils._rebuild_tensor_v2", (Storage() as storage, offset, size, strides, _, _, *bits):
            # A seventh argument says that numbers are conjugate or negative, and PyTorch writes it seldom.
            return Made(name, ()) if any(bits) else _tensor(storage, offset, size, strides)
    return Made(name, arguments)


def _tensor(storage: Storage, offset: Any, size: Any, strides: Any) -> Tensor:
    """Return a view of a storage that lies within it."""
    numbers = (offset, *size, *strides)
    if not all(type(n) is int and n >= 0 for n in numbers) or len(size) != len(strides) or len(size) > 32:
        raise ValueError("a tensor's offset, size and strides are numbers from 0")
    end = offset + 1 + sum((n - 1) * stride for n, stride in zip(size, strides, strict=True))
    if (0 not in size and end > storage.length) or offset > storage.length:
        raise ValueError(f"a tensor ends at number {end} of a storage of {storage.length}")
    return Tensor(storage, offset, tuple(size), tuple(strides))
