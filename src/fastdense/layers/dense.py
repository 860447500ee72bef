"""The dense layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

import numpy as np

from fastdense import activations, initializers, regularizers
from fastdense.core.arrays import Array
from fastdense.core.checks import flag, from_one, from_zero
from fastdense.core.parameters import Converted, parameter
from fastdense.core.spec import DenseSpec, Factors, Penalty
from fastdense.errors import NotBuiltError
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer

__all__ = ["Dense", "Penalised", "Start", "penalised", "penalty_of", "start"]

Description = dict[str, Any]
Activation = str | activations.ActivationFunction | Description | None
Start = str | initializers.Initializer | Description
Penalised = str | regularizers.Regularizer | Description | None


def start(meaning: str, default: str) -> Any:
    """Return the declaration of what draws an array's first values."""
    return parameter(
        lambda _, value: initializers.get(value), meaning, default=default, kind="str or Initializer"
    )


def penalised(meaning: str) -> Any:
    """Return the declaration of an array's penalty."""
    return parameter(
        lambda _, value: regularizers.get(value), meaning, default=None, kind="str or Regularizer"
    )


def penalty_of(regularizer: regularizers.Regularizer | None) -> Penalty:
    """Return a penalty as engines take it."""
    return Penalty() if regularizer is None else regularizer.penalty


def rate_factor(array: str) -> Any:
    """Return the declaration of what an array's learning rate is multiplied by."""
    meaning = f"At least 0: multiplies the optimizer's learning rate for ``{array}``."
    return parameter(from_zero, meaning, default=1.0, later=True)


def decay_factor(array: str) -> Any:
    """Return the declaration of what an array's weight decay is multiplied by."""
    meaning = f"At least 0: multiplies the optimizer's weight decay for ``{array}``."
    return parameter(from_zero, meaning, default=1.0, later=True)


@FAMILY.add()
class Dense(Layer):
    """A dense (fully connected) layer: ``A_out = g(A_in @ W + B)``.

    Attributes
    ----------
    kernel : array of shape (n_in, units)
        ``W``, one unit per column.
    bias : array of shape (units,) or None
        ``B``.
    """

    units: int = parameter(from_one, "Columns of the output.")
    activation: Converted[Activation, activations.ActivationFunction] = parameter(
        lambda _, value: activations.get(value),
        "``g``; None is linear. A softmax's groups must have ``units`` columns in all.",
        default="linear",
        kind="str, ActivationFunction or None",
    )
    use_bias: bool = parameter(flag, "Whether ``B`` is added.", default=True)
    kernel_initializer: Converted[Start, initializers.Initializer] = start(
        "Draws the first ``W``.", "glorot_uniform"
    )
    bias_initializer: Converted[Start, initializers.Initializer] = start("Draws the first ``B``.", "zeros")
    kernel_regularizer: Converted[Penalised, regularizers.Regularizer | None] = penalised(
        "The penalty on ``W``."
    )
    bias_regularizer: Converted[Penalised, regularizers.Regularizer | None] = penalised(
        "The penalty on ``B``."
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE
    input_dim: InitVar[int | None] = parameter(
        lambda _, n_in: n_in, "``n_in`` alone; it counts if both are given.", default=None, kind="int"
    )

    _: KW_ONLY
    kernel_rate_factor: float = rate_factor("W")
    bias_rate_factor: float = rate_factor("B")
    kernel_decay_factor: float = decay_factor("W")
    bias_decay_factor: float = decay_factor("B")

    def __post_init__(self, input_shape: Sequence[int] | None = None, input_dim: int | None = None) -> None:
        super().__post_init__(input_shape if input_dim is None else (input_dim,))

    @property
    def n_units(self) -> int:
        """Columns of the output."""
        return self.units

    def units_for(self, n_in: int) -> int:
        """Return ``units``."""
        return self.units

    @property
    def kernel(self) -> Array:
        """``W``, of shape (n_in, units), read-only."""
        if not self.built:
            raise NotBuiltError(f"layer {self.name!r} has no kernel yet: its input width is not known")
        return self.arrays[0]

    @property
    def bias(self) -> Array | None:
        """``B``, of shape (units,), read-only; None if the layer has none."""
        return self.arrays[1] if len(self.arrays) > 1 else None

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
        """Return the sizes and the activation, and how training treats the arrays."""
        assert self.n_in is not None
        return DenseSpec(
            self.n_in,
            self.units,
            self.activation.spec,
            self.use_bias,
            penalty_of(self.kernel_regularizer),
            penalty_of(self.bias_regularizer),
            Factors(self.kernel_rate_factor, self.kernel_decay_factor),
            Factors(self.bias_rate_factor, self.bias_decay_factor),
        )
