"""What a network learns: its last activation, its loss, and the way from targets to numbers and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import issparse
from scipy.special import xlogy

from fastdense.core.arrays import Array
from fastdense.core.spec import ActivationSpec, LossSpec, MeanSquaredErrorSpec, PoissonSpec
from fastdense.estimators.blueprint import activation_spec

__all__ = ["Goal", "Numbers", "columns_of"]


@dataclass(frozen=True, kw_only=True)
class Goal(ABC):
    """What is learned from validated targets.

    Attributes
    ----------
    n_outputs : int
        The units of the last layer.
    out_activation : str
        The last layer's activation, by scikit-learn's name.
    loss : LossSpec
        What is minimised, except for `factor`.
    factor : float
        scikit-learn's loss of a row over the engines', which is a mean over the outputs.
    shares : int
        What the loss is divided by when shown: the number of outputs if scikit-learn shows their mean.
    """

    n_outputs: int
    out_activation: str
    loss: LossSpec
    factor: float = 1.0
    shares: int = 1

    @cached_property
    def curve(self) -> ActivationSpec:
        """The last layer's activation, in the groups of the loss."""
        return replace(activation_spec(self.out_activation), groups=self.loss.groups)

    @abstractmethod
    def check(self, y: Array, name: str = "y") -> None:
        """Raise ValueError unless targets are of this kind and have as many columns; messages name them."""

    @abstractmethod
    def encode(self, y: Array, dtype: str) -> Array:
        """Return targets as the engines take them."""

    def score(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return the score of outputs for encoded targets; NaN if an output is not finite."""
        if not np.isfinite(outputs).all():
            return float("nan")
        return self.score_finite(y, outputs, sample_weight)

    @abstractmethod
    def score_finite(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return the score of finite outputs for encoded targets."""

    def plain_score(self, y: Array, outputs: Array) -> float | None:
        """Return what an estimator's ``score`` does for targets that `fit` would take, without its checks.

        None where a check may matter.
        """
        return None

    def constant(self, y: Array) -> Array | None:
        """Return what scikit-learn adds to each row's loss that no weight changes; None for nothing."""
        return None


class Numbers(Goal):
    """Numbers: one output per column of targets."""

    @classmethod
    def of(cls, columns: int, loss: LossSpec) -> Numbers:
        """Return the goal for a loss; counts, which have a mean above 0, are exponentials."""
        if isinstance(loss, PoissonSpec):
            return cls(n_outputs=columns, out_activation="exp", loss=loss, factor=columns)
        # The outputs' losses are summed, and scikit-learn's squares are halved; it shows the mean.
        factor = columns * (0.5 if isinstance(loss, MeanSquaredErrorSpec) else 1.0)
        return cls(n_outputs=columns, out_activation="identity", loss=loss, factor=factor, shares=columns)

    def check(self, y: Array, name: str = "y") -> None:
        """Raise ValueError unless targets are numbers in as many columns."""
        if issparse(y) or y.dtype.kind not in "biuf":
            what = "a sparse matrix" if issparse(y) else f"of dtype {y.dtype}"
            raise ValueError(f"`{name}` must be an array of numbers, but is {what}")
        found = columns_of(y)
        if found != self.n_outputs:
            raise ValueError(f"`{name}` has {found} columns, but the fitted network {self.n_outputs} outputs")

    def encode(self, y: Array, dtype: str) -> Array:
        """Return a matrix of the network's dtype.

        Raises
        ------
        ValueError
            Counts are learned and a target is negative.
        """
        if isinstance(self.loss, PoissonSpec) and (y < 0).any():
            raise ValueError(
                f"loss='poisson' takes targets of at least 0, but y holds {y.min():g}: use another loss"
            )
        with np.errstate(over="ignore"):
            return y.reshape(len(y), self.n_outputs).astype(dtype, copy=False)

    def score_finite(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return R squared, the mean over the outputs."""
        return r_squared(y, outputs, sample_weight)

    def plain_score(self, y: Array, outputs: Array) -> float | None:
        """Return R squared of finite outputs."""
        if y.dtype.kind not in "iuf" or not np.isfinite(outputs).all():
            return None
        return r_squared(y, outputs[:, 0] if self.n_outputs == 1 else outputs)

    def constant(self, y: Array) -> Array | None:
        """Return what makes the deviance of a perfect prediction 0, for the Poisson loss alone."""
        if not isinstance(self.loss, PoissonSpec):
            return None
        counts = y.astype(np.float64)
        missing: Array = (xlogy(counts, counts) - counts).mean(axis=1)
        return missing


def columns_of(y: Array) -> int:
    """Return the number of columns of targets; a vector is one."""
    return y.shape[1] if y.ndim == 2 else 1


def r_squared(y: Array, outputs: Array, sample_weight: Array | None = None) -> float:
    """Return R squared, the mean over the outputs: the bits of scikit-learn's `r2_score`, unchecked."""
    own = [array.dtype for array in (y, outputs, sample_weight) if array is not None]
    dtype = np.result_type(*[each for each in own if each.kind == "f"])
    truth, found = (array.astype(dtype, copy=False).reshape(len(array), -1) for array in (y, outputs))
    weights = None if sample_weight is None else sample_weight.astype(dtype, copy=False)
    each = 1.0 if weights is None else weights[:, np.newaxis]
    missed = np.sum(each * (truth - found) ** 2, axis=0)
    spread = np.sum(each * (truth - np.average(truth, axis=0, weights=weights)) ** 2, axis=0)
    scores = np.ones(len(missed), dtype)
    known = (missed != 0) & (spread != 0)
    scores[known] = 1 - missed[known] / spread[known]
    scores[(missed != 0) & (spread == 0)] = 0.0
    return float(np.average(scores))
