"""Targets and weights of rows: checked against the loss and the network before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.checks import as_array, finite, number
from fastdense.core.spec import LossSpec
from fastdense.errors import DtypeError, ShapeError

__all__ = ["as_targets", "as_weights", "check_count", "class_numbers", "class_weights"]


def check_count(rows: int, found: int | str, name: str, X: str = "X") -> None:
    """Raise ShapeError unless as many targets are found as there are rows."""
    if found != rows:
        raise ShapeError(f"{X} has {rows} rows but {name} has {found}: one target per row")


def as_targets(y: Any, loss: LossSpec, n_out: int, dtype: str, rows: int, name: str = "y") -> Array:
    """Return ``y`` as the engines take it.

    Parameters
    ----------
    y : array-like of shape (rows, n_out), or (rows,) where n_out is 1 or the loss takes class numbers
    loss : LossSpec
    n_out : int
        The network's outputs.
    dtype : str
        The network's.
    rows : int
        The rows of ``X``.
    name : str
        What messages call ``y``.

    Returns
    -------
    array of shape (rows, n_out) and ``dtype``, or int64 of shape (rows,) for class numbers

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
    ValueError
        A target is outside the loss's range.
    """
    values = as_array(name, y, "float64")
    check_count(rows, len(values) if values.ndim else "no", name)
    if n_out < 2 and loss.is_of_classes:
        raise ShapeError(
            f"{loss.name} needs one output a class, at least 2, but the network has 1: give the last layer "
            f"more units, or use binary_crossentropy"
        )
    if loss.groups and sum(loss.groups) != n_out:
        raise ShapeError(
            f"{loss.name} has groups of {loss.groups} columns, {sum(loss.groups)} in all, but the network "
            f"has {n_out} outputs: they must be as many"
        )
    if loss.targets == "class numbers":
        finite(name, values)
        return _class_numbers(values, n_out, name)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.shape != (rows, n_out):
        raise ShapeError(_target_shape_message(values.shape, loss, n_out, name))
    targets = as_array(name, values, dtype)
    finite(name, targets, values)
    low, high = loss.lowest, loss.highest
    outside = (targets < low) | (targets > high)
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        limits = f"from {low:g} to {high:g}" if np.isfinite(high) else f"at least {low:g}"
        raise ValueError(
            f"{loss.name} takes targets {limits}, but {name}[{row}, {column}] is {targets[row, column]:g}"
        )
    return targets


def as_weights(sample_weight: Any, rows: int, dtype: str, name: str = "sample_weight") -> Array | None:
    """Return one weight per row, none of them negative; None stays None.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError, ValueError
        They are not that; messages call them ``name``.
    """
    if sample_weight is None:
        return None
    weights = as_array(name, sample_weight, dtype)
    weights = weights[:, 0] if weights.ndim == 2 and weights.shape[1] == 1 else weights
    if weights.shape != (rows,):
        raise ShapeError(f"{name} must have one number per row, shape ({rows},), got {weights.shape}")
    finite(name, weights, sample_weight)
    if (weights < 0).any():
        raise ValueError(f"{name} must not be negative, but row {int(np.argmax(weights < 0))} is")
    return weights


def class_weights(class_weight: Mapping[int, float], y: Array, dtype: str) -> Array:
    """Return the weight of every row's class; classes that are not in ``class_weight`` weigh 1."""
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"class_weight must map class numbers to weights, got {class_weight!r}")
    weights, classes = np.ones(len(y), dtype=dtype), class_numbers(y)
    for label, weight in class_weight.items():
        of_class = classes == number("a class number in class_weight", label, minimum=0.0)
        weights[of_class] = number(f"class_weight[{label!r}]", weight, minimum=0.0)
    return weights


def class_numbers(y: Array) -> NDArray[np.int64]:
    """Return the class of every row: the number itself, 0 or 1 of one column, the largest of several."""
    if y.ndim == 1:
        return y.astype(np.int64)
    return (y[:, 0] > 0.5).astype(np.int64) if y.shape[1] == 1 else y.argmax(axis=1)


def _class_numbers(values: Array, n_out: int, name: str) -> NDArray[np.int64]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ShapeError(
            f"sparse_categorical_crossentropy takes one class number a row, but {name} has shape "
            f"{values.shape}: for one-hot rows use categorical_crossentropy, or pass y.argmax(axis=1)"
        )
    fractional = values != np.floor(values)
    if fractional.any():
        row = int(np.argmax(fractional))
        raise DtypeError(f"class numbers must be whole, but {name}[{row}] is {values[row]:g}")
    outside = (values < 0) | (values >= n_out)
    if outside.any():
        row = int(np.argmax(outside))
        raise ValueError(
            f"the network has {n_out} outputs, so class numbers go from 0 to {n_out - 1}, but {name}[{row}] "
            f"is {values[row]:g}: number the classes from 0 (np.unique(y, return_inverse=True)) or add units"
        )
    return values.astype(np.int64)


def _target_shape_message(shape: tuple[int, ...], loss: LossSpec, n_out: int, name: str) -> str:
    message = f"the network has {n_out} outputs a row but {name} has shape {shape}"
    if loss.targets == "one-hot" and shape[1:] == (1,):
        return message + ": for class numbers use sparse_categorical_crossentropy"
    return message + f": {name} must have {n_out} columns, or the last layer {shape[-1]} units"
