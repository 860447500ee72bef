"""The metrics of quantities: how far outputs are from their targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdense.metrics.base import FAMILY, NAME, Float, MeanOverRows, Metric, Name, check_same_shape

__all__ = [
    "CosineSimilarity",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "R2Score",
    "RootMeanSquaredError",
]

_EPSILON = 1e-7
"""Keras' least divisor and least number that a logarithm is taken of."""


@FAMILY.add("mean_squared_error", "mse", "MSE")
class MeanSquaredError(MeanOverRows):
    """``mean((y - a)**2)``."""

    mode = "min"

    def _rows(self, y: Float, outputs: Float) -> Any:
        return np.square(y - outputs).mean(axis=1)


@FAMILY.add("root_mean_squared_error", "rmse")
class RootMeanSquaredError(MeanSquaredError):
    """``sqrt(mean((y - a)**2))``, the root taken over all rows at once."""

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return float(np.sqrt(super().result()))


@FAMILY.add("mean_absolute_error", "mae", "MAE")
class MeanAbsoluteError(MeanOverRows):
    """``mean(|y - a|)``."""

    mode = "min"

    def _rows(self, y: Float, outputs: Float) -> Any:
        return np.abs(y - outputs).mean(axis=1)


@FAMILY.add("mean_absolute_percentage_error", "mape", "MAPE")
class MeanAbsolutePercentageError(MeanOverRows):
    """``100 * mean(|y - a| / max(|y|, 1e-7))``."""

    mode = "min"

    def _rows(self, y: Float, outputs: Float) -> Any:
        shares = np.abs(y - outputs) / np.maximum(np.abs(y), _EPSILON)
        return 100.0 * shares.mean(axis=1)


@FAMILY.add("mean_squared_logarithmic_error", "msle", "MSLE")
class MeanSquaredLogarithmicError(MeanOverRows):
    """``mean((log(1 + y) - log(1 + a))**2)``, numbers below 1e-7 counting as that."""

    mode = "min"

    def _rows(self, y: Float, outputs: Float) -> Any:
        y, outputs = (np.log1p(np.maximum(values, _EPSILON)) for values in (y, outputs))
        return np.square(y - outputs).mean(axis=1)


@FAMILY.add("log_cosh_error", "logcosh", "log_cosh")
class LogCoshError(MeanOverRows):
    """``mean(log(cosh(a - y)))``: half the square of a small error, a large one itself less log 2."""

    default_name = "logcosh"
    mode = "min"

    def _rows(self, y: Float, outputs: Float) -> Any:
        error = np.abs(outputs - y)  # log cosh e = |e| + log(1 + exp(-2 |e|)) - log 2
        return (error + np.log1p(np.exp(-2.0 * error)) - np.log(2.0)).mean(axis=1)


@FAMILY.add("cosine_similarity")
class CosineSimilarity(MeanOverRows):
    """The mean cosine of the angle between a row's outputs and its targets: 1 if they point the same way."""

    mode = "max"

    def _rows(self, y: Float, outputs: Float) -> Any:
        y, outputs = (
            values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
            for values in (y, outputs)
        )
        return (y * outputs).sum(axis=1)


@FAMILY.add("r2_score")
class R2Score(Metric):
    """``1 - sum((y - a)**2) / sum((y - mean(y))**2)``: the share of the targets' variance that is explained.

    With several outputs it is the mean over them; a column of equal targets counts 0.
    """

    mode = "max"

    name: Name = NAME

    def reset_state(self) -> None:
        """Forget all rows."""
        self._weight: Float | float = 0.0
        self._mean: Float | float = 0.0
        self._spread: Float | float = 0.0
        self._residual: Float | float = 0.0

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        check_same_shape(self.name, y, outputs)
        weight = weights.sum()
        if not weight:
            return
        # Sums about the mean, joined as Chan, Golub and LeVeque do: a sum of squares loses every digit of
        # targets that are large beside their spread.
        mean = weights @ y / weight
        total, gap = self._weight + weight, mean - self._mean
        self._spread = self._spread + weights @ np.square(y - mean) + gap**2 * self._weight * weight / total
        self._mean, self._weight = self._mean + gap * weight / total, total
        self._residual = self._residual + weights @ np.square(y - outputs)

    def result(self) -> float:
        """Return the metric of all rows so far."""
        spread = np.asarray(self._spread)
        unexplained = np.divide(self._residual, spread, out=np.ones(spread.shape), where=spread > 0)
        return float((1.0 - unexplained).mean())
