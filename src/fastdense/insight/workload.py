"""What every rung of the ladder computes: one dense layer, on the same float32 numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fastdense.insight.units import count

__all__ = ["Workload", "layer_text", "random_workload"]

LARGEST = 2**26
"""Numbers in one matrix. As nested Python lists, which the first rung needs, that is already 2 GB."""


@dataclass(frozen=True)
class Workload:
    """A dense layer and the examples to run it on.

    Attributes
    ----------
    X : float32 array of shape (m, n_in)
    W : float32 array of shape (n_in, n_units)
    B : float32 array of shape (n_units,)
    activation : str
    """

    X: NDArray[np.float32]
    W: NDArray[np.float32]
    B: NDArray[np.float32]
    activation: str

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return len(self.X)

    @property
    def flops(self) -> int:
        """Operations an example: every weight costs a multiplication and an addition."""
        return 2 * self.W.size

    def first(self, rows: int) -> Workload:
        """Return the same layer on the first few examples."""
        return replace(self, X=self.X[:rows])


def random_workload(rows: int, inputs: int, units: int, activation: str) -> Workload:
    """Return a workload whose units have inputs of mean 0 and about unit variance.

    Raises
    ------
    ValueError
        One of its matrices would be too large for a ladder.
    """
    largest = max(rows * inputs, inputs * units, rows * units)
    if largest > LARGEST:
        raise ValueError(
            f"{rows:,} rows, {inputs:,} inputs and {units:,} units make a matrix of {largest:,} numbers; "
            f"a ladder takes {LARGEST:,} at most"
        )
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((inputs, units), dtype=np.float32) / np.float32(np.sqrt(inputs))
    return Workload(
        X=rng.standard_normal((rows, inputs), dtype=np.float32),
        W=weights,
        B=rng.standard_normal(units, dtype=np.float32),
        activation=activation,
    )


def layer_text(inputs: int, units: int, activation: str) -> str:
    """Return what is computed, in words.

    Examples
    --------
    >>> layer_text(64, 1, "relu")
    'One dense layer, 64 inputs to 1 unit, relu'
    """
    return f"One dense layer, {count(inputs, 'input')} to {count(units, 'unit')}, {activation}"
