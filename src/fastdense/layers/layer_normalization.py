"""The layer that centres and scales each row by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import initializers, regularizers
from fastdense.core.checks import above_zero, flag
from fastdense.core.parameters import Converted, parameter
from fastdense.core.spec import Factors, LayerNormSpec
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer
from fastdense.layers.dense import Penalised, Start, decay_factor, penalised, penalty_of, rate_factor, start

__all__ = ["LayerNormalization"]

Array = NDArray[Any]


def _axis(name: str, value: Any) -> int:
    if value not in (-1, 1):
        raise ValueError(
            f"LayerNormalization works along the rows of a matrix: axis must be -1, got {value!r}"
        )
    return -1


@FAMILY.add()
class LayerNormalization(Layer):
    """Centre and scale each row: ``(A_in - mean) / sqrt(variance + epsilon) * gamma + beta``.

    The mean and the variance are the row's own, in training and in prediction; ``gamma`` and ``beta``, one
    number per column each, are trained.

    References
    ----------
    Ba, Kiros and Hinton, "Layer normalization", 2016.
    """

    axis: int = parameter(_axis, "The columns, -1 or 1.", default=-1)
    epsilon: float = parameter(above_zero, "Added to the variance, above 0.", default=1e-3)
    center: bool = parameter(flag, "Whether ``beta`` is added.", default=True)
    scale: bool = parameter(flag, "Whether ``gamma`` multiplies.", default=True)
    beta_initializer: Converted[Start, initializers.Initializer] = start("Draws the first ``beta``.", "zeros")
    gamma_initializer: Converted[Start, initializers.Initializer] = start(
        "Draws the first ``gamma``.", "ones"
    )
    beta_regularizer: Converted[Penalised, regularizers.Regularizer | None] = penalised(
        "The penalty on ``beta``."
    )
    gamma_regularizer: Converted[Penalised, regularizers.Regularizer | None] = penalised(
        "The penalty on ``gamma``."
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE
    _: KW_ONLY
    gamma_rate_factor: float = rate_factor("gamma")
    beta_rate_factor: float = rate_factor("beta")
    gamma_decay_factor: float = decay_factor("gamma")
    beta_decay_factor: float = decay_factor("beta")

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of gamma and beta."""
        given = {"gamma": self.scale, "beta": self.center}
        return {name: (n_in,) for name, is_given in given.items() if is_given}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Draw gamma, then beta."""
        draw = {"gamma": self.gamma_initializer, "beta": self.beta_initializer}
        return [draw[name](shape, dtype, rng) for name, shape in self.weight_shapes(n_in).items()]

    def spec(self, stream: int) -> LayerNormSpec:
        """Return the width and the settings, and how training treats the arrays."""
        assert self.n_in is not None
        gamma, beta = penalty_of(self.gamma_regularizer), penalty_of(self.beta_regularizer)
        of_gamma = Factors(self.gamma_rate_factor, self.gamma_decay_factor)
        of_beta = Factors(self.beta_rate_factor, self.beta_decay_factor)
        return LayerNormSpec(self.n_in, self.epsilon, self.scale, self.center, gamma, beta, of_gamma, of_beta)
