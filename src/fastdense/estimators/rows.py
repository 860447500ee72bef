"""The rows of a fit, and how much each of them and the penalty count in a batch: as scikit-learn has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import _check_sample_weight

from fastdense.core.arrays import Array
from fastdense.core.checks import crowded
from fastdense.engines import Batches
from fastdense.estimators.goal import Goal, Numbers

__all__ = ["Given", "Rows", "are_crowded", "as_matrix", "within"]


def as_matrix(X: Any, dtype: str, name: str = "X") -> Any:
    """Return validated rows in the network's dtype.

    Sparse ones come back in the CSR format, each row's columns in order and named once.

    Raises
    ------
    ValueError
        A number is too large for the dtype; the message calls the rows ``name``.
    """
    if not issparse(X):
        return within(name, np.asarray(X), dtype)
    rows = X.tocsr()
    if not rows.has_canonical_format:  # SciPy would put the caller's in order too
        rows = rows.copy()
        rows.sum_duplicates()
    within(name, rows.data, dtype)
    return rows.astype(dtype, copy=False)


def within(name: str, values: Array, dtype: str) -> Array:
    """Return finite numbers in the network's dtype; ValueError if one of them is too large for it."""
    with np.errstate(over="ignore"):
        cast = values.astype(dtype, copy=False)
    if cast is not values and not np.isfinite(cast).all():
        raise ValueError(
            f"Input {name} contains a value too large for {cast.dtype!r}: scale {name.partition('_')[0]}, or "
            "fit with dtype='float64'."
        )
    return cast


def _is_crowded(values: Any) -> bool:
    """Return True if there is a column of float64 or whole numbers that float32 cannot tell apart."""
    if values.dtype.kind not in "iuf" or values.dtype.itemsize <= 4:
        return False
    if issparse(values):
        mean, variance = mean_variance_axis(values, axis=0)
        return bool(crowded(mean, np.sqrt(variance)).any())
    with np.errstate(all="ignore"):
        return bool(crowded(values.mean(axis=0), values.std(axis=0)).any())


def are_crowded(X: Any, numbers: Array | None) -> bool:
    """Return True if rows or their targets, if these are numbers, have such a column."""
    return _is_crowded(X) or (numbers is not None and _is_crowded(numbers))


class Given(NamedTuple):
    """The rows that `fit` was given: to train on, or to validate on; messages call the targets ``name``."""

    X: Any
    y: Any
    sample_weight: Any = None
    name: str = "y"
    classes: Any = None

    @classmethod
    def to_validate(cls, X: Any, y: Any, sample_weight: Any) -> Given | None:
        """Return the caller's validation rows, or None.

        Raises
        ------
        ValueError
            There are rows without targets, or the other way round.
        """
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val go together: one of them was given without the other")
        return cls(X, y, sample_weight, "y_val")

    def weights(self, X: Any) -> NDArray[np.float64] | None:
        """Return the caller's weights of validated rows, checked."""
        if self.sample_weight is None:
            return None
        weights: NDArray[np.float64] = _check_sample_weight(self.sample_weight, X, dtype=np.float64)
        return weights


@dataclass(frozen=True)
class Rows:
    """Some rows of a matrix with their targets, as the engines take them: row numbers, never copies.

    Attributes
    ----------
    X : array of shape (m, n_in), or a sparse one in the CSR format
    y : array of shape (m, n_out), or (m,) for class numbers
    weights : float64 array of shape (m,), or None for ones
    goal : Goal
    numbers : int64 array of shape (k,)
        Which rows these are, in their order. If a number occurs twice there are no weights.
    """

    X: Any
    y: Array
    weights: Array | None
    goal: Goal
    numbers: NDArray[np.int64]

    @classmethod
    def of(
        cls, goal: Goal, weigh: Callable[[Array], Array] | None, given: Given, X: Any, y: Array, dtype: str
    ) -> Rows:
        """Return validated rows as the engines take them, weighed by the caller and by their targets."""
        weights = given.weights(X)
        if weigh is not None:
            weights = weigh(y) if weights is None else weights * weigh(y)
        if isinstance(goal, Numbers):
            y = within(given.name, y, dtype)
        X = as_matrix(X, dtype, given.name.replace("y", "X", 1))
        return cls(X, goal.encode(y, dtype), weights, goal, np.arange(y.shape[0]))

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def targets(self) -> Array:
        """The targets of these rows."""
        return self.y[self.numbers]

    @cached_property
    def own_weights(self) -> Array | None:
        """The weights of these rows, None for ones."""
        return None if self.weights is None else self.weights[self.numbers]

    @cached_property
    def constants(self) -> Array | None:
        """What scikit-learn adds to the loss of each row of the matrix; None for nothing."""
        return self.goal.constant(self.y)

    def counts(self, size: int) -> NDArray[np.int64]:
        """Return how many rows each step of an epoch takes, ``size`` at most."""
        whole, rest = divmod(len(self), size)
        return np.array([size] * whole + [rest] * (rest > 0), np.int64)

    def batches(self, order: NDArray[np.int64], size: int) -> tuple[Batches, Array | None]:
        """Return the batches of an epoch, and each row's share in its batch (None: all the same).

        scikit-learn divides a batch's losses and its penalty by the sum of the batch's weights. The engines
        divide the losses by its rows and take the penalty whole, so weights and penalties are kept apart.
        """
        counts = self.counts(size)
        if self.weights is None:
            return Batches(self.X, self.y, self._alike(), order, size, 1.0 / counts), None
        taken = self.weights[order]
        sums = np.add.reduceat(taken, np.arange(0, len(order), size))
        inverse = np.divide(1.0, sums, out=np.zeros(len(sums)), where=sums != 0)  # no weight at all: no loss
        shares = np.zeros(len(self.y))
        shares[order] = taken * np.repeat(counts * inverse, counts)
        weights = (shares * self.goal.factor).astype(self.X.dtype)
        return Batches(self.X, self.y, weights, order, size, inverse), shares

    def as_one_batch(self) -> tuple[Array | None, float]:
        """Return the weights of all rows as one batch, and what the penalty is divided by."""
        batches, _ = self.batches(self.numbers, len(self))
        assert batches.penalty_scale is not None
        return batches.sample_weight, float(batches.penalty_scale[0])

    def constant(self, taken: Array, shares: Array | None) -> float:
        """Return what scikit-learn adds to the mean loss of the rows taken, which no network changes."""
        if self.constants is None:
            return 0.0
        weights = None if shares is None else shares[taken]
        return self.goal.factor * float(np.average(self.constants[taken], weights=weights))

    def mean(self, losses: Array) -> float:
        """Return the mean of the rows' losses, as shown: weighted, without the penalty."""
        if self.constants is not None:
            losses = losses + self.constants[self.numbers]
        return self.goal.factor * float(np.average(losses, weights=self.own_weights)) / self.goal.shares

    def score(self, outputs: Array) -> float:
        """Return the score of the network's outputs for these rows."""
        return self.goal.score(self.targets, outputs, self.own_weights)

    def _alike(self) -> Array | None:
        if self.goal.factor == 1.0:
            return None
        return np.full(len(self.y), self.goal.factor, self.X.dtype)
