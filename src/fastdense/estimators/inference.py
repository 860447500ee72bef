"""Prediction: a compiled network behind the fewest checks that keep scikit-learn's promises."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense import engines
from fastdense.estimators.blueprint import Weights, fitted_network, grouped
from fastdense.estimators.goal import Goal
from fastdense.estimators.parameters import SharedParameters

__all__ = ["Inference", "Ready", "is_plain"]

Array = NDArray[Any]
_PLAIN = (np.dtype(np.float32), np.dtype(np.float64))


class Ready(NamedTuple):
    """A fitted network, compiled.

    Attributes
    ----------
    run : callable
        ``run(X)`` for matrices of the network's dtype.
    arrays : list of array
        The weights that it was compiled from, and
    settings : tuple
        the parameters: it stands for an estimator that still has them.
    dtype : numpy dtype
    """

    run: Callable[..., Array]
    arrays: list[Array]
    settings: tuple[Any, ...]
    dtype: np.dtype[Any]

    def stands_for(self, arrays: list[Array], settings: tuple[Any, ...]) -> bool:
        """Return True if it would be compiled alike from these."""
        same = len(arrays) == len(self.arrays) and all(map(operator.is_, arrays, self.arrays))
        return same and settings == self.settings


class Inference:
    """An estimator's compiled network: made at the first prediction, left out of copies and pickles."""

    def __init__(self) -> None:
        self._ready: Ready | None = None

    def __reduce__(self) -> tuple[type[Inference], tuple[()]]:
        return Inference, ()

    def ready(self, parameters: SharedParameters, n_in: int, weights: Weights, goal: Goal) -> Ready:
        """Return the network of these weights, compiled if it is not there yet."""
        ready, arrays, settings = self._ready, [*weights[0], *weights[1]], _settings(parameters)
        if ready is not None and ready.stands_for(arrays, settings):
            return ready
        network = fitted_network(parameters, n_in, weights[0], goal.curve)
        program = engines.choose(parameters.engine).compile(network, grouped(network, *weights))
        for array in arrays:
            array.flags.writeable = False  # written to, it would no longer be what predicts
        run = program.predictor(program.predict)
        ready = self._ready = Ready(run, arrays, settings, np.dtype(network.dtype))
        return ready


def _settings(parameters: SharedParameters) -> tuple[Any, ...]:
    given = parameters.activation
    return tuple(given) if isinstance(given, list) else given, parameters.engine


def is_plain(X: Any, n_in: int) -> bool:
    """Return True for a matrix of plain finite numbers, which validation would return as it is."""
    if type(X) is not np.ndarray or X.dtype not in _PLAIN or X.ndim != 2:
        return False
    rows, columns = X.shape
    if columns != n_in or rows == 0:
        return False
    largest = np.abs(X).max()
    return bool(largest < 3e38)  # finite, as float32 too; NaN is not below anything
