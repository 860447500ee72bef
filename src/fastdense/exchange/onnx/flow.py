"""The rows on their way through a graph: the chain's columns, and the axes on which the file has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.onnx.shapes import Shape, Sizes
from fastdense.exchange.picking import Picking
from fastdense.exchange.scaling import Scaling
from fastdense.layers import Activation, Dense

__all__ = ["Flow"]

# Ways within ways, and the nodes on all of them: scikit-learn's pipelines have two or three, of some dozens.
_DEEPEST, _MOST_STEPS = 8, 20_000


class Flow(Picking):
    """A chain whose columns are, in order, the numbers of one example in the file's value.

    Parameters
    ----------
    shape : sequence of int or None, optional
        Of the graph's input, None for a size that the file leaves open; None as a whole is a matrix. The
        first axis is the rows', unless it is the only one or 1: then the value is one example.
    dtype, limit
        As of `Chain`.

    Attributes
    ----------
    shape : tuple of int
        Of the value that the chain has come to; see `Sizes` for sizes below 0.
    has_rows : bool
        Whether the first axis is the rows'.
    shapes : dict of str to tuple of int
        Of the file's values on the way, by their names.
    logarithms : bool
        Whether the file's value is the logarithm of what the chain computes.
    """

    def __init__(self, shape: Sequence[int | None] | None, dtype: str, limit: int) -> None:
        given = (None, None) if shape is None else tuple(shape)
        self.sizes = Sizes()
        self.has_rows = len(given) > 1 and given[0] != 1
        self.shape: Shape = tuple(self.sizes.open() if size is None else size for size in given)
        self.shapes: dict[str, Shape] = {}
        self.logarithms = False
        self._depth, self._steps = 0, _MOST_STEPS
        super().__init__(self.columns, dtype, limit)

    @property
    def example(self) -> Shape:
        """The sizes of one example's axes."""
        return self.shape[self.has_rows :]

    @property
    def columns(self) -> int | None:
        """How many numbers an example has, None if that is not known."""
        return math.prod(self.example) if min(self.example, default=1) > 0 else None

    def one_by_one(self, *constants: Array) -> None:
        """Check that constants of one number each leave the shape as it is."""
        if any(constant.ndim > len(self.shape) for constant in constants):
            raise FormatError("a constant of more axes than the rows have gives them more")

    def by_column(self, constant: Array) -> Array:
        """Return a constant that is combined with the value, as one number or one per column.

        Raises
        ------
        FormatError
            It differs by rows, or makes another shape of the value.
        """
        if constant.size == 1:
            self.one_by_one(constant)
            return constant.reshape(()).astype(np.float64)
        target = (1,) * self.has_rows + self.example
        if self.columns is None:
            target = target[:-1] + constant.shape[-1:]
            self._learn(target[self.has_rows :])
        fits = constant.ndim <= len(target) and all(
            size in (1, wanted) for size, wanted in zip(constant.shape[::-1], target[::-1], strict=False)
        )
        if not fits:
            raise FormatError(
                f"its constant has the shape {constant.shape}, which is not one number per column"
            )
        self._take(8 * math.prod(target))
        return np.broadcast_to(constant, target).reshape(-1).astype(np.float64)

    def product(self, W: Array, first: bool = True, B: Array | None = None) -> None:
        """Append the matrix product of the value with weights, or of weights with it (not ``first``)."""
        if W.ndim > max(2, len(self.shape)) or math.prod(W.shape[:-2]) != 1:
            raise FormatError(f"its weights are not a matrix, their shape is {W.shape}")
        W = W.reshape(W.shape[-2:])
        if first:
            self._contract(len(self.shape) - 1, W.reshape(len(W), -1), B, keep=W.ndim == 2)
        elif W.ndim == 2 and len(self.shape) == 1:
            self._contract(0, W.T)
        elif W.ndim == 2 and len(self.example) > 1 and self.example[-1] == 1:
            self._contract(len(self.shape) - 2, W.T)
        else:
            raise FormatError("the rows must be its first factor, and the weights its second")

    def _contract(self, axis: int, W: Array, B: Array | None = None, keep: bool = True) -> None:
        """Append a product over one axis, which holds all numbers of an example."""
        self.check_columns_axis(axis, "the product")
        self.dense(W, B)
        self.shape = (*self.shape[:axis], *((W.shape[1],) if keep else ()), *self.shape[axis + 1 :])

    def check_columns_axis(self, axis: int, what: str) -> int:
        """Return the place of an axis; FormatError unless it holds all the numbers of an example."""
        place = axis + len(self.shape) if axis < 0 else axis
        if not self.has_rows <= place < len(self.shape):
            raise FormatError(f"{what} is along the rows of the batch, which change each other's outputs")
        others = [size for i, size in enumerate(self.shape) if i >= self.has_rows and i != place]
        if any(size != 1 for size in others):
            raise FormatError(f"{what} is along one of several axes, of the shape {self.readable()}")
        return place

    def adds_up_to_one(self) -> bool:
        """Return True if the columns are probabilities of which one holds."""
        layer, arrays = self._layers[-1] if self._layers and self._pending is None else (None, [])
        if self._picked is not None or not isinstance(layer, Dense | Activation):
            return False
        curve = layer.activation
        opposite = len(arrays) == 2 and all(a.shape[-1] == 2 and not a.sum(axis=-1).any() for a in arrays)
        return (curve.name == "softmax" and not curve.groups) or (curve.name == "sigmoid" and opposite)

    def both_classes(self) -> None:
        """Append ``[1 - p, p]``; see `Chain.with_opposites`."""
        place = self.check_columns_axis(-1, "the joint")
        self.with_opposites()
        self.shape = (*self.shape[:place], 2 * self.shape[place])

    def seen(self, trial: int) -> dict[str, Shape]:
        """Return the shapes of the file's values so far, in a trial."""
        return {name: self.sizes.concrete(shape, trial) for name, shape in self.shapes.items()}

    def reshape(self, target: Callable[[Shape, int], Shape]) -> None:
        """Give the same numbers other axes: ``target(shape, trial)`` is the new shape for a concrete one."""
        new = [target(self.sizes.concrete(self.shape, trial), trial) for trial in (0, 1)]
        before = [math.prod(self.sizes.concrete(self.example, trial)) for trial in (0, 1)]
        found = self.sizes.recognised(new)
        if found is None or (self.has_rows and found[:1] != self.shape[:1]):
            made = ", ".join(str(a) if a == b else "?" for a, b in zip(*new, strict=False))
            raise FormatError(f"it makes another shape of the rows: {self.readable()} becomes ({made})")
        if [math.prod(one[self.has_rows :]) for one in new] != before:
            raise FormatError("it changes how many numbers a row has")
        self.shape = found

    def pick(self, operation: Callable[[Array], Array], growth: int = 1) -> None:
        """Append a choice of columns: ``operation`` is what is done to the value, for all rows alike.

        It makes the value at most ``growth`` times as large.

        Raises
        ------
        FormatError
            It changes the rows, or the columns are not known.
        """
        if self.columns is None:
            raise FormatError("it chooses columns of an input whose size the file leaves open")
        self._take(8 * self.columns * (1 + growth))
        places = np.arange(self.columns).reshape((1,) * self.has_rows + self.example)
        found = operation(places)
        if self.has_rows and found.shape[:1] != (1,):
            raise FormatError("it moves the rows of the batch to another axis")
        if not found.size:
            raise FormatError("it chooses no columns")
        self.shape = self.shape[: self.has_rows] + found.shape[self.has_rows :]
        chosen = found.reshape(-1)
        if not np.array_equal(chosen, places.reshape(-1)):
            self.choose(chosen)

    def branch(self, steps: int) -> Flow:
        """Return a flow that starts with the value that this one has come to, for some nodes to follow.

        Raises
        ------
        FormatError
            The input's size is open, or ways branch again and again: each is followed by itself.
        """
        given = [size if size >= 0 else None for size in self.shape]
        if self.columns is None or self._limit is None:
            raise FormatError("it goes several ways from an input whose size the file leaves open")
        branch = Flow(given, self.dtype, self._limit)
        branch._depth, branch._steps = self._depth + 1, self._steps - steps - 1
        if branch._depth > _DEEPEST or branch._steps < 0:
            raise FormatError("its ways branch again and again")
        return branch

    def account(self, branch: Flow) -> None:
        """Count the bytes and nodes that a branch takes."""
        self._limit, self._steps = branch._limit, branch._steps

    def scaling(self) -> tuple[Array, Array, Array] | None:
        """Return the columns that are chosen, with a factor and a shift each; None if there are layers."""
        if self._layers or self.columns is None:
            return None
        columns = np.arange(self.width or 0) if self._picked is None else self._picked
        scaling = self._pending or Scaling.of(1.0, 0.0, self.width or 0)
        return columns, scaling.factor[columns], scaling.shift[columns]

    def only_layer(self) -> tuple[Dense, Array, Array | None] | None:
        """Return the dense layer that is all there is so far, its weights and bias; None if there is more."""
        if len(self._layers) != 1 or self._pending is not None or self._picked is not None:
            return None
        layer, arrays = self._layers[0]
        return (layer, arrays[0], arrays[1] if layer.use_bias else None) if isinstance(layer, Dense) else None

    def _learn(self, example: Shape) -> None:
        """Take over the sizes of an example, which were open."""
        self._meet(math.prod(example))
        self.shape = self.shape[: self.has_rows] + tuple(example)

    def readable(self) -> str:
        """Return the shape as people write it."""
        return f"({', '.join('?' if size < 0 else str(size) for size in self.shape)})"
