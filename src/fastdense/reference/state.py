"""A program's parameters and optimizer slots, rounded to the network's dtype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.spec import TrainingSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["State", "as_dtype", "fresh_slots", "rounded"]

Matrix = NDArray[np.float64]
Arrays = tuple[tuple[Matrix, ...], ...]


@dataclass(frozen=True)
class State:
    """What training changes: arrays for every layer, slots for every trained parameter, a count."""

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


def fresh_slots(training: TrainingSpec, w: Matrix) -> tuple[Matrix, ...]:
    """Return a parameter's slots before the first step."""
    return tuple(np.full(w.shape, start) for start in training.optimizer.slots.values())
