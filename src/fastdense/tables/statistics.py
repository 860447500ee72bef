"""Statistics of rows that may have weights: one of weight k counts as k rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastdense.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["check_weights", "mean_and_deviation", "quantiles"]


def check_weights(weights: ArrayLike | None, rows: int) -> NDArray[np.float64] | None:
    """Return one weight per row as float64, None for None.

    Weights that are whole numbers count rows. Others only say how rows compare: they are scaled to a mean of
    1 over the rows that count at all.

    Raises
    ------
    TableError
        They are not one finite number of at least 0 per row, or all are 0.

    Examples
    --------
    >>> check_weights([1, 0, 2], 3), check_weights([0.5, 0.0, 1.5], 3)
    (array([1., 0., 2.]), array([0.5, 0. , 1.5]))
    """
    if weights is None:
        return None
    found: NDArray[Any] = np.asarray(weights)
    if found.shape != (rows,) or found.dtype.kind not in "biuf":
        raise TableError(f"weights are {rows} numbers, one per row, not {found.dtype} of shape {found.shape}")
    found = found.astype(np.float64)
    if not (np.isfinite(found).all() and (found >= 0).all() and found.any()):
        raise TableError("weights are finite numbers of at least 0, and not all 0")
    if (found != np.floor(found)).any() or found.max() >= 2**53:  # where floats end to count
        found /= found.max()  # no sum overflows
        found /= found[found > 0].mean()
    return found


def quantiles(
    values: NDArray[np.float64], shares: Sequence[float], weights: NDArray[np.float64] | None = None
) -> list[float]:
    """Return quantiles, interpolated between neighbours as `numpy.quantile` does.

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 4.0]), [0.25, 0.5]), quantiles(np.array([1.0, 1.0, 2.0, 4.0]), [0.5])
    ([1.5, 2.0], [1.5])
    >>> quantiles(np.array([4.0, 1.0, 2.0]), [0.5], np.array([1.0, 2.0, 1.0]))
    [1.5]
    """
    if weights is None:
        found: list[float] = np.quantile(values, shares).tolist()
        return found
    counted = weights > 0
    order = np.argsort(values[counted], kind="stable")
    ordered, ends = values[counted][order], np.cumsum(weights[counted][order])
    ranks = np.asarray(shares) * max(ends[-1] - 1, 0.0)
    low = np.floor(ranks)
    below, above = (
        ordered[np.minimum(np.searchsorted(ends, rank, side="right"), len(ends) - 1)]
        for rank in (low, low + 1)
    )
    share, step = ranks - low, above - below
    near = np.where(share < 0.5, below + step * share, above - step * (1 - share))  # to numpy.quantile's bits
    return list(near.tolist())


def mean_and_deviation(
    values: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> tuple[float, float]:
    """Return the mean and the population's standard deviation, of values of any magnitude.

    Examples
    --------
    >>> mean_and_deviation(np.array([1.0, 3.0])), mean_and_deviation(np.array([1.0, 5.0]), np.array([3, 1]))
    ((2.0, 1.0), (2.0, 1.7320508075688772))
    """
    power = 2.0 ** int(np.frexp(np.abs(values).max())[1])
    unit = values / power  # below 1, so that no square overflows, and without rounding
    if weights is None:
        return float(unit.mean()) * power, float(unit.std()) * power
    mean = float(np.average(unit, weights=weights))
    return mean * power, float(np.sqrt(np.average(np.square(unit - mean), weights=weights))) * power
