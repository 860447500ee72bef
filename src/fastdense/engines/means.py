"""The mean of several networks' outputs, which is what an ensemble of them predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from fastdense.core.arrays import Array
from fastdense.engines import Program

__all__ = ["PredictsMeans", "mean_outputs", "mean_predictor"]


def mean_outputs(programs: Sequence[Program], X: Any, out: Array | None = None) -> Array:
    """Return the mean of programs' outputs: what every other way comes to, bit for bit.

    Their sum starts from 0, is taken in float64 in the order of the programs, divided by their number and
    then rounded to the networks' dtype.

    Parameters
    ----------
    programs : sequence of Program
        Of networks with the same ``n_in``, ``n_out`` and dtype.
    X : NumPy array or sparse matrix of shape (m, n_in), in the networks' dtype
    out : NumPy array of shape (m, n_out), in the networks' dtype, optional

    Returns
    -------
    array of shape (m, n_out)
        ``out`` if given.
    """
    network = programs[0].network
    total = np.zeros((X.shape[0], network.n_out))
    with np.errstate(all="ignore"):
        for program in programs:
            total += program.predict(X)
        total /= len(programs)
        if out is None:
            return total.astype(network.dtype, copy=False)
        out[...] = total
    return out


@runtime_checkable
class PredictsMeans(Protocol):
    """A program that predicts the mean of its own and others' outputs while a block of rows is in cache."""

    def mean_predictor(
        self, programs: Sequence[Any], otherwise: Callable[..., Array]
    ) -> Callable[..., Array]:
        """Return ``predict(X, out=None)`` for programs of its engine, as `Program.predictor` does."""


def mean_predictor(programs: Sequence[Program], otherwise: Callable[..., Array]) -> Callable[..., Array]:
    """Return ``predict(X, out=None)``, the quickest that gives the bits of `mean_outputs`.

    Parameters
    ----------
    programs : sequence of Program
        As of `mean_outputs`, all of one engine.
    otherwise : callable
        What takes arguments that the quickest way does not, as of `Program.predictor`.
    """
    if isinstance(programs[0], PredictsMeans):
        return programs[0].mean_predictor(programs, otherwise)
    return otherwise
