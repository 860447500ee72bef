"""What changes from step to step: factors at ``t``, the share of the training that is done, from 0 to 1."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["coslog", "flat_cosine"]

_CYCLES: Final = 4


def coslog(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the learning rate's factors: four cosines, each twice as long as the one before.

    ``(1 - cos(2 pi log2(1 + 15 t))) / 2``, which is 0 at 0, 1/15, 3/15, 7/15 and 1.

    References
    ----------
    D. Holzmueller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted
    trees on tabular data", 2024.

    Examples
    --------
    >>> coslog(np.array([0.0, 3 / 15, 1.0])).round(6)
    array([0., 0., 0.])
    """
    cycles = np.log2(1.0 + (2.0**_CYCLES - 1.0) * t)
    factors: NDArray[np.float64] = (1.0 - np.cos(2.0 * np.pi * cycles)) / 2.0
    return factors


def flat_cosine(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factors of weight decay and dropout: 1 up to the middle, then down to 0 by a cosine.

    Examples
    --------
    >>> flat_cosine(np.array([0.0, 0.5, 0.75, 1.0])).round(6)
    array([1. , 1. , 0.5, 0. ])
    """
    factors: NDArray[np.float64] = (1.0 + np.cos(np.pi * (np.maximum(t, 0.5) * 2.0 - 1.0))) / 2.0
    return factors
