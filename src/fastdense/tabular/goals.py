"""What a table's target and a metric ask of a network: its outputs, its loss, and how targets are scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.spec import (
    LossSpec,
    MeanAbsoluteErrorSpec,
    MeanSquaredErrorSpec,
    PoissonSpec,
    QuantileSpec,
    SparseCategoricalCrossentropySpec,
)
from fastdense.errors import TableError
from fastdense.tables.targets import Classes, Target

__all__ = ["Goal"]


@dataclass(frozen=True)
class Goal:
    """What the networks of a table are trained for.

    Attributes
    ----------
    target : Classes or Scale
    metric : str
    quantile : float
        Of the metric "pinball".
    """

    target: Target
    metric: str
    quantile: float = 0.5

    @property
    def classify(self) -> bool:
        """Whether the outputs are probabilities of classes."""
        return isinstance(self.target, Classes)

    @property
    def n_out(self) -> int:
        """Columns of the networks' outputs."""
        return len(self.target.labels) if isinstance(self.target, Classes) else 1

    @property
    def last(self) -> str:
        """The activation of the networks' last layer."""
        if self.classify:
            return "softmax"
        return "exponential" if self.metric == "poisson" else "linear"

    def loss(self, label_smoothing: float) -> LossSpec:
        """Return the loss to train by."""
        if self.classify:
            return SparseCategoricalCrossentropySpec(label_smoothing=label_smoothing)
        losses: dict[str, LossSpec] = {
            "rmse": MeanSquaredErrorSpec(),
            "mae": MeanAbsoluteErrorSpec(),
            "poisson": PoissonSpec(),
            "pinball": QuantileSpec(quantile=self.quantile),
        }
        return losses[self.metric]

    @property
    def scaling(self) -> tuple[float, float]:
        """What is subtracted from a target, nothing from counts, and what the rest is divided by."""
        if isinstance(self.target, Classes):
            return 0.0, 1.0
        return (0.0, self.target.mean) if self.metric == "poisson" else (self.target.mean, self.target.std)

    def encode(self, column: Any) -> Array:
        """Return targets as networks learn them: int64 class numbers (m,), or float32 numbers (m, 1).

        Raises
        ------
        TableError
            A value is missing or unknown, or cannot be a count's.
        """
        if isinstance(self.target, Classes):
            return self.target.encode(column)
        values = self.target.encode(column)
        if self.metric == "poisson":
            values = self.target.unscale(values)
            if values.min() < 0:
                raise TableError(
                    f"target {self.target.name!r}: metric='poisson' is of counts, not {values.min():g}"
                )
            values = values / self.target.mean
        return values.astype(np.float32)

    def decode(self, outputs: Array) -> NDArray[np.float64]:
        """Return a network's numbers, of any shape, in the target's own units."""
        centre, scale = self.scaling
        return np.asarray(outputs, dtype=np.float64) * scale + centre
