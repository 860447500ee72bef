"""Memory asked for beforehand, for libraries that do not survive a lack of it."""

from __future__ import annotations

import numpy as np

__all__ = ["ROOM", "require_memory"]

ROOM = 32 * 2**20
"""Bytes to ask for beside what grows with the data: more than such a library takes for itself."""


def require_memory(size: int) -> None:
    """Raise MemoryError unless ``size`` bytes of memory can be had now; they are given back at once.

    If memory runs out amid the work of a library in C or C++, it may end the process or call an intact file
    damaged.

    Parameters
    ----------
    size : int
        Bytes, at least as many as the library will take.

    Examples
    --------
    >>> require_memory(1000)
    """
    np.empty(size, np.uint8)
