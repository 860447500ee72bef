"""Files of a ``state_dict`` that `torch.save` wrote: looked through first, then read by PyTorch.

A pickle is a program for a small machine (Python's `pickletools` documents its instructions) that names the
functions it calls. A ``state_dict`` needs a handful of them. Files that name any other, or numbers that their
own length does not account for, or that unpack to more than they are, are refused before PyTorch opens them;
it then reads with ``weights_only=True``, which runs nothing either.
"""

from __future__ import annotations

import io
import os
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from fastdense.errors import FormatError
from fastdense.formats.torch.parts import as_array, need_torch

__all__ = ["read_state"]

Array = NDArray[Any]

# As the instruction GLOBAL gives them: module and name.
_KNOWN = re.compile(
    r"collections OrderedDict|torch [A-Za-z0-9]+Storage|torch\._utils _rebuild_(tensor_v2|parameter)"
)
# These name functions in other ways than GLOBAL, and no file of PyTorch's has them.
_OTHERS = ("STACK_GLOBAL", "INST", "OBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4")
_PREAMBLE = 3  # pickles that an old file begins with: a magic number, the version, the system
_MAGIC = 2**80
_REPEATED = 4  # tensors may share a storage, as tied weights do


def read_state(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Return the tensors of a file by name, in its order; float16 and bfloat16 as float32.

    Raises
    ------
    FormatError
        The file is damaged, holds anything but tensors by name, or claims to be larger than it is.
    ImportError
        There is no PyTorch.
    OSError
        It cannot be opened.
    """
    need_torch(f"to read {path}")
    import torch

    _refuse_what_is_no_state(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # its reader raises whatever damaged bytes lead to, MemoryError too
        raise _damaged(path, error) from error
    is_state = isinstance(content, Mapping) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in content.items()
    )
    if not is_state:
        raise FormatError(f"{path} is not a state_dict: save module.state_dict(), and nothing else, in it")
    size, limit = sum(t.numel() * t.element_size() for t in content.values()), Path(path).stat().st_size
    if size > _REPEATED * limit:  # a tensor may claim to repeat what is there once
        raise FormatError(f"{path} claims {size} bytes of tensors but is {limit} bytes long")
    try:
        return {name: as_array(tensor) for name, tensor in content.items()}
    except (TypeError, RuntimeError) as error:  # of a kind that NumPy has none of
        raise FormatError(f"{path}: {error!s:.200}") from None


def _refuse_what_is_no_state(path: str | os.PathLike[str]) -> None:
    """Raise FormatError if what the file says of itself is not what a ``state_dict`` says."""
    content = Path(path).read_bytes()
    try:
        with warnings.catch_warnings():  # of odd escapes in damaged names
            warnings.simplefilter("ignore", DeprecationWarning)
            if content.startswith(b"PK"):
                _refuse_pickle(path, io.BytesIO(_record(path, content)), len(content))
                return
            pickles = io.BytesIO(content)
            for i in range(_PREAMBLE + 2):  # then come the tensors, and the names of their storages
                _refuse_pickle(path, pickles, _MAGIC if i < _PREAMBLE else len(content))
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # the readers' errors have no class in common
        raise _damaged(path, error) from error


def _record(path: object, content: bytes) -> bytes:
    """Return the pickle of a zip file whose members are as large as they say, and no larger unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise FormatError(f"{path} holds compressed members, and PyTorch writes none")
        size = sum(member.file_size for member in members)
        if size > len(content):
            raise FormatError(f"{path} claims {size} bytes of members but is {len(content)} bytes long")
        found = [member for member in members if member.filename.rpartition("/")[2] == "data.pkl"]
        if len(found) != 1:
            raise FormatError(f"{path} is a zip file, but none of PyTorch's: it has {len(found)} data.pkl")
        return archive.read(found[0])


def _refuse_pickle(path: object, pickle: IO[bytes], largest: int) -> None:
    """Read a pickle's instructions to its end, without following them."""
    for instruction, argument, _ in pickletools.genops(pickle):
        called = str(argument) if instruction.name == "GLOBAL" else None
        if instruction.name in _OTHERS or (called is not None and not _KNOWN.fullmatch(called)):
            what = called.replace(" ", ".") if called else f"the instruction {instruction.name}"
            raise FormatError(
                f"{path} holds more than tensors by name ({what:.100}), and what it holds is not run: save "
                "the weights alone, by torch.save(module.state_dict(), path)"
            )
        if isinstance(argument, int) and abs(argument) > largest:
            raise FormatError(f"{path} speaks of {argument} numbers but is {largest} bytes long")


def _damaged(path: object, error: BaseException) -> FormatError:
    return FormatError(
        f"{path} is damaged or not one of PyTorch's files: {type(error).__name__}: {error!s:.200}"
    )
