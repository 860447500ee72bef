"""Prediction: a compiled network behind the fewest checks that keep scikit-learn's promises."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fastdense import engines
from fastdense.core.arrays import Array
from fastdense.engines.programs import Programs
from fastdense.estimators.blueprint import Same, Weights, fitted_network, grouped
from fastdense.estimators.goal import Goal
from fastdense.estimators.parameters import SharedParameters

__all__ = ["Ready", "is_plain", "ready"]

_PLAIN = (np.dtype(np.float32), np.dtype(np.float64))


class Ready(NamedTuple):
    """A fitted network, compiled: ``run(X)`` predicts for matrices of ``dtype``."""

    run: Callable[..., Array]
    dtype: np.dtype[Any]


def ready(programs: Programs, parameters: SharedParameters, n_in: int, weights: Weights, goal: Goal) -> Ready:
    """Return the network of these weights, compiled if the estimator's programs lack it."""
    given = parameters.activation
    activation = tuple(given) if isinstance(given, list) else given
    made_from = (activation, parameters.engine, Same([*weights[0], *weights[1]]))
    return programs.get("predict", made_from, partial(_compiled, parameters, n_in, weights, goal))


def _compiled(parameters: SharedParameters, n_in: int, weights: Weights, goal: Goal) -> Ready:
    network = fitted_network(parameters, n_in, weights[0], goal.curve)
    program = engines.choose(parameters.engine).compile(network, grouped(network, *weights))
    for array in (*weights[0], *weights[1]):
        array.flags.writeable = False  # written to, it would no longer be what predicts
    return Ready(program.predictor(program.predict), np.dtype(network.dtype))


def is_plain(X: Any, n_in: int) -> bool:
    """Return True for a matrix of plain finite numbers, which validation would return as it is."""
    if type(X) is not np.ndarray or X.dtype not in _PLAIN or X.ndim != 2:
        return False
    rows, columns = X.shape
    if columns != n_in or rows == 0:
        return False
    largest = np.abs(X).max()
    return bool(largest < 3e38)  # finite, as float32 too; NaN is not below anything
