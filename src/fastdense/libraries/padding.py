"""Rows added to a block, so that a library that compiles for each number of rows meets few of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["padded"]


def padded(block: NDArray[Any]) -> NDArray[Any]:
    """Return rows with rows of zeros behind them, as many as the next power of two.

    Examples
    --------
    >>> padded(np.ones((3, 2))).shape, padded(np.ones(0)).shape
    ((4, 2), (1,))
    """
    rows = len(block)
    missing = (1 << max(rows - 1, 0).bit_length()) - rows
    return np.pad(block, [(0, missing), *[(0, 0)] * (block.ndim - 1)]) if missing else block
