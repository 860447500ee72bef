"""The common end of the importers: what a file's network does, step by step, becomes layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastdense.activations import ActivationFunction, get
from fastdense.core.arrays import Array
from fastdense.errors import FastdenseError, FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.scaling import Scaling
from fastdense.layers import Activation, Dense, Dropout, Layer, Normalization, PReLU
from fastdense.layers.names import Names

__all__ = ["Chain"]

# A matrix that only scales is mostly zeros: beyond this width it would dwarf the file that it came from.
_WIDEST_DIAGONAL = 256


class Chain:
    """The steps of a network in order, as layers with their weights.

    Parameters
    ----------
    n_in : int, optional
        Columns of the input; None leaves it to the first step with weights.
    dtype : "float32" or "float64"
        What the model computes in, and its weights are converted to.
    limit : int, optional
        Bytes that the weights may take in all; what a file says twice counts twice.

    Notes
    -----
    A scaling by columns, as a batch normalisation in use is, costs nothing once it is folded into the weights
    of a dense layer: into the one before it, or where an activation stands between, into the one after it.
    Where that would lose digits it becomes a `Normalization` instead, see `Scaling.standardised`.

    Examples
    --------
    >>> chain = Chain()
    >>> chain.dense(np.ones((2, 1), np.float32))
    >>> chain.scale(3.0, 1.0)
    >>> chain.activate("relu")
    >>> [array.tolist() for array in chain.content().layers[0].weights]
    [[[3.0], [3.0]], [1.0]]
    """

    def __init__(self, n_in: int | None = None, dtype: str = "float32", limit: int | None = None) -> None:
        self.width = self.n_in = n_in
        self.dtype = dtype
        self._limit = limit
        self._layers: list[tuple[Layer, list[Array]]] = []
        self._pending: Scaling | None = None

    def dense(self, W: Array, B: Array | None = None, layer: Dense | None = None) -> None:
        """Append ``A_in @ W + B``.

        Parameters
        ----------
        W : array of shape (n_in, n_units)
        B : array of shape (n_units,) or (1, n_units), optional
        layer : Dense, optional
            The layer to give the weights to, of as many units and not built yet; it may have an activation.

        Raises
        ------
        FormatError
            The shapes fit neither each other nor what came before.
        """
        if W.ndim != 2 or 0 in W.shape:
            raise FormatError(f"a dense layer's weights are a matrix, here their shape is {W.shape}")
        n_in, n_units = W.shape
        if B is not None and B.shape not in ((n_units,), (1, n_units)):
            raise FormatError(f"a dense layer of {n_units} units has a bias of the shape {B.shape}")
        self._meet(n_in)
        self._take(W.nbytes)
        bias = None if B is None else B.reshape(-1)
        if self._pending is not None:
            statistics, left = self._pending.standardised()
            self._pending = None
            if statistics is not None:
                self._append(Normalization(), statistics)
            W, bias = left.before(W, bias)
        layer = layer or Dense(n_units)
        layer.use_bias = bias is not None
        self._append(layer, [W] if bias is None else [W, bias])

    def scale(self, factor: Any, shift: Any = 0.0) -> None:
        """Append ``x * factor + shift``, each a number or one number per column.

        Raises
        ------
        FormatError
            They are not finite, or not as many as there are columns.
        """
        width = self.width or max(np.size(factor) * np.ndim(factor), np.size(shift) * np.ndim(shift))
        if not width:
            raise FormatError("the input's width is not known where its columns are scaled")
        self._meet(width)
        self._take(16 * width)
        scaling = Scaling.of(factor, shift, width)
        last, arrays = self._layers[-1] if self._layers else (None, [])
        if self._pending is not None:
            self._pending = self._pending.then(scaling)
        elif isinstance(last, Dense) and last.activation.name == "linear":
            arrays[:] = scaling.after(arrays[0], arrays[1] if last.use_bias else None)
            last.use_bias = True
        else:
            self._pending = scaling

    def activate(self, activation: ActivationFunction | str) -> None:
        """Append ``g(x)``, as the activation of a linear dense layer where one comes just before."""
        curve = get(activation)
        if curve.name == "linear":
            return
        last = self._layers[-1][0] if self._layers and self._pending is None else None
        if isinstance(last, Dense) and last.activation.name == "linear":
            curve.check_columns(last.units, "the layer before it")
            last.activation = curve
        else:
            self.add(Activation(curve))

    def dropout(self, rate: float, name: str | None = None) -> None:
        """Append the dropout of a share of the units, which only training sees."""
        self._append(Dropout(rate, name), [])  # predictions are the same on either side of a scaling

    def leak(self, slopes: Array, columns: int | None, name: str | None = None) -> None:
        """Append ``x`` above zero and ``slopes * x`` below, by a slope per column or one for all.

        One without axes becomes an activation, whose slope is not trained, unless it is below zero.
        """
        if slopes.ndim == 0 and slopes < 0 and columns is not None:
            slopes = np.full(columns, slopes)
        if slopes.ndim == 0:
            self.activate(ActivationFunction("leaky_relu", float(slopes)))
        else:
            self.add(PReLU(name=name), [slopes], n_in=len(slopes))

    def add(self, layer: Layer, arrays: Sequence[Array] = (), n_in: int | None = None) -> None:
        """Append a layer that is neither dense nor a dropout, not built yet, with its weights.

        ``n_in`` is the number of columns that it takes, where the layer is of a certain width.
        """
        if n_in is not None:
            self._meet(n_in)
        if isinstance(layer, Normalization):
            self._take(16 * (self.width or 0))  # a number for all columns becomes one for each
        self._settle()
        self._append(layer, list(arrays))

    def content(self, name: str = "sequential") -> Content:
        """Return the network.

        Raises
        ------
        FormatError
            The input's width is not known, or a layer's weights do not have its shapes.
        """
        self._settle()
        if self.n_in is None:
            raise FormatError("how many columns the network takes is not known")
        if not self._layers:
            self._append(Activation("linear"), [])
        width = self.n_in
        for layer, arrays in self._layers:
            try:
                self._fill(layer, width, arrays)
            except (FastdenseError, ValueError) as error:
                raise FormatError(f"layer {layer.name or layer.default_name!r}: {error}") from error
            width = layer.units_for(width)
        layers = [layer for layer, _ in self._layers]
        names = Names(layer for layer in layers if layer.name)  # those of a file come first
        for layer in layers:
            layer.name = layer.name or names.free(layer.default_name)
            names.taken[layer.name] = layer
        return Content(name, layers, self.n_in, self.dtype)

    def with_opposites(self) -> None:
        """Append ``[1 - p, p]``, ``p`` being a dense layer's sigmoids: ``1 - sigmoid(z) = sigmoid(-z)``.

        Raises
        ------
        FormatError
            They are not.
        """
        layer, arrays = self._layers[-1] if self._layers and self._pending is None else (None, [])
        if not isinstance(layer, Dense) or layer.activation.name != "sigmoid":
            raise FormatError("it takes from 1 what is not a dense layer's sigmoid")
        arrays[:] = [np.concatenate([-array, array], axis=-1) for array in arrays]
        layer.units *= 2
        self.width = layer.units

    def _take(self, size: int) -> None:
        """Count the bytes of a layer's weights."""
        if self._limit is not None:
            self._limit -= size
            if self._limit < 0:
                raise FormatError("its weights are many times as large as the file")

    def _fill(self, layer: Layer, n_in: int, arrays: Sequence[Array]) -> None:
        wanted = layer.weight_shapes(n_in)
        if [array.shape for array in arrays] != list(wanted.values()):
            shapes = ", ".join(f"{name} {shape}" for name, shape in wanted.items()) or "no weights"
            raise FormatError(f"it has {shapes}; there are arrays of {[array.shape for array in arrays]}")
        kinds = [layer.weight_dtypes.get(name, self.dtype) for name in wanted]
        with np.errstate(over="ignore"):
            new = [np.array(array, kind) for array, kind in zip(arrays, kinds, strict=True)]
        if any(np.isinf(b).any() and np.isfinite(a).all() for a, b in zip(arrays, new, strict=True)):
            raise FormatError(f"its weights, with the scalings beside it folded in, are beyond {self.dtype}")
        layer.restore(n_in, new)

    def _append(self, layer: Layer, arrays: list[Array]) -> None:
        self._layers.append((layer, arrays))
        self.width = layer.n_units if self.width is None else layer.units_for(self.width)

    def _meet(self, n_in: int | None) -> None:
        """Take note of the columns that a step takes; FormatError where others come in."""
        if self.width is None:
            self.width = self.n_in = n_in
        elif self.width != n_in:
            raise FormatError(f"it takes {n_in} columns, but {self.width} come in")

    def _settle(self) -> None:
        """Give a scaling that no dense layer can take a layer of its own."""
        if self._pending is None:
            return
        scaling, self._pending = self._pending, None
        statistics = scaling.alone()
        if statistics is not None:
            self._append(Normalization(), statistics)
            return
        width = len(scaling.factor)
        if width > _WIDEST_DIAGONAL:
            raise FormatError(
                f"a scaling of {width} columns by numbers that are not all positive, or extreme, stands "
                "between two activations or at the end, where no dense layer can take it in"
            )
        self._take(8 * width * width)
        self._append(Dense(width), [np.diag(scaling.factor), scaling.shift])
