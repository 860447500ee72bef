"""The layer that leaks what is below zero, by slopes that it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import initializers, regularizers
from fastdense.core.parameters import Converted
from fastdense.core.spec import Factors, PReLUSpec
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer
from fastdense.layers.dense import Penalised, Start, decay_factor, penalised, penalty_of, rate_factor, start

__all__ = ["PReLU"]

Array = NDArray[Any]


@FAMILY.add()
class PReLU(Layer):
    """``x`` above zero and ``alpha * x`` below, with a trained slope ``alpha`` per column.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving deep into rectifiers: surpassing human-level performance on ImageNet
    classification", 2015. They start the slopes at 0.25, ``alpha_initializer=initializers.Constant(0.25)``.
    """

    alpha_initializer: Converted[Start, initializers.Initializer] = start("Draws the first slopes.", "zeros")
    alpha_regularizer: Converted[Penalised, regularizers.Regularizer | None] = penalised(
        "The penalty on the slopes."
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE
    _: KW_ONLY
    alpha_rate_factor: float = rate_factor("alpha")
    alpha_decay_factor: float = decay_factor("alpha")

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of the slopes."""
        return {"alpha": (n_in,)}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Draw the slopes."""
        return [self.alpha_initializer((n_in,), dtype, rng)]

    def spec(self, stream: int) -> PReLUSpec:
        """Return the width, and how training treats the slopes."""
        assert self.n_in is not None
        factors = Factors(self.alpha_rate_factor, self.alpha_decay_factor)
        return PReLUSpec(self.n_in, penalty_of(self.alpha_regularizer), factors)
