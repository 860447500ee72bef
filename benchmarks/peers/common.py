"""What the peers share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

Call = Callable[[], Any]
RATE = 1e-3
# Libraries add it before or after the bias correction: so small, the two are the same.
EPSILON = 1e-12


class Unsupported(Exception):
    """What this peer does not do; its cell stays empty."""


def unsupported(why: str) -> NoReturn:
    raise Unsupported(why)


def batches(*arrays: Any, size: int) -> Iterator[tuple[Any, ...]]:
    for i in range(0, len(arrays[0]), size):
        yield tuple(array[i : i + size] for array in arrays)
