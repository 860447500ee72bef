"""The rows on their way through a model: the chain's columns, and the axes that Keras has them on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastdense.activations import ActivationFunction
from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.picking import Picking
from fastdense.layers import Dense

__all__ = ["Flow", "in_words"]

Shape = tuple[int, ...]


class Flow(Picking):
    """A chain whose columns are, in order, the numbers of one example in Keras.

    Parameters
    ----------
    shape : tuple of int, optional
        Of one example of the input; None if the file does not say.
    dtype, limit
        As of `Chain`.
    is_old : bool
        Whether Keras 1 or 2 wrote the file.

    Attributes
    ----------
    shape : tuple of int or None
        Of one example of what the chain has come to.
    logarithms : bool
        Whether Keras' numbers are the logarithms of the chain's.
    """

    def __init__(self, shape: Shape | None, dtype: str, limit: int, is_old: bool) -> None:
        super().__init__(None if shape is None else math.prod(shape), dtype, limit)
        self._shape = shape
        self.is_old = is_old
        self.logarithms = False

    @property
    def shape(self) -> Shape | None:
        """Of one example of what the chain has come to."""
        if self._shape is not None:
            return self._shape
        return None if self.columns is None else (self.columns,)

    @property
    def columns(self) -> int | None:
        """How many numbers an example has, None if that is not known."""
        return self.width if self._picked is None else len(self._picked)

    @property
    def is_row(self) -> bool:
        """True if an example has one axis, as far as is known."""
        return len(self.shape or (0,)) == 1

    def reshape(self, shape: Shape) -> None:
        """Give the same numbers other axes; FormatError if these are of more or fewer numbers."""
        if self.columns is not None and math.prod(shape) != self.columns:
            raise FormatError(f"it makes the shape {in_words(shape)} of {self.columns} numbers")
        self._shape = shape

    def pick(self, operation: Callable[[Array], Array]) -> None:
        """Append a choice of an example's numbers: ``operation`` is what is done to an array of its shape."""
        if self.shape is None:
            raise FormatError("it chooses columns of an input whose shape is not known")
        width = math.prod(self.shape)
        self._take(16 * width)
        found = operation(np.arange(width).reshape(self.shape))
        if not found.size:
            raise FormatError(f"it leaves nothing of the shape {in_words(self.shape)}")
        if not np.array_equal(found.reshape(-1), np.arange(width)):
            self.choose(found.reshape(-1))
        self._shape = found.shape

    def check_columns(self, axis: Any = -1) -> None:
        """Raise FormatError unless an axis, the batch being axis 0, holds all numbers of an example.

        Parameters
        ----------
        axis : int or list of one
        """
        axes = axis if isinstance(axis, list) else [axis]
        shape = self.shape or (0,)
        places = [place % (len(shape) + 1) for place in axes if -len(shape) <= place <= len(shape)]
        if len(places) != 1 or places[0] == 0:
            raise FormatError(f"it works along the axes {axis}, and not along the columns")
        if any(size != 1 for i, size in enumerate(shape, 1) if i != places[0]):
            raise FormatError(
                f"a dense network takes a matrix, but this works along one of several axes, of the shape "
                f"{in_words(shape)}: a Flatten before it is missing"
            )

    def by_column(self, value: Any) -> Any:
        """Return a constant that Keras combines with an example, as one number or one per column.

        Raises
        ------
        FormatError
            It is not of numbers, or does not have the example's axes.
        """
        array = np.asarray(value, np.float64)
        if array.size == 1 and array.ndim <= len(self.shape or (0,)):
            return float(array.reshape(()))
        if self.shape is None:
            if array.ndim != 1:
                raise FormatError(f"it combines the rows with numbers of the shape {in_words(array.shape)}")
            return array
        while array.ndim > len(self.shape) and array.shape[0] == 1:
            array = array[0]  # the same for all rows
        try:
            self._take(8 * math.prod(self.shape))
            return np.broadcast_to(array, self.shape).reshape(-1)
        except ValueError:
            raise FormatError(
                f"it combines an example of the shape {in_words(self.shape)} with numbers of the shape "
                f"{in_words(array.shape)}"
            ) from None

    def along(self, axes: Any, array: Array) -> Array:
        """Return one number per column, from one per place along some of the axes of an example.

        Parameters
        ----------
        axes : int or list of int
            The batch is axis 0.
        array : array of as many axes
        """
        shape = self.shape or array.shape
        listed = axes if isinstance(axes, list) else [axes]
        if not all(-len(shape) <= axis <= len(shape) and axis % (len(shape) + 1) for axis in listed):
            raise FormatError(f"it has statistics along the axes {axes} of the shape {in_words(shape)}")
        kept = {axis % (len(shape) + 1) - 1 for axis in listed}
        target = tuple(size if i in kept else 1 for i, size in enumerate(shape))
        if math.prod(target) != array.size:
            raise FormatError(
                f"it has {array.size} statistics for the axes {axes} of the shape {in_words(shape)}"
            )
        if self.columns is None:
            return array.reshape(-1)
        self._take(8 * math.prod(shape))
        return np.broadcast_to(array.reshape(target), shape).reshape(-1)

    def dense(self, W: Array, B: Array | None = None, layer: Dense | None = None) -> None:
        """Append ``A_in @ W + B``; see `Chain.dense`."""
        self.check_columns()
        super().dense(W, B, layer)
        if self._shape is not None:
            self._shape = (*self._shape[:-1], W.shape[1])

    def activate(self, activation: ActivationFunction | str) -> None:
        """Append ``g(x)``; see `Chain.activate`."""
        if str(getattr(activation, "name", activation)) == "softmax":
            self.check_columns()
        super().activate(activation)


def in_words(shape: Shape) -> str:
    """Return a shape as Python writes it, cut short."""
    return f"{tuple(shape)!s:.100}"
