"""A model at one moment, and what was compiled from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from fastdense.layers.base import Layer

__all__ = ["Compiled", "Moment"]

Array = NDArray[Any]


class Moment(NamedTuple):
    """A model's layers at one moment, with their arrays, their stamps and ``also`` other things."""

    layers: Sequence[Layer]
    arrays: Sequence[tuple[Array, ...]]
    stamps: tuple[object, ...]
    also: tuple[Any, ...]


class Compiled(NamedTuple):
    """A program's quickest way in, and what it was made of: whether that is still the model's."""

    predict: Callable[..., Array]
    stamps: tuple[object, ...]
    table: Any
