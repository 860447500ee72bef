"""How good predictions are, by each metric, with weights of the rows: lower is better."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.tabular.calibration import log_loss, logs_of, sharpness

__all__ = ["Score", "area", "score_of"]

Score = Callable[[Array, Array, NDArray[np.float64]], float]
"""``score(outputs, y, weights)`` of a network's outputs, (m, n_out); 0 for no rows, lower is better."""


def score_of(metric: str, quantile: float = 0.5) -> Score:
    """Return what a metric chooses by; see `fastdense.tabular.Settings`."""
    scores: dict[str, Score] = {
        "log_loss": _calibrated_log_loss,
        "accuracy": _class_error,
        "auc": _area_above,
        "rmse": _root_mean_square,
        "mae": _mean_absolute,
        "poisson": _poisson,
        "pinball": partial(_pinball, quantile=quantile),
    }
    return partial(_of_some, scores[metric])


def area(outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve, of several classes the mean of each against the others.

    Classes without rows, or with all rows, have no part in the mean; 0.5 if no class has one.
    """
    columns = range(outputs.shape[1]) if outputs.shape[1] > 2 else [1]
    found = [_area_of(outputs[:, k], y == k, weights) for k in columns]
    known = [each for each in found if each is not None]
    return float(np.mean(known)) if known else 0.5


def _of_some(score: Score, outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    return score(outputs.astype(np.float64), y, weights) if len(y) else 0.0


def _calibrated_log_loss(outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    logs = logs_of(outputs)
    return log_loss(logs, y, weights, sharpness(logs, y, weights))


def _class_error(outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    return float(np.average(outputs.argmax(axis=1) != y, weights=weights))


def _area_above(outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    return 1.0 - area(outputs, y, weights)


def _area_of(chances: Array, is_one: Array, weights: NDArray[np.float64]) -> float | None:
    """Return the chance that a row of the class is above one of the others, ties counting half."""
    values, group = np.unique(chances, return_inverse=True)
    ones = np.bincount(group, weights * is_one, len(values))
    zeros = np.bincount(group, weights * ~is_one, len(values))
    if not (ones.sum() and zeros.sum()):
        return None
    below = np.cumsum(zeros) - 0.5 * zeros
    return float(ones @ below / (ones.sum() * zeros.sum()))


def _root_mean_square(outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.average((outputs - y)[:, 0] ** 2, weights=weights)))


def _mean_absolute(outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    return float(np.average(np.abs(outputs - y)[:, 0], weights=weights))


def _poisson(outputs: Array, y: Array, weights: NDArray[np.float64]) -> float:
    """Return half the mean Poisson deviance, without the terms that depend on the targets alone."""
    return float(np.average((outputs - y * np.log(np.maximum(outputs, 1e-30)))[:, 0], weights=weights))


def _pinball(outputs: Array, y: Array, weights: NDArray[np.float64], quantile: float) -> float:
    above = (y - outputs)[:, 0]
    return float(np.average(np.maximum(quantile * above, (quantile - 1.0) * above), weights=weights))
