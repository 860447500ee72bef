"""The layer that takes category numbers, in every place of a network, and the numbers that it may meet."""

from __future__ import annotations

import numpy as np

from fastdense.core.spec import CategoryEmbeddingSpec, DenseSpec, Factors, LayerSpec

__all__ = ["NO_CATEGORIES", "category_layers", "with_categories"]

NO_CATEGORIES = (np.nan, np.inf, -np.inf, 1e30, -1e30, -1.0, -0.5, 0.5, 2.5, 2.0**31, 2.0**63)
"""Numbers that are not a category of any column: the layer treats each of them as category 0."""


def category_layers(first: DenseSpec, last: DenseSpec) -> dict[str, tuple[LayerSpec, ...]]:
    """Return networks of two dense layers with such a layer before, between or behind them, or alone."""
    n_in, n_hidden, n_out = first.n_in, first.n_units, last.n_units
    wide = CategoryEmbeddingSpec(n_in, (3, 2), 3, Factors(0.5, 3.0))
    middle = CategoryEmbeddingSpec(n_hidden, (4,), 2)
    return {
        "category-first": (wide, DenseSpec(wide.n_units, n_out)),
        "category-all": (CategoryEmbeddingSpec(n_in, (1, 2, 3, 30), 1), first, last),
        "category-middle": (first, middle, DenseSpec(middle.n_units, n_out)),
        "category-last": (first, last, CategoryEmbeddingSpec(n_out, (3,), 9)),
        "category-only": (CategoryEmbeddingSpec(n_in, (5,), 2),),
    }


def with_categories(X: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Return rows with category numbers in most places of the last columns, and some that are none."""
    rng, X = np.random.default_rng(len(X)), X.copy()
    for column, size in enumerate(sizes, X.shape[1] - len(sizes)):
        X[:, column] = rng.integers(0, size, len(X))
        odd = rng.random(len(X)) < 0.2
        X[odd, column] = rng.choice([*NO_CATEGORIES, -0.0, size], odd.sum())
    return X
