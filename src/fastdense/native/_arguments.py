"""Arguments, checked and laid out as compiled code takes them."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import DropoutSpec, NetworkSpec
from fastdense.errors import ShapeError
from fastdense.native import _core

_SPARSE: dict[str, Any] = {"float32": _core.Sparse32, "float64": _core.Sparse64}


def integer_below(limit: int, name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int in ``[0, limit)``, or raise naming the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if not 0 <= number < limit:
        raise ValueError(f"{name} must be at least 0 and below {limit}, not {number}")
    return number


def readable(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array itself, unless compiled code could not read it in place."""
    plain = array.flags.aligned and array.dtype.isnative
    return array if plain else np.array(array, array.dtype.newbyteorder("="))


@contextmanager
def written(outputs: NDArray[Any] | None) -> Iterator[NDArray[Any] | None]:
    """Give an array that compiled code can write; what it wrote ends up in ``outputs``."""
    in_place = outputs is None or (
        outputs.flags.c_contiguous and outputs.flags.aligned and outputs.dtype.isnative
    )
    if outputs is None or in_place:
        yield outputs
        return
    room = np.array(outputs, outputs.dtype.newbyteorder("="), order="C")
    yield room
    outputs[...] = room


def source(X: Any, n_in: int) -> Any:
    """Return rows as compiled code takes them.

    Raises
    ------
    ShapeError
        They have more or fewer columns than the network takes.
    ValueError
        Sparse rows are not in order: they would lead compiled code astray.
    """
    rows, columns = X.shape
    if columns != n_in:
        raise ShapeError(f"the network takes {n_in} columns, but X has {columns}")
    if not hasattr(X, "indptr"):
        return readable(X)
    starts, numbers = np.ascontiguousarray(X.indptr, np.int64), X.indices
    stored = min(len(numbers), len(X.data))
    counted = (
        len(starts) == rows + 1 and starts[0] >= 0 and starts[-1] <= stored and (np.diff(starts) >= 0).all()
    )
    placed = not len(numbers) or (numbers.min() >= 0 and numbers.max() < columns)
    if X.format != "csr" or not (counted and placed):
        raise ValueError("sparse rows must be in the CSR format, with column numbers within their shape")
    values = np.ascontiguousarray(readable(X.data))
    return _SPARSE[X.dtype.name](values, np.ascontiguousarray(numbers, np.int32), starts, columns)


def weights(sample_weight: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return the rows' weights as compiled code takes them."""
    return None if sample_weight is None else np.ascontiguousarray(readable(sample_weight))


def targets(y: NDArray[Any]) -> NDArray[Any]:
    """Return a matrix of targets, or class numbers, as compiled code takes them."""
    return np.ascontiguousarray(readable(y)) if y.ndim == 1 else readable(y)


def plain(array: Any, dtype: str) -> NDArray[Any]:
    """Return a contiguous array of a dtype."""
    return np.ascontiguousarray(array, dtype=dtype)


def per_step(steps: int, network: NetworkSpec, batches: Any) -> Iterator[NDArray[np.float64] | None]:
    """Yield the penalty scales, weight decays and dropout rates of each step, None for what has none.

    Raises
    ------
    ValueError
        There are fewer than steps.
    """
    drops = [layer for layer in network.layers if isinstance(layer, DropoutSpec)] if batches.dropout else []
    rates = [batches.dropout.get(layer.stream, np.full(steps, layer.rate)) for layer in drops]
    given = [
        ("penalty scales", batches.penalty_scale),
        ("weight decays", batches.weight_decay),
        *(("dropout rates", own) for own in rates),
    ]
    for what, numbers in given:
        if numbers is not None and len(numbers) < steps:
            raise ValueError(f"{len(numbers)} {what} were given for {steps} learning rates")
    for _, numbers in given[:2]:
        yield None if numbers is None else np.ascontiguousarray(numbers, dtype=np.float64)
    yield np.array([own[:steps] for own in rates], dtype=np.float64).ravel(order="F") if rates else None
