"""Damaged files for readers: thousands of mutations of good ones, each to be read or to be refused."""

from __future__ import annotations

import contextlib
import os
import random
import re
import struct
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastdense.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["MUTATIONS", "TIMES", "fuzz", "limited_memory", "mutations"]

# Sizes that a reader might believe: the limits of each width, and one to either side.
_LIMITS = (0, 1, 2**31, 2**32, 2**63, 2**64)
_SIZES = [limit + off for limit in _LIMITS for off in (-1, 0, 1) if 0 <= limit + off < 2**64]
_EDGE = 1024  # headers and directories are at a file's ends, where half of all mutations are made
_MEMORY = 512 * 2**20
# `make fuzz` draws 50 times the networks of an ordinary run, and reads 1000 times the damaged files: a
# million per reader.
TIMES = int(os.environ.get("FASTDENSE_FUZZ", "1"))
DAMAGED_TIMES = 20 * TIMES if TIMES > 1 else 1


def _place(rng: random.Random, data: bytes) -> int:
    """Return an offset, near either end in half of all cases."""
    edge = min(_EDGE, len(data))
    where = rng.random()
    if where < 0.35:
        return rng.randrange(edge)
    return len(data) - 1 - rng.randrange(edge) if where < 0.5 else rng.randrange(len(data))


def _piece(rng: random.Random, data: bytes) -> slice:
    """Return a stretch of the data, short ones more often than long ones."""
    start = _place(rng, data)
    return slice(start, min(len(data), start + int(2 ** rng.uniform(0, 10))))


def _replaced(data: bytes, piece: slice, new: bytes) -> bytes:
    return data[: piece.start] + new + data[piece.stop :]


def _flip_bits(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[_place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(rng: random.Random, data: bytes) -> bytes:
    piece = _piece(rng, data)
    size = piece.stop - piece.start
    return _replaced(data, piece, rng.choice((b"\0" * size, b"\xff" * size, rng.randbytes(size))))


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: _place(rng, data)]


def _remove(rng: random.Random, data: bytes) -> bytes:
    return _replaced(data, _piece(rng, data), b"")


def _duplicate(rng: random.Random, data: bytes) -> bytes:
    piece, to = _piece(rng, data), _place(rng, data)
    return _replaced(data, slice(to, to), data[piece])


def _move(rng: random.Random, data: bytes) -> bytes:
    """Write a stretch over another place, as a wild pointer would."""
    piece, to = _piece(rng, data), _place(rng, data)
    return _replaced(data, slice(to, to + piece.stop - piece.start), data[piece])


def _insert(rng: random.Random, data: bytes) -> bytes:
    to = _place(rng, data)
    return _replaced(data, slice(to, to), rng.randbytes(rng.choice((1, 4, 8, 100))))


def _change_binary_size(rng: random.Random, data: bytes) -> bytes:
    to, size = _place(rng, data), rng.choice((*_SIZES, len(data), len(data) - 8))
    new = struct.pack(
        *rng.choice((("<I", size % 2**32), (">I", size % 2**32), ("<Q", size % 2**64), (">Q", size % 2**64)))
    )
    return _replaced(data, slice(to, to + len(new)), new)


def _change_written_number(rng: random.Random, data: bytes) -> bytes:
    """Replace a number in digits, as headers of JSON have them."""
    found = [match.span() for match in re.finditer(rb"-?\d+", data[: 4 * _EDGE])]
    if not found:
        return _flip_bits(rng, data)
    new = str(rng.choice((*_SIZES, -1, 2, 3, 10**30, 0.5))).encode()
    return _replaced(data, slice(*rng.choice(found)), new)


MUTATIONS: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "flipped bits": _flip_bits,
    "overwritten": _overwrite,
    "truncated": _truncate,
    "shortened": _remove,
    "duplicated": _duplicate,
    "moved": _move,
    "inserted": _insert,
    "another binary size": _change_binary_size,
    "another written number": _change_written_number,
}


def mutations(samples: Mapping[str, bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield ``count`` damaged files, each with what was done to it; the same for the same seed."""
    rng = random.Random(seed)
    for number in range(count):
        name = rng.choice(sorted(samples))
        data, done = samples[name], []
        for kind in rng.choices(sorted(MUTATIONS), k=rng.choice((1, 1, 1, 2, 3))):
            if data:
                data = MUTATIONS[kind](rng, data)
                done.append(kind)
        yield f"mutation {number} of {seed}: {name}, {', '.join(done)}", data


@contextlib.contextmanager
def limited_memory(extra: int = _MEMORY) -> Iterator[None]:
    """Let the process take so many bytes more and no others, where the system can: more is a MemoryError."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def fuzz(
    reader: Callable[[Path], Any],
    samples: Mapping[str, bytes],
    path: Path,
    count: int = 1_000,
    allowed: tuple[type[BaseException], ...] = (FormatError,),
    seed: int = 0,
) -> Counter[str]:
    """Read damaged files, and raise AssertionError at the first that is neither read nor cleanly refused.

    Parameters
    ----------
    reader : callable
        Reads the file at a path; it may check the result, and raise AssertionError.
    samples : mapping of str to bytes
        Good files.
    path : Path
        Where the damaged file is written; the one that failed stays there.
    count : int
        How many mutations an ordinary run reads; `make fuzz` reads 1000 times as many.
    allowed : tuple of exceptions
        What a reader may raise, with a message.
    seed : int
        Other seeds make other mutations.

    Returns
    -------
    Counter
        How many were "read" and how many "refused": both must have happened for the test to mean anything.
    """
    outcomes: Counter[str] = Counter()
    with limited_memory():
        for what, data in mutations(samples, count * DAMAGED_TIMES, seed):
            path.write_bytes(data)
            try:
                reader(path)
                outcomes["read"] += 1
            except allowed as error:
                message = str(error)
                outcomes["refused"] += 1
            except BaseException as error:
                raise AssertionError(f"{what}: {type(error).__name__}: {error!s:.500}") from error
            else:
                message = "it was read"
            assert 10 < len(message) < 5000, f"{what}: not a message: {message!r:.500}"
    return outcomes
