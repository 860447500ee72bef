"""Does a rung give the right numbers? The float64 definition, and how far from it float32 may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastdense.core.curves import CURVES
from fastdense.insight.workload import Workload
from fastdense.reference import dense_units

__all__ = ["Definition", "define", "disagreement"]

EPS = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Definition:
    """The right outputs, float64 of shape (m, n_units), and how far from each of them a rung may be."""

    values: NDArray[np.float64]
    bound: NDArray[np.float64]

    def first(self, rows: int) -> Definition:
        """Return those of the first few examples."""
        return Definition(self.values[:rows], self.bound[:rows])


def define(work: Workload) -> Definition:
    """Work the layer out in float64 by the loop that defines it.

    The bound is ``(n_in + 2) * eps * (|X| @ |W| + |B|)`` for ``X @ W + B`` in any order of summation (Higham,
    "Accuracy and Stability of Numerical Algorithms", section 3.1), carried through the activation by its
    largest slope, and 4 units in the last place for the activation itself. The exponential has no largest
    slope: an error ``e`` multiplies it by ``exp(e)``. Softmax divides by a sum over the row: an error in any
    unit reaches all, and the sum adds its roundings.
    """
    inputs, weights, bias = (array.astype(np.float64) for array in (work.X, work.W, work.B))
    values = dense_units(inputs, weights, bias, work.activation)
    error = (len(weights) + 2) * EPS * (np.abs(inputs) @ np.abs(weights) + np.abs(bias))
    if work.activation == "softmax":
        spread = np.ptp(inputs @ weights + bias, axis=1, keepdims=True)
        error = np.max(error, axis=1, keepdims=True) / 2
        return Definition(values, error + (4 + len(bias) + spread) * EPS * values)
    if work.activation == "exponential":
        return Definition(values, (np.expm1(error) + 4 * EPS) * values)
    return Definition(values, CURVES[work.activation].steepest * error + 4 * EPS * np.abs(values))


def disagreement(outputs: ArrayLike, definition: Definition) -> str | None:
    """Say how outputs differ from the definition by more than its bound, or return None.

    Examples
    --------
    >>> two = Definition(values=np.array([[1.0, 2.0]]), bound=np.array([[1e-6, 1e-6]]))
    >>> disagreement([[1.0, 2.0000001]], two)
    >>> disagreement([[1.0, 2.5]], two)
    'wrong numbers: 1 of 2; at row 0, unit 1 it gives 2.5, the definition 2, and 1e-06 is allowed'
    """
    found = np.asarray(outputs)
    if found.shape != definition.values.shape:
        return f"wrong shape: {found.shape}, the definition's is {definition.values.shape}"
    error = np.abs(np.float64(found) - definition.values)
    wrong = ~(error <= definition.bound)  # true of NaN too
    if not wrong.any():
        return None
    excess = np.where(wrong, np.nan_to_num(error / definition.bound, nan=np.inf), 0.0)
    row, unit = np.unravel_index(np.argmax(excess), excess.shape)
    return (
        f"wrong numbers: {np.count_nonzero(wrong)} of {wrong.size}; at row {row}, unit {unit} it gives "
        f"{found[row, unit]:.9g}, the definition {definition.values[row, unit]:.9g}, and "
        f"{definition.bound[row, unit]:.2g} is allowed"
    )
