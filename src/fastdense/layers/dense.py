"""The dense layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import activations, initializers, regularizers
from fastdense.core.checks import flag, whole
from fastdense.core.spec import DenseSpec, Penalty
from fastdense.errors import NotBuiltError
from fastdense.layers.base import FAMILY, Layer

__all__ = ["Dense"]

Array = NDArray[Any]


@FAMILY.add()
class Dense(Layer):
    """A dense (fully connected) layer: ``A_out = g(A_in @ W + B)``.

    Parameters
    ----------
    units : int
        Columns of the output.
    activation : str or ActivationFunction, optional
        ``g``; None is linear. A softmax's groups must have ``units`` columns in all.
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
    name : str, optional
    input_shape : tuple of one int, optional
        ``(n_in,)``, for a first layer without an `Input` before it.
    input_dim : int, optional
        ``n_in`` alone: says the same, and counts where both are given.

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
        activation: object = "linear",
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
    def dtype(self) -> str | None:
        """The kernel's dtype; None until there is one."""
        return str(self._arrays[0].dtype) if self._arrays else None

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

    def check_input(self, n_in: int) -> None:
        """Raise ShapeError also if the activation's groups do not have as many columns as there are units."""
        super().check_input(n_in)
        self.activation.check_columns(self.units, f"layer {self.name!r}")

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the kernel and the bias."""
        bias: dict[str, tuple[int, ...]] = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (n_in, self.units), **bias}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Draw the kernel, then the bias."""
        kernel = self.kernel_initializer((n_in, self.units), dtype, rng)
        return [kernel, self.bias_initializer((self.units,), dtype, rng)] if self.use_bias else [kernel]

    def spec(self, stream: int) -> DenseSpec:
        """Return the sizes, activation and penalties."""
        assert self.n_in is not None
        kernel, bias = (
            Penalty() if regularizer is None else regularizer.penalty
            for regularizer in (self.kernel_regularizer, self.bias_regularizer)
        )
        return DenseSpec(self.n_in, self.units, self.activation.spec, self.use_bias, kernel, bias)
