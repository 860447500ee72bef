"""A chain of which the first steps may come before anything gives the number of its columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastdense.activations import ActivationFunction, get
from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.chain import Chain
from fastdense.layers import Dense, Layer

__all__ = ["EntryChain"]


class EntryChain(Chain):
    """A chain that keeps what needs no number of columns until a step gives it: ``x / 255`` before a Linear.

    Attributes
    ----------
    has_columns : bool
        True once a step has given the number of columns, whether or not it was known.
    gives_logarithms : bool
        True once the module's numbers are the logarithms of the chain's.
    is_squeezed : bool
        True once the module's numbers are without the chain's only column.
    """

    def __init__(self, n_in: int | None, dtype: str) -> None:
        super().__init__(n_in, dtype)
        self.has_columns = self.gives_logarithms = self.is_squeezed = False
        self._early: list[Callable[[], None]] = []

    def scale(self, factor: Any, shift: Any = 0.0) -> None:
        """Append ``x * factor + shift``; see `Chain.scale`."""
        if np.ndim(factor) or np.ndim(shift):
            super().scale(factor, shift)
        else:
            self._now_or_later(lambda: super(EntryChain, self).scale(factor, shift), self.width is None)

    def activate(self, activation: ActivationFunction | str) -> None:
        """Append ``g(x)``; see `Chain.activate`."""
        if self.is_squeezed and get(activation).name == "softmax":
            raise FormatError("it goes over the rows, since their only column was squeezed")
        self._now_or_later(lambda: super(EntryChain, self).activate(activation))

    def dropout(self, rate: float, name: str | None = None) -> None:
        """Append a dropout; see `Chain.dropout`."""
        self._now_or_later(lambda: super(EntryChain, self).dropout(rate, name))

    def log_softmax(self) -> None:
        """Append a softmax, of which the module takes the logarithm: no step may follow."""
        self.activate("softmax")
        self.gives_logarithms = True

    def squeeze(self) -> None:
        """Leave out the axis of the only column, which the network keeps: no product may follow."""
        if self.width != 1:
            raise FormatError(f"it squeezes {self.width} columns, and only one can be left out")
        self.is_squeezed = True

    def dense(self, W: Array, B: Array | None = None, layer: Dense | None = None) -> None:
        """Append ``A_in @ W + B``; see `Chain.dense`."""
        if self.is_squeezed:
            raise FormatError("it multiplies what has been squeezed to one number per row")
        super().dense(W, B, layer)

    def _append(self, layer: Layer, arrays: list[Array]) -> None:
        if self.gives_logarithms:
            raise FormatError("it takes logarithms of a softmax, which are read at the end of a module alone")
        super()._append(layer, arrays)

    def _now_or_later(self, step: Callable[[], None], later: bool = False) -> None:
        """Take a step, or keep it if it must wait or stand behind one that waits."""
        if later or self._early:
            self._early.append(step)
        else:
            step()

    def _meet(self, n_in: int | None) -> None:
        self.has_columns = True
        super()._meet(n_in)
        early, self._early = self._early, []
        for step in early:
            step()
