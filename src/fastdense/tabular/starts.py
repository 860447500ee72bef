"""Weights that a network starts with, found from the first rows, layer by layer.

References
----------
D. Holzmueller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees
on tabular data", 2024. I. Steinwart, "A sober look at neural network initializations", 2019, has the biases.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.spec.lowering import tables
from fastdense.layers import CategoryEmbedding, Dense, Dropout
from fastdense.models.sequential import Sequential

__all__ = ["dense_start", "start_from"]

_ROWS_OF_A_BIAS: Final = 5


def start_from(model: Sequential, X: Array, rng: np.random.Generator) -> None:
    """Give every dense layer of a network weights that fit what comes to it of these rows.

    A category 0, missing or unknown, that none of these rows has starts at 0: nothing may ever train it.
    Units are dropped as in training, so that the layers behind start from what they will be given.
    """
    A_in = X
    for layer in model.layers:
        if isinstance(layer, CategoryEmbedding):
            layer.set_weights([_without_unseen(layer, A_in)])
        if isinstance(layer, Dense):
            layer.set_weights(dense_start(A_in, layer.units, rng))
        A_in = _dropped(A_in, layer, rng) if isinstance(layer, Dropout) else layer(A_in)


def _dropped(A_in: Array, layer: Dropout, rng: np.random.Generator) -> Array:
    """Return rows with numbers dropped, and the others scaled up."""
    assert isinstance(layer.rate, float)
    gains = (rng.random(A_in.shape) >= layer.rate) / (1.0 - layer.rate)
    dropped: Array = A_in * gains.astype(A_in.dtype)
    return dropped


def _without_unseen(layer: CategoryEmbedding, A_in: Array) -> Array:
    """Return the embeddings, with zeros for each category 0 that no row has."""
    embeddings = layer.embeddings.copy()
    codes = A_in[:, A_in.shape[1] - len(layer.sizes) :]
    for column, table in zip(codes.T, tables(layer.sizes), strict=True):
        if (column != 0).all():
            embeddings[table.start] = 0.0
    return embeddings


def dense_start(A_in: Array, units: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return a kernel and a bias for a dense layer.

    Each column of the kernel is normal, scaled so that the unit's outputs have the standard deviation 1. The
    bias puts the unit's zero amid the rows: it is a weighted mean of some rows' outputs, negated.

    Parameters
    ----------
    A_in : array of shape (m, n_in)
    units : int
    rng : numpy.random.Generator

    Returns
    -------
    kernel, bias : float64 arrays of shape (n_in, units) and (units,)
    """
    rows = A_in.astype(np.float64)
    W = rng.standard_normal((rows.shape[1], units)) / np.sqrt(rows.shape[1])
    outputs = rows @ W
    deviation = outputs.std(axis=0)
    size = np.where(deviation > 0.0, deviation, 1.0)
    W, outputs = W / size, outputs / size
    shares = rng.standard_exponential((_ROWS_OF_A_BIAS, units))
    chosen = rng.integers(len(rows), size=(_ROWS_OF_A_BIAS, units))
    B = -(outputs[chosen, np.arange(units)] * shares).sum(axis=0) / shares.sum(axis=0)
    return [W, B]
