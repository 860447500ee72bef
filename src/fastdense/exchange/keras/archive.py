"""The zip file that a ``.keras`` model is: three members of known names, none much larger than the file."""

from __future__ import annotations

import io
import zipfile

from fastdense.errors import FormatError

__all__ = ["CONFIG", "METADATA", "WEIGHTS", "members"]

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
# Keras does not compress. Compressing its files again gains a factor of about ten on the descriptions.
_LARGEST_RATIO = 32
# A layer takes about a thousand bytes. Parsed, a description of brackets alone takes thirty times its length.
_LARGEST_DESCRIPTION = 2**20


def members(data: bytes) -> dict[str, bytes]:
    """Return the content of the three members by name.

    Raises
    ------
    FormatError
        One is missing, there are others, a name leads elsewhere, or a member says that it becomes much larger
        than the file when it is unpacked. Nothing is written to the disk.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive.infolist(), len(data))
            return {name: _content(archive, name) for name in (METADATA, CONFIG, WEIGHTS)}
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # zipfile's and zlib's errors have no class in common
        raise FormatError(f"it is damaged ({type(error).__name__}: {error!s:.200})") from error


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a member of no more bytes than it says; it may unpack to others, which the checksum finds."""
    with archive.open(name) as member:
        return member.read(archive.getinfo(name).file_size)


def _check(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse what is not a model's file, ``size`` being the bytes of all of it."""
    names = [info.filename for info in infos]
    missing = {METADATA, CONFIG, WEIGHTS} - set(names)
    if missing:
        raise FormatError(f"it is a zip file without {', '.join(sorted(missing))}, so none of Keras'")
    extra = [name for name in names if name not in (METADATA, CONFIG, WEIGHTS, "assets/")]
    if extra or len(set(names)) != len(names):
        odd = extra[0] if extra else "one file twice"
        raise FormatError(f"it holds {odd!r:.200}, which a dense network has no use for")
    if any(info.flag_bits & 1 for info in infos):
        raise FormatError("it is encrypted")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > _LARGEST_RATIO * size:
        raise FormatError(
            f"it unpacks to {unpacked} bytes, {_LARGEST_RATIO} times as many as it has and more"
        )
    described = sum(info.file_size for info in infos if info.filename != WEIGHTS)
    if described > _LARGEST_DESCRIPTION + size:
        raise FormatError(f"its descriptions are {described} bytes long, many times as much as layers take")
