"""The layer that multiplies each column by a factor that it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import initializers, regularizers
from fastdense.core.parameters import Converted
from fastdense.core.spec import Factors, FeatureScaleSpec
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer
from fastdense.layers.dense import Penalised, Start, decay_factor, penalised, penalty_of, rate_factor, start

__all__ = ["FeatureScale"]

Array = NDArray[Any]


@FAMILY.add()
class FeatureScale(Layer):
    """``A_in * scale``, with a trained factor ``scale`` per column.

    Before the first `Dense` it lets training turn whole features up and down, faster than through each of
    their weights: its learning rate may be a multiple of theirs. Where a factor is 0, so is the output, even
    for an infinite input; NaN passes through.

    References
    ----------
    Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", 2024, who multiply the learning rate of ``scale`` by 6.

    Examples
    --------
    >>> import fastdense as fd
    >>> model = fd.Sequential([fd.layers.FeatureScale(scale_rate_factor=6.0, input_shape=(2,))])
    >>> model.set_weights([[2.0, 0.5]])
    >>> model.predict([[1.0, -4.0]])
    array([[ 2., -2.]], dtype=float32)
    """

    scale_initializer: Converted[Start, initializers.Initializer] = start("Draws the first factors.", "ones")
    scale_regularizer: Converted[Penalised, regularizers.Regularizer | None] = penalised(
        "The penalty on the factors."
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE
    _: KW_ONLY
    scale_rate_factor: float = rate_factor("scale")
    scale_decay_factor: float = decay_factor("scale")

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of the factors."""
        return {"scale": (n_in,)}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Draw the factors."""
        return [self.scale_initializer((n_in,), dtype, rng)]

    def spec(self, stream: int) -> FeatureScaleSpec:
        """Return the width, and how training treats the factors."""
        assert self.n_in is not None
        factors = Factors(self.scale_rate_factor, self.scale_decay_factor)
        return FeatureScaleSpec(self.n_in, penalty_of(self.scale_regularizer), factors)
