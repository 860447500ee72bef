"""The common end of the importers: what a file's network does, step by step, becomes a `Sequential`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FastdenseError, FormatError
from fastdense.network.activations import ActivationFunction, get
from fastdense.network.layers import Activation, Dense, Dropout, Input, Layer, Normalization
from fastdense.network.sequential import Sequential

__all__ = ["Chain"]

Array = NDArray[Any]

# A matrix that only scales is mostly zeros: beyond this width it would dwarf the file that it came from.
_WIDEST_DIAGONAL = 256
# `Normalization` divides by no deviation below 1e-7.
_LARGEST_FACTOR = 1e7


class Scaling(NamedTuple):
    """``x * factor + shift``, column by column, in float64."""

    factor: NDArray[np.float64]
    shift: NDArray[np.float64]

    def then(self, other: Scaling) -> Scaling:
        """Return the two as one."""
        return Scaling(self.factor * other.factor, self.shift * other.factor + other.shift)


class Chain:
    """The steps of a network in order, as layers with their weights.

    Parameters
    ----------
    n_in : int, optional
        Columns of the input; None leaves it to the first step with weights.
    dtype : "float32" or "float64"
        What the model computes in, and its weights are converted to.
    limit : int, optional
        Bytes of weights that the file can have at most; what it says twice counts twice.

    Notes
    -----
    A scaling by columns, as a batch normalisation in use is, costs nothing once it is folded into the weights
    of a dense layer: into the one before it, or where an activation stands between, into the one after it. At
    the network's entry it becomes a `Normalization` instead: the means of raw data may be large against their
    spread, and ``x W / s - m W / s`` loses the digits that ``(x - m) / s`` keeps.

    Examples
    --------
    >>> chain = Chain()
    >>> chain.dense(np.ones((2, 1), np.float32))
    >>> chain.scale(3.0, 1.0)
    >>> chain.activate("relu")
    >>> chain.model().predict([[1.0, 2.0], [-5.0, 0.0]])
    array([[10.],
           [ 0.]], dtype=float32)
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
        self._take(W)
        if not self._computes():
            self._settle()
        bias = None if B is None else B.reshape(-1)
        if self._pending is not None:  # (x f + s) W + B = x (f W) + (s W + B)
            factor, shift = self._pending
            bias = shift @ W.astype(np.float64) + (0.0 if bias is None else bias)
            W, self._pending = factor[:, np.newaxis] * W, None
        layer = layer or Dense(n_units)
        layer.use_bias = bias is not None
        self._append(layer, [W] if bias is None else [W, bias])

    def scale(self, factor: Any, shift: Any = 0.0) -> None:
        """Append ``x * factor + shift``, each a number or one number a column.

        Raises
        ------
        FormatError
            They are not finite, or not as many as there are columns.
        """
        try:
            given = np.broadcast_arrays(np.float64(factor), np.float64(shift), np.empty(self.width or 1))
        except ValueError:
            shapes = f"{np.shape(factor)} and {np.shape(shift)}"
            raise FormatError(
                f"a scaling of {self.width} columns has numbers of the shapes {shapes}"
            ) from None
        if given[0].ndim != 1 or not np.isfinite(given[:2]).all():
            raise FormatError("a scaling by columns has one finite number a column, here it has others")
        if self.width is None and not (np.ndim(factor) or np.ndim(shift)):
            raise FormatError("the input's width is not known where its columns are scaled")
        self._meet(given[0].size)
        scaling = Scaling(given[0], given[1])
        if self._pending is not None:
            scaling = self._pending.then(scaling)
        last, arrays = self._layers[-1] if self._layers else (None, [])
        if self._pending is None and isinstance(last, Dense) and last.activation.name == "linear":
            W, bias = arrays if last.use_bias else (arrays[0], 0.0)
            last.use_bias = True
            arrays[:] = [W * scaling.factor, bias * scaling.factor + scaling.shift]
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

    def add(self, layer: Layer, arrays: Sequence[Array] = (), n_in: int | None = None) -> None:
        """Append a layer that is neither dense nor a dropout, not built yet, with its weights.

        ``n_in`` is the number of columns that it takes, where the layer is of a certain width.
        """
        if n_in is not None:
            self._meet(n_in)
        self._settle()
        self._append(layer, list(arrays))

    def model(self, name: str = "sequential") -> Sequential:
        """Return the network.

        Raises
        ------
        FormatError
            The input's width was never told, or a layer's weights are not its.
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
            width = layer.n_units or width
        layers = [layer for layer, _ in self._layers]
        return Sequential([Input((self.n_in,)), *layers], name, dtype=self.dtype)

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

    def _take(self, W: Array) -> None:
        """Count a dense layer's weights."""
        if self._limit is not None:
            self._limit -= W.nbytes
            if self._limit < 0:
                raise FormatError("its weights are more than the file holds")

    def _fill(self, layer: Layer, n_in: int, arrays: Sequence[Array]) -> None:
        wanted = layer.weight_shapes(n_in)
        if [array.shape for array in arrays] != list(wanted.values()):
            shapes = ", ".join(f"{name} {shape}" for name, shape in wanted.items()) or "no weights"
            raise FormatError(f"it has {shapes}; there are arrays of {[array.shape for array in arrays]}")
        kinds = [layer.weight_dtypes.get(name, self.dtype) for name in wanted]
        layer.restore(n_in, [np.array(array, kind) for array, kind in zip(arrays, kinds, strict=True)])

    def _append(self, layer: Layer, arrays: list[Array]) -> None:
        self._layers.append((layer, arrays))
        self.width = layer.n_units or self.width

    def _meet(self, n_in: int | None) -> None:
        """Take note of the columns that a step takes; FormatError where others come in."""
        if self.width is None:
            self.width = self.n_in = n_in
        elif self.width != n_in:
            raise FormatError(f"it takes {n_in} columns, but {self.width} come in")

    def _computes(self) -> bool:
        """Whether anything yet changes what comes in."""
        return any(not isinstance(layer, Dropout) for layer, _ in self._layers)

    def _settle(self) -> None:
        """Give a scaling that nothing could take in a layer of its own."""
        if self._pending is None:
            return
        (factor, shift), self._pending = self._pending, None
        if ((factor > 0) & (factor <= _LARGEST_FACTOR)).all():
            statistics: list[Array] = [-shift / factor, factor**-2.0, np.zeros((), np.int32)]
            self._append(Normalization(), statistics)
        elif len(factor) <= _WIDEST_DIAGONAL:
            self._append(Dense(len(factor)), [np.diag(factor), shift])
        else:
            raise FormatError(
                f"a scaling of {len(factor)} columns by such numbers has no dense layer "
                "next to it to be folded into"
            )
