"""Targets and weights of rows: checked against the loss and the network before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.checks import as_array, finite
from fastdense.errors import DtypeError, ShapeError
from fastdense.spec import LossSpec

__all__ = ["as_targets", "as_weights", "class_numbers"]

Array = NDArray[Any]

_RANGES = {
    "binary_crossentropy": (0.0, 1.0),
    "categorical_crossentropy": (0.0, 1.0),
    "poisson": (0.0, np.inf),
}


def as_targets(y: Any, loss: LossSpec, n_out: int, dtype: str, rows: int) -> Array:
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

    Returns
    -------
    array of shape (rows, n_out) and ``dtype``, or int64 of shape (rows,) for class numbers

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
    ValueError
        A target is outside the loss's range.
    """
    values = as_array("y", y, "float64")
    if len(np.shape(values)) == 0 or len(values) != rows:
        raise ShapeError(
            f"X has {rows} rows but y has {len(values) if values.ndim else 'no'}: one target a row"
        )
    finite("y", values)
    if loss.name == "sparse_categorical_crossentropy":
        return _class_numbers(values, n_out)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.shape != (rows, n_out):
        raise ShapeError(_target_shape_message(values.shape, loss, n_out))
    low, high = _RANGES.get(loss.name, (-np.inf, np.inf))
    outside = (values < low) | (values > high)
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        limits = f"from {low:g} to {high:g}" if np.isfinite(high) else f"at least {low:g}"
        raise ValueError(
            f"{loss.name} takes targets {limits}, but y[{row}, {column}] is {values[row, column]:g}"
        )
    return values.astype(dtype)


def as_weights(
    sample_weight: Any, class_weight: Mapping[int, float] | None, y: Array, dtype: str
) -> Array | None:
    """Return one weight a row, ``sample_weight`` times the row's class's weight; None where all are 1.

    Parameters
    ----------
    sample_weight : array-like of shape (m,), optional
        Not negative.
    class_weight : mapping of class number to weight, optional
        Classes that are not in it weigh 1.
    y : array
        As `as_targets` gave it.
    dtype : str
    """
    weights = np.ones(len(y)) if class_weight is None else _class_weights(class_weight, y)
    if sample_weight is not None:
        given = as_array("sample_weight", sample_weight, "float64")
        given = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
        if given.shape != (len(y),):
            raise ShapeError(
                f"sample_weight must have one number a row, shape ({len(y)},), got {given.shape}"
            )
        finite("sample_weight", given)
        if (given < 0).any():
            raise ValueError(f"sample_weight must not be negative, but row {int(np.argmax(given < 0))} is")
        weights = weights * given
    return None if sample_weight is None and class_weight is None else weights.astype(dtype)


def class_numbers(y: Array) -> NDArray[np.int64]:
    """Return the class of every row: the number itself, 0 or 1 of one column, the largest of several."""
    if y.ndim == 1:
        return y.astype(np.int64)
    return (y[:, 0] > 0.5).astype(np.int64) if y.shape[1] == 1 else y.argmax(axis=1)


def _class_numbers(values: Array, n_out: int) -> NDArray[np.int64]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ShapeError(
            f"sparse_categorical_crossentropy takes one class number a row, but y has shape {values.shape}: "
            f"for one-hot rows use categorical_crossentropy, or pass y.argmax(axis=1)"
        )
    if n_out < 2:
        raise ShapeError(
            "sparse_categorical_crossentropy needs one output a class, at least 2, but the network has 1: "
            "give the last layer more units, or use binary_crossentropy"
        )
    fractional = values != np.floor(values)
    if fractional.any():
        row = int(np.argmax(fractional))
        raise DtypeError(f"class numbers must be whole, but y[{row}] is {values[row]:g}")
    outside = (values < 0) | (values >= n_out)
    if outside.any():
        row = int(np.argmax(outside))
        raise ValueError(
            f"the network has {n_out} outputs, so class numbers go from 0 to {n_out - 1}, but y[{row}] is "
            f"{values[row]:g}: number the classes from 0 (np.unique(y, return_inverse=True)) or add units"
        )
    return values.astype(np.int64)


def _class_weights(class_weight: Mapping[int, float], y: Array) -> NDArray[np.float64]:
    weights = np.ones(len(y))
    classes = class_numbers(y)
    for label, weight in class_weight.items():
        if not (np.isfinite(weight) and weight >= 0):
            raise ValueError(f"class_weight[{label!r}] must be a number of at least 0, got {weight!r}")
        weights[classes == label] = weight
    return weights


def _target_shape_message(shape: tuple[int, ...], loss: LossSpec, n_out: int) -> str:
    message = f"the network has {n_out} outputs a row but y has shape {shape}"
    if loss.name == "categorical_crossentropy" and shape[1:] == (1,):
        return message + ": for class numbers use sparse_categorical_crossentropy"
    return message + f": y must have {n_out} columns, or the last layer {shape[-1]} units"
