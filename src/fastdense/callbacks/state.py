"""Reading a callback's state: each field by its name, checked."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["alike", "count", "counts", "names", "real", "weights"]

State = Mapping[str, NDArray[Any]]


def names(state: State, expected: Iterable[str]) -> None:
    """Raise ValueError unless a state has these fields and no others."""
    odd = sorted(set(state) ^ set(expected))
    if odd:
        raise ValueError(f"the fields {', '.join(odd)[:200]} are missing or unknown")


def count(state: State, name: str) -> int:
    """Return a field that is one whole number from 0 up."""
    array = state[name]
    if array.shape != () or array.dtype.kind != "i" or int(array) < 0:
        raise ValueError(f"{name} must be a whole number from 0 up, got {_shown(array)}")
    return int(array)


def counts(state: State, name: str, signed: bool = False) -> list[int]:
    """Return a field that is a row of whole numbers, from 0 up unless they are ``signed``."""
    array = state[name]
    if array.ndim != 1 or array.dtype.kind != "i" or not (signed or (array >= 0).all()):
        raise ValueError(f"{name} must be whole numbers{'' if signed else ' from 0 up'}, got {_shown(array)}")
    return [int(each) for each in array]


def real(state: State, name: str) -> float:
    """Return a field that is one number, which may be infinite."""
    array = state[name]
    if array.shape != () or array.dtype != np.float64 or math.isnan(float(array)):
        raise ValueError(f"{name} must be a number, got {_shown(array)}")
    return float(array)


def alike(array: NDArray[Any], own: NDArray[Any], name: str) -> None:
    """Raise ValueError unless an array is finite and has the shape and dtype of the model's own."""
    if (array.shape, array.dtype) != (own.shape, own.dtype):
        raise ValueError(f"{name} should be {own.dtype} of shape {own.shape}, got {_shown(array)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite numbers")


def weights(state: State, model: Any) -> None:
    """Raise ValueError unless a state's fields, numbered from 0, are arrays that the model's layers take."""
    own = model.weights
    names(state, map(str, range(len(own))))
    for i, array in enumerate(own):
        alike(state[str(i)], array, str(i))
    at = 0
    for layer in model.layers:
        count = len(layer.weights)
        copy.copy(layer).set_weights([state[str(i)] for i in range(at, at + count)])
        at += count


def _shown(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}" if array.size != 1 else f"{array.dtype} {array.tolist()}"
