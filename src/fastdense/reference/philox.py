"""Philox4x32-10, random numbers addressed by a counter, and the dropout masks drawn from it.

Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3". A counter's words do
not depend on any drawn before, so every element of a mask can be drawn alone, in any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["dropout_mask", "philox"]

Counter = tuple[int, int, int, int]
WORD = 2**32
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)  # the fractions of the golden ratio and of the square root of 3
ROUNDS = 10


def philox(counter: Counter, key: tuple[int, int]) -> Counter:
    """Return the four random words of a counter under a key.

    Parameters
    ----------
    counter : four ints of 32 bits
    key : two ints of 32 bits

    Returns
    -------
    words : four ints of 32 bits

    Examples
    --------
    >>> [f"{word:08x}" for word in philox((0, 0, 0, 0), (0, 0))]  # a known answer of Random123
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c_0, c_1, c_2, c_3 = counter
    k_0, k_1 = key
    for _ in range(ROUNDS):
        high_0, low_0 = divmod(MULTIPLIERS[0] * c_0, WORD)
        high_1, low_1 = divmod(MULTIPLIERS[1] * c_2, WORD)
        c_0, c_1, c_2, c_3 = high_1 ^ c_1 ^ k_0, low_1, high_0 ^ c_3 ^ k_1, low_0
        k_0, k_1 = (k_0 + KEY_STEPS[0]) % WORD, (k_1 + KEY_STEPS[1]) % WORD
    return c_0, c_1, c_2, c_3


def dropout_mask(seed: int, step: int, layer: int, rows: int, columns: int, rate: float) -> NDArray[np.bool_]:
    """Return which elements of a batch dropout keeps.

    Element (row, column) is kept when its word is at least ``floor(rate * 2**32)``: word ``column % 4`` of
    the counter ``(step, layer, row, column // 4)`` under the key ``(seed % 2**32, seed // 2**32)``.

    Parameters
    ----------
    seed : int of 64 bits
    step : int
        The training step's number, from 0.
    layer : int
        The layer's stream, see `fastdense.core.spec.DropoutSpec`.
    rows, columns : int
        The batch's shape; a row's number is its place within the batch.
    rate : float
        The probability to drop.

    Returns
    -------
    kept : bool array of shape (rows, columns)

    Examples
    --------
    The words at counter zero start with the hexadecimal digits 6, e, b and 9; a rate of 10/16 keeps the
    ones from a upwards.

    >>> dropout_mask(seed=0, step=0, layer=0, rows=1, columns=4, rate=10 / 16)
    array([[False,  True,  True, False]])
    """
    threshold = math.floor(rate * WORD)
    key = (seed % WORD, seed // WORD % WORD)
    kept = np.empty((rows, columns), dtype=np.bool_)
    for row in range(rows):
        for column in range(columns):
            if column % 4 == 0:
                words = philox((step % WORD, layer % WORD, row, column // 4), key)
            kept[row, column] = words[column % 4] >= threshold
    return kept
