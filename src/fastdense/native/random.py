"""Random numbers by counter: any element of any mask can be drawn alone, in any order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import DtypeError, ShapeError
from fastdense.native import _core
from fastdense.native._arguments import integer_below
from fastdense.native.processor import isa_in_use

WORD = 2**32  # Philox draws words of 32 bits


def philox4x32(key: int, counters: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the Philox4x32-10 random words of each counter.

    Parameters
    ----------
    key : int
        64 bits: the low 32 are the key's first word, the high 32 its second.
    counters : array of shape (n, 4), uint32
        One counter per row.

    Returns
    -------
    words : array of shape (n, 4), uint32

    Raises
    ------
    ShapeError
        ``counters`` doesn't have four columns.
    DtypeError
        ``counters`` isn't of type uint32.

    References
    ----------
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3.
    SC 2011.

    Examples
    --------
    >>> import numpy as np
    >>> [f"{word:08x}" for word in philox4x32(0, np.zeros((1, 4), dtype=np.uint32))[0]]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    key = integer_below(WORD**2, "key", key)
    counters = np.asarray(counters)
    if counters.dtype != np.uint32:
        raise DtypeError(f"counters must be of type uint32, not {counters.dtype}")
    if counters.ndim != 2 or counters.shape[1] != 4:
        raise ShapeError(f"counters must have shape (n, 4), not {counters.shape}")
    words = np.empty(counters.shape, dtype=np.uint32)
    _core.philox4x32(key, np.ascontiguousarray(counters), words)
    return words


def dropout_mask(
    seed: int, step: int, layer: int, rows: int, columns: int, rate: float, *, isa: str | None = None
) -> NDArray[np.bool_]:
    """Return which units of a layer are kept at one training step.

    The unit at (row, column) is kept when word ``column % 4`` of the Philox4x32-10 block with key
    ``seed`` and counter ``(step, layer, row, column // 4)`` is at least ``floor(rate * 2**32)``: each
    unit's fate is a function of these numbers only, for any caller and any split of the batch.

    Parameters
    ----------
    seed : int
        At least 0 and below ``2**64``.
    step, layer, rows, columns : int
        At least 0 and below ``2**32``.
    rate : float
        The share of units to drop: at least 0 and below 1.
    isa : str, optional
        The build of the kernel to run; that of `isa_in_use` if not given. All give the same mask.

    Returns
    -------
    kept : array of shape (rows, columns), bool

    Examples
    --------
    >>> dropout_mask(seed=0, step=0, layer=0, rows=2, columns=5, rate=0.0)
    array([[ True,  True,  True,  True,  True],
           [ True,  True,  True,  True,  True]])
    """
    seed = integer_below(WORD**2, "seed", seed)
    step = integer_below(WORD, "step", step)
    layer = integer_below(WORD, "layer", layer)
    shape = integer_below(WORD, "rows", rows), integer_below(WORD, "columns", columns)
    if not 0 <= rate < 1:
        raise ValueError(f"rate must be at least 0 and below 1, not {rate!r}")
    kept = np.empty(shape, dtype=np.bool_)
    _core.dropout_mask(seed, step, layer, math.floor(rate * WORD), isa or isa_in_use(), kept)
    return kept
