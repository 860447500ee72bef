"""A chain whose columns can be chosen and put into another order on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.chain import Chain
from fastdense.exchange.content import Content
from fastdense.exchange.scaling import Scaling
from fastdense.layers import Dense, Layer

__all__ = ["Picking"]


class Picking(Chain):
    """A chain with `choose`; the parameters are those of `Chain`.

    Notes
    -----
    A choice costs nothing beside a dense layer, whose weights take it in. Between other layers it becomes a
    product with zeros and ones.

    Examples
    --------
    >>> chain = Picking(3)
    >>> chain.choose(np.array([2, 0]))
    >>> chain.dense(np.eye(2, dtype=np.float32))
    >>> chain.content().layers[0].weights[0].tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    """

    def __init__(self, n_in: int | None = None, dtype: str = "float32", limit: int | None = None) -> None:
        super().__init__(n_in, dtype, limit)
        self._picked: Array | None = None

    def choose(self, columns: Array) -> None:
        """Append a choice of columns, by their places and in a new order."""
        if self._picked is not None:
            self._picked = self._picked[columns]
            return
        layer, arrays = self._layers[-1] if self._layers and self._pending is None else (None, [])
        if isinstance(layer, Dense) and layer.activation.name != "softmax":
            arrays[:] = [array[..., columns] for array in arrays]
            layer.units = self.width = len(columns)
        else:
            self._picked = columns

    def _settle_choice(self) -> None:
        """Give a choice of columns that no dense layer has taken in a layer of its own."""
        if self._picked is not None:
            Picking.dense(self, np.eye(len(self._picked), dtype=np.float32))

    def dense(self, W: Array, B: Array | None = None, layer: Dense | None = None) -> None:
        """Append ``A_in @ W + B``, of the chosen columns if some have been chosen; see `Chain.dense`."""
        columns, self._picked = self._picked, None
        if columns is not None and self.width is not None:
            if len(columns) != len(W):
                raise FormatError(f"it takes {len(W)} columns, but {len(columns)} come in")
            self._take(W.itemsize * self.width * W.shape[1])
            of_all = np.zeros((self.width, W.shape[1]), W.dtype)
            np.add.at(of_all, columns, W)
            W = of_all
        super().dense(W, B, layer)

    def scale(self, factor: Any, shift: Any = 0.0) -> None:
        """Append ``x * factor + shift``; see `Chain.scale`. A choice that repeats no column may follow it."""
        picked = self._picked
        if picked is not None and self.width is not None and len(np.unique(picked)) == len(picked):
            self._take(16 * self.width)
            all_factors, all_shifts = np.ones(self.width), np.zeros(self.width)
            all_factors[picked], all_shifts[picked] = Scaling.of(factor, shift, len(picked))
            factor, shift = all_factors, all_shifts
        else:
            self._settle_choice()
        super().scale(factor, shift)

    def add(self, layer: Layer, arrays: Sequence[Array] = (), n_in: int | None = None) -> None:
        """Append another layer; see `Chain.add`."""
        self._settle_choice()
        super().add(layer, arrays, n_in)

    def content(self, name: str = "sequential") -> Content:
        """Return the network; see `Chain.content`."""
        self._settle_choice()
        return super().content(name)
