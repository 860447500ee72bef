"""A program's parameters and optimizer slots: rounding them, and picking out those that are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import DenseSpec, NetworkSpec, Penalty, TrainingSpec, slot_names

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["State", "as_dtype", "fresh_slots", "penalties", "rounded", "trainable", "with_trainable"]

Array = NDArray[Any]
Matrix = NDArray[np.float64]
Arrays = tuple[tuple[Matrix, ...], ...]


@dataclass(frozen=True)
class State:
    """What training changes: arrays for every layer, slots for every trainable parameter, a count."""

    parameters: Arrays
    slots: Arrays
    steps: int = 0


def rounded(arrays: Sequence[Sequence[Array]], dtype: str) -> Arrays:
    """Return float64 copies of the arrays, of values that ``dtype`` can hold."""
    return tuple(tuple(a.astype(np.float64) for a in own) for own in as_dtype(arrays, dtype))


def as_dtype(arrays: Sequence[Sequence[Array]], dtype: str) -> list[tuple[Array, ...]]:
    """Return copies of the arrays in ``dtype``."""
    with np.errstate(all="ignore"):
        return [tuple(np.array(a, dtype=dtype) for a in own) for own in arrays]


def trainable(network: NetworkSpec, parameters: Arrays) -> list[Matrix]:
    """Return the parameters of the dense layers in order, ``W`` before ``B``."""
    layers = zip(network.layers, parameters, strict=True)
    return [w for layer, own in layers if isinstance(layer, DenseSpec) for w in own]


def with_trainable(network: NetworkSpec, parameters: Arrays, weights: Sequence[Matrix]) -> Arrays:
    """Return the parameters with those of the dense layers replaced, the inverse of `trainable`."""
    new = iter(weights)
    layers = zip(network.layers, parameters, strict=True)
    return tuple(
        tuple(next(new) for _ in own) if isinstance(layer, DenseSpec) else own for layer, own in layers
    )


def penalties(network: NetworkSpec) -> list[Penalty]:
    """Return the penalty of each trainable parameter."""
    found = []
    for layer in network.layers:
        if isinstance(layer, DenseSpec):
            found += [layer.kernel_penalty, layer.bias_penalty] if layer.use_bias else [layer.kernel_penalty]
    return found


def fresh_slots(training: TrainingSpec, w: Matrix) -> tuple[Matrix, ...]:
    """Return a parameter's slots before the first step: zeros, but for adagrad's accumulator."""
    start = {"accumulator": training.optimizer.initial_accumulator_value}
    return tuple(np.full(w.shape, start.get(name, 0.0)) for name in slot_names(training.optimizer))
