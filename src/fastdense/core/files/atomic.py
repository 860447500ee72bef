"""Files that appear whole or not at all: written beside their place, flushed to the disk and renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, where a file that a process has open cannot be removed by another
    fcntl = None  # type: ignore[assignment]

__all__ = ["atomic_file", "atomic_files", "check_place"]

# A name has at most 255 bytes on the common file systems; a dot, ".xxxxxxxx" and ".part" are added to it.
_LONGEST_START = 240
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def check_place(path: str | os.PathLike[str]) -> None:
    """Raise OSError if no file can be written there: before long work, and before a file is replaced.

    Raises
    ------
    FileNotFoundError, PermissionError
        The folder does not exist, or nothing can be written in it.
    IsADirectoryError, FileExistsError
        A folder, a device or a pipe is in the file's place.
    """
    target = Path(os.path.realpath(path))
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the folder to save in does not exist", str(folder))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder is in the file's place", str(target))
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "something that is not a file is in its place", str(target))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write in the folder", str(folder))


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of ``path`` only once all of it is safely on the disk.

    It is written beside ``path``, flushed to the disk and renamed; on any error, an interrupt included,
    it is removed and what was at ``path`` stays as it was. A link stays, and the file that it leads to is
    replaced; the permissions of that file stay too. What a killed process left of an earlier attempt is
    removed.
    """
    with atomic_files(path) as (file,):
        yield file


@contextlib.contextmanager
def atomic_files(*paths: str | os.PathLike[str]) -> Iterator[Sequence[IO[bytes]]]:
    """Open files that belong together: none takes its place before all of them are safely on the disk.

    If a rename fails even so, the renames made before it stay: a file system cannot make two at once. That
    something other than a file is in a file's place is seen before anything is written.

    Raises
    ------
    OSError
        A folder is missing, something other than a file is in a file's place, or a file cannot be written.
    """
    targets = [Path(os.path.realpath(path)) for path in paths]
    for target in targets:
        check_place(target)
        _remove_leftovers(target)
    with contextlib.ExitStack() as stack:
        parts = [_open_part(target, stack) for target in targets]
        yield [file for _, file in parts]
        for (part, file), target in zip(parts, targets, strict=True):
            _finish(part, file, target)
        for (part, file), target in zip(parts, targets, strict=True):
            if fcntl is None:
                file.close()  # Windows renames closed files only
            part.replace(target)
    for directory in {target.parent for target in targets}:
        _sync_directory(directory)


def _open_part(target: Path, stack: contextlib.ExitStack) -> tuple[Path, IO[bytes]]:
    """Open a new file beside the target, locked, and removed when ``stack`` closes unless it was renamed.

    Nobody but its owner may read it until it has the permissions of the file that it replaces.
    """
    private = target.exists()
    while True:
        part = target.with_name(f"{_start_of(target)}{secrets.token_hex(4)}.part")
        stack.callback(part.unlink, missing_ok=True)  # before it exists: an interrupt may come between
        descriptor = os.open(part, _NEW, 0o600 if private else 0o666)
        file = stack.enter_context(os.fdopen(descriptor, "wb"))
        _lock(file)
        if _is_at(file, part):
            return part, file
        file.close()  # another process took it for a leftover before it was locked


def _finish(part: Path, file: IO[bytes], target: Path) -> None:
    """Put the content on the disk, and give the file the permissions of the one that it replaces."""
    file.flush()
    with contextlib.suppress(FileNotFoundError):
        part.chmod(stat.S_IMODE(target.stat().st_mode))
    os.fsync(file.fileno())


def _start_of(target: Path) -> str:
    """Return what the names of a target's unfinished files begin with."""
    return f".{os.fsencode(target.name)[:_LONGEST_START].decode(errors='ignore')}."


def _remove_leftovers(target: Path) -> None:
    """Remove the target's unfinished files that no process is writing: a kill left them.

    Whoever writes one holds a lock on it, which the system releases when a process ends in whatever way.
    """
    pattern = re.compile(re.escape(_start_of(target)) + r"[0-9a-f]{8}\.part")
    with contextlib.suppress(OSError):  # a folder that cannot be listed, a system without locks
        for name in os.listdir(target.parent):  # noqa: PTH208 -- Path.iterdir makes a Path of each
            if pattern.fullmatch(name):
                _remove_unlocked(target.parent / name)


def _remove_unlocked(part: Path) -> None:
    """Remove a file unless a process has it locked, or on Windows open."""
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(part.lstat().st_mode):  # to open a pipe would wait for its other end
            return
        if fcntl is None:
            part.unlink()
            return
        with part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _lock(file: IO[bytes]) -> None:
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a network's file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Return True if the open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _sync_directory(directory: Path) -> None:
    """Make the rename itself durable, if the system lets a directory be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
