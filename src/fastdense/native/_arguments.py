"""Arguments, checked and laid out as compiled code takes them."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping
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


def order_of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row numbers of an epoch as compiled code takes them."""
    return np.ascontiguousarray(rows, np.int64)


def steps(network: NetworkSpec, batches: Any, learning_rates: NDArray[np.float64]) -> tuple[Any, ...]:
    """Return the steps to take, one per learning rate, as compiled code takes them.

    Returns
    -------
    batch_rows : int
    learning_rates, penalty_scale, weight_decay, dropout : float64 array
        Those after the rates are None where nothing changes from step to step.

    Raises
    ------
    ValueError
        There are more learning rates than batches, or fewer of other numbers than learning rates.
    """
    size, rows, count = batches.batch_size, len(batches.order), len(learning_rates)
    there = math.ceil(rows / size)
    if count > there:
        raise ValueError(f"{count} learning rates were given for {there} batches")
    rates = np.ascontiguousarray(learning_rates, np.float64)
    return size if size < rows else max(rows, 1), rates, *_changes(network, batches, count)


def _changes(network: NetworkSpec, batches: Any, count: int) -> tuple[NDArray[np.float64] | None, ...]:
    """Return the penalty scales, weight decays and dropout rates of each step, None for what has none."""
    scale = _by_step("penalty scales", batches.penalty_scale, count)
    decay = _by_step("weight decays", batches.weight_decay, count)
    return scale, decay, _dropout(network, batches.dropout, count) if batches.dropout else None


def _by_step(what: str, numbers: NDArray[np.float64] | None, count: int) -> NDArray[np.float64] | None:
    if numbers is None:
        return None
    if len(numbers) < count:
        raise ValueError(f"{len(numbers)} {what} were given for {count} learning rates")
    return np.ascontiguousarray(numbers if len(numbers) == count else numbers[:count], np.float64)


def _dropout(
    network: NetworkSpec, given: Mapping[int, NDArray[np.float64]], count: int
) -> NDArray[np.float64] | None:
    """Return the rates of all dropout layers, step by step."""
    drops = [layer for layer in network.layers if isinstance(layer, DropoutSpec)]
    rates = [
        _by_step("dropout rates", given.get(layer.stream, np.full(count, layer.rate)), count)
        for layer in drops
    ]
    return np.array(rates).ravel(order="F") if rates else None
