"""The layers of a network: what they are called, what they hold, and what the engines are told of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastdense import engines
from fastdense.checks import as_array, finite, flag, fraction, whole
from fastdense.config import Configurable, Family
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.network import activations, initializers, regularizers
from fastdense.shapes import check_product
from fastdense.spec import ActivateSpec, DenseSpec, DropoutSpec, LayerSpec, NetworkSpec, Penalty, ScaleSpec
from fastdense.streams import WEIGHTS, generator, new_seed

__all__ = [
    "ELU",
    "Activation",
    "Dense",
    "Dropout",
    "Input",
    "Layer",
    "LeakyReLU",
    "Normalization",
    "ReLU",
    "Softmax",
]

Array = NDArray[Any]

_stamps = itertools.count()


class Input:
    """The width of a network's input, given as the first of its layers.

    Parameters
    ----------
    shape : tuple of one int
        ``(n_in,)``: the columns of ``X``.
    name : str, optional
        Accepted for scripts that give one; inputs are not named here.
    """

    def __init__(self, shape: Sequence[int], name: str | None = None) -> None:
        self.n_in = _width(shape)
        self.name = name

    def __repr__(self) -> str:
        return f"Input(({self.n_in},))"


class Layer(Configurable):
    """Base of the layers.

    Attributes
    ----------
    name : str or None
        None until the layer joins a model, which then names it.
    n_in : int or None
        Columns of the input, None until known.
    """

    default_name: ClassVar[str]
    _skipped = frozenset({"input_shape", "input_dim"})

    def __init__(self, name: str | None, input_shape: Sequence[int] | None = None) -> None:
        if name is not None and not str(name):
            raise TypeError(f"a layer's name must be a string of at least one character, got {name!r}")
        self.name = name
        self.declared_n_in = None if input_shape is None else _width(input_shape)
        self.n_in: int | None = None
        self._arrays: tuple[Array, ...] = ()
        self.stamp = next(_stamps)

    @property
    def built(self) -> bool:
        """Whether the layer knows its input and has its weights."""
        return self.n_in is not None

    @property
    def n_units(self) -> int | None:
        """Columns of the output; None until known."""
        return self.n_in

    @property
    def trainable(self) -> bool:
        """Always true: layers cannot be frozen."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise ValueError(f"layer {self.name!r}: freezing layers is not supported, they all train")

    @property
    def weights(self) -> list[Array]:
        """The layer's arrays, read-only and not copied; `set_weights` replaces them."""
        return list(self._arrays)

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the names and shapes of the arrays for an input of ``n_in`` columns, in order."""
        return {}

    def build(self, n_in: int, rng: np.random.Generator, dtype: str = "float32") -> None:
        """Create the weights for inputs of ``n_in`` columns."""
        if self.declared_n_in not in (None, n_in):
            raise ShapeError(
                f"layer {self.name!r} was declared with input_shape=({self.declared_n_in},), but its input "
                f"has {n_in} columns"
            )
        self.n_in = n_in

    def get_weights(self) -> list[Array]:
        """Return copies of the layer's arrays."""
        return [array.copy() for array in self._arrays]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace the layer's arrays.

        Raises
        ------
        ShapeError
            There are more or fewer arrays than the layer has, or a shape differs; nothing is changed.
        """
        if not self.built:
            raise NotBuiltError(f"layer {self.name!r} has no weights yet: its input width is not known")
        if len(weights) != len(self._arrays):
            raise ShapeError(
                f"layer {self.name!r} has {len(self._arrays)} arrays of weights, got {len(weights)}"
            )
        new = []
        for name, old, value in zip(self.weight_shapes(self.n_in or 0), self._arrays, weights, strict=True):
            array = np.asarray(value) if old.dtype.kind == "i" else as_array(name, value, str(old.dtype))
            if array.shape != old.shape:
                hint = ": pass its transpose" if array.T.shape == old.shape else ""
                raise ShapeError(
                    f"layer {self.name!r}: {name} has shape {old.shape}, got an array of {array.shape}{hint}"
                )
            new.append(array.astype(old.dtype, copy=True))
        self._hold(new)

    def count_params(self) -> int:
        """Return how many numbers the layer's weights hold."""
        return sum(array.size for array in self._arrays)

    def spec(self, stream: int) -> LayerSpec:
        """Return what the engines are told; ``stream`` is the layer's place in its model."""
        raise TypeError(f"{type(self).__name__} does not compute: use one of its subclasses")

    def parameters(self) -> tuple[Array, ...]:
        """Return the arrays that go with `spec`."""
        return self._arrays

    def adopt(self, parameters: Sequence[Array]) -> None:
        """Take over trained parameters, in the order of `parameters`."""

    def __call__(self, X: ArrayLike) -> Array:
        """Return the layer's output for a matrix, one example a row, as in prediction."""
        A_in = as_array("X", X, str(self._arrays[0].dtype) if self._arrays else "float32")
        if A_in.ndim != 2:
            raise ShapeError(f"a layer is called on a matrix, one example a row; got shape {A_in.shape}")
        if not self.built:
            self.build(A_in.shape[1], generator(new_seed(), WEIGHTS))
        assert self.n_in is not None
        check_product(
            "X", A_in.shape, "W", (self.n_in, self.n_units or self.n_in), owner=f"layer {self.name!r}"
        )
        network = NetworkSpec(self.n_in, (self.spec(0),), str(A_in.dtype))
        output: Array = engines.choose().compile(network, [self.parameters()]).predict(A_in)
        return output

    def restore(self, n_in: int, arrays: Sequence[Array]) -> None:
        """Build the layer with arrays of the shapes that `weight_shapes` gives; they are not copied."""
        Layer.build(self, n_in, generator(0, WEIGHTS))
        self._hold(arrays)

    def _hold(self, arrays: Sequence[Array]) -> None:
        for array in arrays:
            array.flags.writeable = False
        self._arrays = tuple(arrays)
        self.stamp = next(_stamps)


FAMILY: Family[Layer] = Family("layer")


@FAMILY.add()
class Dense(Layer):
    """A dense (fully connected) layer: ``A_out = g(A_in @ W + B)``.

    Parameters
    ----------
    units : int
        Columns of the output.
    activation : str or ActivationFunction, optional
        ``g``; None is linear.
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
    name : str, optional
    input_shape : tuple of one int, optional
        ``(n_in,)``, for a first layer without an `Input` before it; ``input_dim=n_in`` says the same.

    Attributes
    ----------
    kernel : array of shape (n_in, units)
        ``W``, one unit a column.
    bias : array of shape (units,) or None
        ``B``.
    """

    default_name = "dense"

    def __init__(
        self,
        units: int,
        activation: object = None,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        bias_initializer: object = "zeros",
        kernel_regularizer: object = None,
        bias_regularizer: object = None,
        name: str | None = None,
        input_shape: Sequence[int] | None = None,
        input_dim: int | None = None,
    ) -> None:
        super().__init__(name, input_shape if input_dim is None else (input_dim,))
        self.units = whole("units", units, 1)
        self.activation = activations.get(activation)
        self.use_bias = flag("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    @property
    def n_units(self) -> int:
        """Columns of the output."""
        return self.units

    @property
    def kernel(self) -> Array:
        """``W``, of shape (n_in, units), read-only."""
        if not self.built:
            raise NotBuiltError(f"layer {self.name!r} has no kernel yet: its input width is not known")
        return self._arrays[0]

    @property
    def bias(self) -> Array | None:
        """``B``, of shape (units,), read-only; None where the layer has none."""
        return self._arrays[1] if len(self._arrays) > 1 else None

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the kernel and the bias."""
        bias: dict[str, tuple[int, ...]] = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (n_in, self.units), **bias}

    def build(self, n_in: int, rng: np.random.Generator, dtype: str = "float32") -> None:
        """Draw the kernel, then the bias."""
        super().build(n_in, rng, dtype)
        arrays = [self.kernel_initializer((n_in, self.units), dtype, rng)]
        if self.use_bias:
            arrays.append(self.bias_initializer((self.units,), dtype, rng))
        self._hold(arrays)

    def spec(self, stream: int) -> DenseSpec:
        """Return the sizes, activation and penalties."""
        assert self.n_in is not None
        kernel, bias = (
            Penalty() if regularizer is None else regularizer.penalty
            for regularizer in (self.kernel_regularizer, self.bias_regularizer)
        )
        return DenseSpec(self.n_in, self.units, self.activation.spec, self.use_bias, kernel, bias)

    def adopt(self, parameters: Sequence[Array]) -> None:
        """Take over a trained kernel and bias."""
        self._hold([np.asarray(p) for p in parameters])


@FAMILY.add()
class Activation(Layer):
    """An activation as a layer of its own: ``A_out = g(A_in)``.

    After a linear `Dense` it costs nothing: the two are computed as one.

    Parameters
    ----------
    activation : str or ActivationFunction
    name : str, optional
    input_shape : tuple of one int, optional
    """

    default_name = "activation"

    def __init__(
        self, activation: object, name: str | None = None, input_shape: Sequence[int] | None = None
    ) -> None:
        super().__init__(name, input_shape)
        self.activation = activations.get(activation)

    def spec(self, stream: int) -> ActivateSpec:
        """Return the activation."""
        assert self.n_in is not None
        return ActivateSpec(self.n_in, self.activation.spec)


@FAMILY.add()
class ReLU(Activation):
    """``Activation("relu")``."""

    default_name = "re_lu"

    def __init__(self, name: str | None = None) -> None:
        super().__init__("relu", name)


@FAMILY.add()
class LeakyReLU(Activation):
    """``x`` above zero and ``negative_slope * x`` below; as a layer its slope is 0.3, as in Keras."""

    default_name = "leaky_re_lu"

    def __init__(self, negative_slope: float = 0.3, name: str | None = None) -> None:
        super().__init__(activations.ActivationFunction("leaky_relu", negative_slope), name)
        self.negative_slope = negative_slope


@FAMILY.add()
class ELU(Activation):
    """``x`` above zero and ``alpha * (exp(x) - 1)`` below."""

    default_name = "elu"

    def __init__(self, alpha: float = 1.0, name: str | None = None) -> None:
        super().__init__(activations.ActivationFunction("elu", alpha), name)
        self.alpha = alpha


@FAMILY.add()
class Softmax(Activation):
    """``Activation("softmax")``: each row becomes probabilities."""

    default_name = "softmax"

    def __init__(self, name: str | None = None) -> None:
        super().__init__("softmax", name)


@FAMILY.add()
class Dropout(Layer):
    """In training, zero each input with probability ``rate`` and scale the others by ``1 / (1 - rate)``.

    Parameters
    ----------
    rate : float
        At least 0 and below 1.
    name : str, optional
    input_shape : tuple of one int, optional

    References
    ----------
    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """

    default_name = "dropout"

    def __init__(
        self, rate: float, name: str | None = None, input_shape: Sequence[int] | None = None
    ) -> None:
        super().__init__(name, input_shape)
        self.rate = fraction("rate", rate)

    def spec(self, stream: int) -> DropoutSpec:
        """Return the rate and the stream of the masks."""
        assert self.n_in is not None
        return DropoutSpec(self.n_in, self.rate, stream)


@FAMILY.add()
class Normalization(Layer):
    """Centre and scale each column: ``A_out = (A_in - mean) / sqrt(variance)``, by statistics of the data.

    Parameters
    ----------
    axis : -1
        Columns are normalised one by one; the parameter is here for scripts that give it.
    mean, variance : array-like of shape (n_in,) or number, optional
        Given together, they stand in place of `adapt`.
    name : str, optional
    input_shape : tuple of one int, optional

    Notes
    -----
    As in Keras, `get_weights` gives the mean, the variance and a count that is always 0.
    """

    default_name = "normalization"
    _epsilon = 1e-7  # Keras' backend.epsilon(): a constant column becomes 0, not NaN

    def __init__(
        self,
        axis: int = -1,
        mean: object = None,
        variance: object = None,
        name: str | None = None,
        input_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(name, input_shape)
        if axis not in (-1, 1):
            raise ValueError(f"Normalization works on the columns of a matrix: axis must be -1, got {axis!r}")
        if (mean is None) != (variance is None):
            raise ValueError("Normalization: give mean and variance together, or neither and call adapt")
        self.axis = -1
        self.mean = _statistics("mean", mean)
        self.variance = _statistics("variance", variance)

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the three arrays; none where the statistics were given."""
        return {"mean": (n_in,), "variance": (n_in,), "count": ()} if self.mean is None else {}

    def build(self, n_in: int, rng: np.random.Generator, dtype: str = "float32") -> None:
        """Start from mean 0 and variance 1, unless adapted already."""
        if self.built and self.n_in != n_in:
            raise ShapeError(
                f"layer {self.name!r} was adapted to {self.n_in} columns but its input has {n_in}"
            )
        super().build(n_in, rng, dtype)
        if self.mean is None:
            mean, variance = self._arrays[:2] or (np.zeros(n_in), np.ones(n_in))
            self._hold([mean.astype(dtype), variance.astype(dtype), np.zeros((), np.int32)])

    def adapt(self, data: ArrayLike) -> None:
        """Take each column's mean and variance from a matrix, one example a row.

        Raises
        ------
        ShapeError
            ``data`` is not a matrix with at least one row.
        NonFiniteError
            It holds NaN or infinity.
        """
        if self.mean is not None:
            raise ValueError(
                f"layer {self.name!r} was given its mean and variance: there is nothing to adapt"
            )
        X = as_array("data", data, "float64")
        if X.ndim != 2 or not len(X):
            raise ShapeError(
                f"adapt takes a matrix of at least one row, one example a row; got shape {X.shape}"
            )
        finite("data", X)
        dtype = str(self._arrays[0].dtype) if self._arrays else "float32"
        self.build(X.shape[1], generator(0, WEIGHTS), dtype)
        self._hold([X.mean(axis=0).astype(dtype), X.var(axis=0).astype(dtype), np.zeros((), np.int32)])

    def spec(self, stream: int) -> ScaleSpec:
        """Return the width."""
        assert self.n_in is not None
        return ScaleSpec(self.n_in)

    def parameters(self) -> tuple[Array, ...]:
        """Return the mean and the standard deviation."""
        assert self.n_in is not None
        mean, variance = self._arrays[:2] if self.mean is None else (self.mean, self.variance)
        shape = (self.n_in,)
        for name, value in (("mean", mean), ("variance", variance)):
            if np.ndim(value) and np.shape(value) != shape:
                raise ShapeError(
                    f"layer {self.name!r}: {name} has shape {np.shape(value)}, its input {shape}"
                )
        deviation = np.maximum(np.sqrt(variance), self._epsilon)
        return np.broadcast_to(mean, shape), np.broadcast_to(deviation, shape)


def _statistics(name: str, value: object) -> Any:
    """Return a number or a list of numbers, as JSON can hold them, checked; None stays None."""
    if value is None:
        return None
    array = as_array(name, value, "float64")
    finite(name, np.atleast_1d(array))
    if array.ndim > 1 or (name == "variance" and (array < 0).any()):
        raise ValueError(
            f"Normalization: {name} must be a number or one number a column, variances not negative"
        )
    return array.tolist()


def _width(shape: Sequence[int] | int) -> int:
    """Return ``n`` of an input shape ``(n,)``."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if len(sizes) != 1:
        raise ShapeError(
            f"an input shape is (n_in,), the columns of X, got {sizes}: flatten each example to a row first"
        )
    return whole("the width of an input shape", sizes[0], 1)
