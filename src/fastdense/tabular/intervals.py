"""Ranges that a target lies in with a given probability, from the errors in rows held out: CV+.

References
----------
R. F. Barber, E. J. Candes, A. Ramdas and R. J. Tibshirani, "Predictive inference with the jackknife+", 2021.
Here the errors keep their signs, so that the range is as skewed as they are: each end is one-sided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["intervals", "thinned"]

_MOST: Final = 512
"""Errors kept per network."""
_NUMBERS: Final = 2**22
"""Numbers that are sorted at a time."""


def thinned(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return residuals in order, at most 512 of them, evenly spread by rank."""
    ordered = np.sort(residuals)
    if len(ordered) <= _MOST:
        return ordered
    places = (np.arange(_MOST) + 0.5) * len(ordered) / _MOST
    return ordered[places.astype(np.int64)]


def intervals(
    predictions: NDArray[np.float64], residuals: Sequence[NDArray[np.float64]], coverage: float
) -> NDArray[np.float64]:
    """Return the ends of each row's interval.

    Parameters
    ----------
    predictions : float64 array of shape (n_networks, m)
    residuals : sequence of float64 array
        For each network, target less prediction of the rows that it held out.
    coverage : float

    Returns
    -------
    float64 array of shape (m, 2)
    """
    count = sum(map(len, residuals))
    tail = (1.0 - coverage) / 2.0
    low = max(int(np.floor(tail * (count + 1))), 1) - 1
    places = (low, count - 1 - low)
    ends = np.empty((predictions.shape[1], 2))
    stretch = max(1, _NUMBERS // count)
    for start in range(0, len(ends), stretch):
        some = predictions[:, start : start + stretch]
        around = np.concatenate(
            [own[:, np.newaxis] + errors for own, errors in zip(some, residuals, strict=True)], axis=1
        )
        ends[start : start + stretch] = np.partition(around, places, axis=1)[:, places]
    return ends
