"""What rows weigh by their classes: the estimators' ``class_weight``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.checks import number
from fastdense.estimators.labels import Labels

__all__ = ["class_weights", "weigh"]


def class_weights(
    class_weight: Any, labels: Labels, y: Array, rows: NDArray[np.float64] | None = None
) -> list[dict[Any, float]]:
    """Return what each class weighs, one dict per column; classes that are not named weigh 1.

    Parameters
    ----------
    class_weight : dict, list of dict, or "balanced"
    labels : Labels
    y : array
        The targets, which "balanced" counts.
    rows : array of shape (m,), optional
        The weight of each row: "balanced" counts a row of weight 3 as three rows.

    Raises
    ------
    ValueError
        A named class is not there, or there are not as many dicts as columns, or the weights of a class that
        is to be balanced have a sum below 0.
    """
    columns = labels.columns(y)
    given = class_weight if isinstance(class_weight, list) else [class_weight] * len(columns)
    if len(given) != len(columns):
        raise ValueError(f"class_weight has {len(given)} dicts for {len(columns)} columns of classes")
    return [
        _stated(weights, known) if isinstance(weights, dict) else _balanced(column, rows)
        for weights, (column, known) in zip(given, columns, strict=True)
    ]


def weigh(weights: list[dict[Any, float]], labels: Labels, y: Array) -> NDArray[np.float64]:
    """Return each row's weight: the product of its classes'."""
    total = np.ones(y.shape[0])
    for of_class, (column, known) in zip(weights, labels.columns(y), strict=True):
        by_class = np.array([of_class.get(label, 1.0) for label in known.tolist()])
        total *= by_class[np.searchsorted(known, column)]
    return total


def _stated(weights: dict[Any, float], known: Array) -> dict[Any, float]:
    strange = [label for label in weights if label not in known]
    if strange:
        raise ValueError(f"class_weight names {strange}, not among the classes {known}")
    return {k: number(f"class_weight[{k!r}]", v, minimum=0.0) for k, v in weights.items()}


def _balanced(column: Array, rows: NDArray[np.float64] | None) -> dict[Any, float]:
    """Return the weights that let each class of a column weigh the same, and all rows as much as before.

    A class whose rows weigh nothing counts as absent, as if it had no rows.
    """
    present, numbers = np.unique(column, return_inverse=True)
    counts = np.bincount(numbers, rows)
    if (counts < 0).any():
        raise ValueError(
            f"class_weight='balanced' cannot balance class {present.tolist()[counts.argmin()]!r}: the "
            f"sample_weight of its rows has the sum {counts.min():g}, and must have one of at least 0"
        )
    there = counts > 0
    balanced = counts.sum() / (there.sum() * counts[there])
    return dict(zip(present[there].tolist(), balanced.tolist(), strict=True))
