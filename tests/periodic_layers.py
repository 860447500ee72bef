"""The layer that embeds numbers by cosines, in every place of a network, and rows with missing numbers."""

from __future__ import annotations

import numpy as np

from fastdense.core.spec import DenseSpec, Factors, LayerSpec, PeriodicEmbeddingSpec

__all__ = ["periodic_layers", "with_missing"]


def periodic_layers(first: DenseSpec, last: DenseSpec) -> dict[str, tuple[LayerSpec, ...]]:
    """Return networks of two dense layers with such a layer before, between or behind them, or alone."""
    n_in, n_hidden, n_out = first.n_in, first.n_units, last.n_units
    wide = PeriodicEmbeddingSpec(n_in, 3, 16, 4, Factors(0.5, 3.0))
    middle = PeriodicEmbeddingSpec(n_hidden, 1, 3, 7)
    return {
        "periodic-first": (wide, DenseSpec(wide.n_units, n_out)),
        "periodic-middle": (first, middle, DenseSpec(middle.n_units, n_out)),
        "periodic-last": (first, last, PeriodicEmbeddingSpec(n_out, n_out, 2, 2)),
        "periodic-only": (PeriodicEmbeddingSpec(n_in, n_in, 1, 3),),
    }


def with_missing(X: np.ndarray, columns: int) -> np.ndarray:
    """Return rows some of whose first columns are NaN."""
    X = X.copy()
    X[:, :columns][np.random.default_rng(len(X)).random((len(X), columns)) < 0.2] = np.nan
    return X
