"""Files that hold arrays beside a JSON description: strict, checked, code-free and saved atomically.

The container is safetensors (https://huggingface.co/docs/safetensors): its header is checked by that library
for overlaps and sizes. The description sits in the header's metadata behind a SHA-256 of itself and of every
array's bytes, so a flipped bit anywhere is noticed. Nothing in such a file is ever executed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FormatError

__all__ = [
    "Tensors",
    "atomic_file",
    "atomic_files",
    "check_folder",
    "open_tensors",
    "read",
    "write",
    "write_tensors",
]

Array = NDArray[Any]
_DTYPES = {"F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64"}
# The only entry of the metadata: the library writes several in an order that is new for every process.
_KEY = "fastdense"
# A description is a few KB; a table of many categories some MB. Beyond this a file is not a model.
_MAX_DESCRIPTION = 64 * 2**20


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise FileNotFoundError unless there is a folder for a file of that name."""
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the folder to save in does not exist", str(folder))


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of ``path`` only once all of it is safely on the disk.

    It is written beside ``path``, flushed to the disk and renamed; on any error, an interrupt included,
    it is removed and what was at ``path`` stays as it was.
    """
    with atomic_files(path) as (file,):
        yield file


@contextlib.contextmanager
def atomic_files(*paths: str | os.PathLike[str]) -> Iterator[Sequence[IO[bytes]]]:
    """Open files that belong together: none takes its place before all of them are safely on the disk.

    Should a rename fail even so, those that were made already stay: a file system has no way to make two at
    once. That a directory is in a file's place is seen before anything is renamed.
    """
    targets = [Path(os.path.realpath(path)) for path in paths]  # a link stays, what it leads to is replaced
    for target in targets:
        check_folder(target)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder is in the file's place", str(target))
    parts = [target.with_name(f".{target.name}.{secrets.token_hex(4)}.part") for target in targets]
    try:
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(part.open("xb")) for part in parts]
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for part, target in zip(parts, targets, strict=True):
            with contextlib.suppress(FileNotFoundError):
                part.chmod(target.stat().st_mode)
        for part, target in zip(parts, targets, strict=True):
            part.replace(target)
    except BaseException:
        for part in parts:
            part.unlink(missing_ok=True)
        raise
    for directory in {target.parent for target in targets}:
        _sync_directory(directory)


def write(path: str | os.PathLike[str], description: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write arrays and their description, atomically.

    Parameters
    ----------
    path : path-like
    description : mapping
        What JSON can hold, finite numbers only.
    arrays : mapping of name to array
        float32, float64, int32 or int64; any memory layout and byte order.

    Raises
    ------
    OSError
        The file cannot be written; what was there before is untouched.
    """
    text = json.dumps(description, allow_nan=False, sort_keys=True)
    contiguous = {name: _plain(array) for name, array in arrays.items()}
    write_tensors(path, contiguous, {_KEY: f"{_digest(text, contiguous)} {text}"})


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the description and the arrays of a file made by `write`.

    Raises
    ------
    FormatError
        The file is damaged or is not of this kind; the message says how.
    OSError
        It cannot be opened.
    """
    with open_tensors(path) as tensors:
        digest, text = _description(path, tensors.metadata)
        arrays = tensors.arrays()
    if _digest(text, arrays) != digest:
        raise FormatError(f"{path} is damaged: its content does not match its checksum")
    return _parse(path, text), arrays


def write_tensors(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], metadata: Mapping[str, str]
) -> None:
    """Write a plain safetensors file, atomically; arrays and errors as in `write`."""
    from safetensors.numpy import save

    content = save({name: _plain(array) for name, array in arrays.items()}, metadata=dict(metadata))
    with atomic_file(path) as file:
        file.write(content)


class Tensors:
    """An open safetensors file, of which only the header has been read.

    Attributes
    ----------
    metadata : dict of str to str
    """

    def __init__(self, path: str | os.PathLike[str], file: Any, dtypes: Mapping[str, str]) -> None:
        self._path, self._file, self._dtypes = path, file, dtypes
        self.metadata: dict[str, str] = file.metadata() or {}

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by name; bfloat16 comes as float32, of which it is the upper half.

        Raises
        ------
        FormatError
            One has another dtype than was asked for, or they claim to be larger than the file: nothing has
            been allocated for them yet.
        """
        names = list(self._file.keys())
        kinds = self._check_sizes(names)
        if "BF16" not in kinds.values():  # which NumPy lacks
            return {name: self._file.get_tensor(name) for name in names}
        from safetensors import deserialize

        raw = dict(deserialize(Path(self._path).read_bytes()))  # type: ignore[no-untyped-call]
        return {
            name: _widened(raw[name]) if kinds[name] == "BF16" else self._file.get_tensor(name)
            for name in names
        }

    def _check_sizes(self, names: list[str]) -> dict[str, str]:
        """Return the kind of each tensor, once all are known and fit into the file together."""
        kinds: dict[str, str] = {}
        total, limit = 0, Path(self._path).stat().st_size
        for name in names:
            tensor = self._file.get_slice(name)
            kinds[name] = kind = tensor.get_dtype()
            if kind not in self._dtypes:
                raise FormatError(f"{self._path}: tensor {name!r:.100} has dtype {kind}, which no model has")
            total += math.prod(tensor.get_shape()) * np.dtype(self._dtypes[kind]).itemsize
        if total > limit:
            raise FormatError(f"{self._path} claims {total} bytes of tensors but is {limit} bytes long")
        return kinds


@contextlib.contextmanager
def open_tensors(path: str | os.PathLike[str], dtypes: Mapping[str, str] = _DTYPES) -> Iterator[Tensors]:
    """Open a safetensors file.

    Parameters
    ----------
    path : path-like
    dtypes : mapping of str to str
        The dtypes that its tensors may have, safetensors' names to NumPy's of the same size.

    Raises
    ------
    FormatError
        The file is damaged or of another kind; of what is found later too, while it is open.
    OSError
        It cannot be opened.
    """
    from safetensors import SafetensorError, safe_open

    with Path(path).open("rb"):  # the ordinary errors for a missing file, a directory or no permission
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            yield Tensors(path, file, dtypes)
    except (SafetensorError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is damaged or not a safetensors file: {error}") from None


def _widened(tensor: Mapping[str, Any]) -> Array:
    halves = np.frombuffer(tensor["data"], "<u2").astype(np.uint32)
    return (halves << 16).view(np.float32).reshape(tensor["shape"])


def _plain(array: Array) -> Array:
    """Return the array C-contiguous and in the machine's byte order, as its bytes are stored."""
    if array.dtype.name not in _DTYPES.values():
        raise TypeError(f"a file holds arrays of {', '.join(_DTYPES.values())}, not of {array.dtype}")
    native = array.dtype.newbyteorder("=")
    return np.ascontiguousarray(array, dtype=native).reshape(array.shape)  # 0-d arrays stay 0-d


def _description(path: object, metadata: Mapping[str, str]) -> tuple[str, str]:
    """Return the checksum and the description's text."""
    if set(metadata) != {_KEY}:
        raise FormatError(
            f"{path} is a safetensors file but not one of fastdense's: it has no description and checksum; "
            "PyTorch's weights are read by fastdense.formats.torch.network_from_torch_weights"
        )
    if len(metadata[_KEY]) > _MAX_DESCRIPTION:
        raise FormatError(f"{path}: its description is over {_MAX_DESCRIPTION >> 20} MB long")
    digest, _, text = metadata[_KEY].partition(" ")
    return digest, text


def _parse(path: object, text: str) -> dict[str, Any]:
    try:
        description = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: its description is not JSON: {error}") from None
    if not isinstance(description, dict):
        raise FormatError(f"{path}: its description is not a JSON object")
    return description


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that a description can hold")


def _digest(text: str, arrays: Mapping[str, Array]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name}\n{array.dtype.name}\n{array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _sync_directory(directory: Path) -> None:
    """Make the rename itself durable, where the system lets a directory be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
