"""What a network learns: its last activation, its loss, and the way from targets to numbers and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.metrics import r2_score

from fastdense.core.spec import LossSpec

__all__ = ["Goal", "Numbers"]

Array = NDArray[Any]


class Goal(Protocol):
    """What `fit` asks of the targets."""

    @property
    def n_outputs(self) -> int:
        """The units of the last layer."""

    @property
    def out_activation(self) -> str:
        """The last layer's, by scikit-learn's name."""

    @property
    def groups(self) -> tuple[int, ...]:
        """The sizes of a softmax's groups, where it has several."""

    @property
    def loss(self) -> LossSpec:
        """What is minimised, but for its `factor`."""

    @property
    def factor(self) -> float:
        """scikit-learn's loss of a row over the engines', which is a mean over the outputs."""

    @property
    def shares(self) -> int:
        """What the loss is divided by where it is shown: the outputs, where scikit-learn shows their mean."""

    def encode(self, y: Array, dtype: str) -> Array:
        """Return targets as the engines take them."""

    def score(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return the score of outputs for encoded targets; NaN where the outputs are not finite."""

    def constant(self, y: Array) -> Array | None:
        """Return what scikit-learn adds to each row's loss that no weight changes; None for nothing."""


@dataclass(frozen=True)
class Numbers:
    """Numbers: one output a column of targets.

    Attributes
    ----------
    n_outputs : int
    loss : LossSpec
    """

    n_outputs: int
    loss: LossSpec

    groups = ()

    @property
    def out_activation(self) -> str:
        """Counts have a mean above 0; other numbers may be any."""
        return "exp" if self.loss.name == "poisson" else "identity"

    @property
    def factor(self) -> float:
        """The outputs' losses are summed, and scikit-learn's squares are halved."""
        return self.n_outputs * (0.5 if self.loss.name == "mean_squared_error" else 1.0)

    @property
    def shares(self) -> int:
        """Shown is the mean over the outputs, but of the Poisson deviance their sum."""
        return 1 if self.loss.name == "poisson" else self.n_outputs

    def encode(self, y: Array, dtype: str) -> Array:
        """Return a matrix of the network's dtype.

        Raises
        ------
        ValueError
            A target is negative where counts are learned.
        """
        if self.loss.name == "poisson" and (y < 0).any():
            raise ValueError(
                f"loss='poisson' takes targets of at least 0, but y holds {y.min():g}: use another loss"
            )
        with np.errstate(over="ignore"):
            return y.reshape(len(y), self.n_outputs).astype(dtype, copy=False)

    def score(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return R squared, the mean over the outputs."""
        if not np.isfinite(outputs).all():
            return float("nan")
        return float(r2_score(y, outputs, sample_weight=sample_weight))

    def constant(self, y: Array) -> Array | None:
        """Return what makes the deviance of a perfect prediction 0 (of Poisson's; None for the others)."""
        if self.loss.name != "poisson":
            return None
        counts = y.astype(np.float64)
        missing: Array = (xlogy(counts, counts) - counts).mean(axis=1)
        return missing
