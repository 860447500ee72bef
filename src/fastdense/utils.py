"""Small helpers that scripts written for Keras call."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastdense.core.checks import as_array, whole
from fastdense.core.streams import set_random_seed
from fastdense.errors import ShapeError

__all__ = ["set_random_seed", "to_categorical"]


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float64]:
    """Return class numbers as one-hot rows.

    Parameters
    ----------
    x : array-like of int, shape (m,) or (m, 1)
        Numbers from 0.
    num_classes : int, optional
        The columns, by default one more than the largest number.

    Returns
    -------
    array of shape (m, num_classes), float64

    Raises
    ------
    ValueError
        A number is negative, not whole or not below ``num_classes``.

    Examples
    --------
    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    labels = as_array("x", x, "float64")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ShapeError(f"class numbers come in one column, got an array of shape {labels.shape}")
    with np.errstate(invalid="ignore"):  # NaN and infinity turn into a number that differs
        numbers = labels.astype(np.int64)
    if (numbers != labels).any():
        raise ValueError(f"class numbers must be whole, got {labels[numbers != labels][0]}")
    largest = int(numbers.max()) if numbers.size else -1
    count = largest + 1 if num_classes is None else whole("num_classes", num_classes, 1)
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
        raise ValueError(
            f"class numbers must be from 0 to {count - 1}, got {numbers.min()} to {numbers.max()}"
        )
    rows = np.zeros((len(numbers), count))
    rows[np.arange(len(numbers)), numbers] = 1.0
    return rows
