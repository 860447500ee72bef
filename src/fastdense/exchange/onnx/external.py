"""Numbers that a file keeps in another one: read from beside the model, and from nowhere else."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from fastdense.errors import FormatError

__all__ = ["Outside", "outside"]

_FORBIDDEN = ("/", "\\", ":", "\0")  # what could lead out of the folder, on any system


class Outside(NamedTuple):
    """A stretch of bytes in a regular file that lies beside the model; ``held`` is that file's size."""

    path: Path
    offset: int
    length: int
    held: int

    def read(self) -> bytes:
        """Return the bytes; FormatError if the file is a link or is no longer what it was."""
        with _opened(self.path) as file:
            file.seek(self.offset)
            content = file.read(self.length)
        if len(content) != self.length:
            raise FormatError(f"{self.path.name!r} became shorter while it was read")
        return content


def outside(tensor: Any, size: int, folder: Path) -> Outside:
    """Return where the numbers of a tensor with external data are.

    Parameters
    ----------
    tensor : onnx.TensorProto
    size : int
        Bytes that its shape and type take.
    folder : Path
        The model's.

    Raises
    ------
    FormatError
        The file is not named by a bare name, is not a regular file beside the model, or is too short.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if location in ("", ".", "..") or any(character in location for character in _FORBIDDEN):
        raise FormatError(
            f"its numbers are said to be in {location!r:.200}; only a file beside the model is opened, and "
            "its name has no folder in it"
        )
    offset, length = (_whole(entries, key, default) for key, default in (("offset", 0), ("length", size)))
    if length != size:
        raise FormatError(f"its shape and type take {size} bytes, but it has {length} in {location!r:.200}")
    path = folder / location
    with _opened(path) as file:
        held = os.fstat(file.fileno()).st_size
    if offset + length > held:
        raise FormatError(
            f"its numbers end at byte {offset + length} of {location!r:.200}, which has {held}: the file is "
            "cut short or belongs to another model"
        )
    return Outside(path, offset, length, held)


def _whole(entries: dict[str, str], key: str, default: int) -> int:
    value = entries.get(key, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise FormatError(f"the {key} of its numbers in another file is {value!r:.50}, not a whole number")
    return int(value)


def _opened(path: Path) -> BinaryIO:
    """Open a regular file to read; FormatError for links, devices, pipes and files that are not there."""
    try:
        before = os.lstat(path)
    except FileNotFoundError:
        raise FormatError(
            f"its numbers are in {path.name!r:.200}, which is not beside the model: keep both files in one "
            "folder"
        ) from None
    except (OSError, ValueError) as error:
        raise FormatError(f"its numbers are in {path.name!r:.200}: {error}") from None
    if not stat.S_ISREG(before.st_mode):
        kind = "a link, which is not followed" if stat.S_ISLNK(before.st_mode) else "not a regular file"
        raise FormatError(
            f"its numbers are in {path.name!r:.200}, which is {kind}: put the file itself there"
        )
    # A link or pipe that takes the file's place in between is neither followed nor waited for.
    flags = [getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")]
    try:
        descriptor = os.open(path, os.O_RDONLY | sum(flags))
    except OSError as error:
        raise FormatError(f"its numbers are in {path.name!r:.200}: {error.strerror}") from None
    file = os.fdopen(descriptor, "rb")
    now = os.fstat(descriptor)
    if not os.path.samestat(before, now):
        file.close()
        raise FormatError(f"{path.name!r:.200} was replaced while it was opened")
    return file
