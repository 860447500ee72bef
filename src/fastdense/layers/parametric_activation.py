"""The layer that blends each number with its activation, by shares that it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import activations, initializers, regularizers
from fastdense.core.parameters import Converted, parameter
from fastdense.core.spec import Factors, ParametricActivationSpec
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer
from fastdense.layers.dense import Activation as Given
from fastdense.layers.dense import Penalised, Start, decay_factor, penalised, penalty_of, rate_factor, start

__all__ = ["ParametricActivation"]

Array = NDArray[Any]


def _curve(name: str, value: Any) -> activations.ActivationFunction:
    found = activations.get(value)
    if found.name in ("linear", "softmax"):
        raise ValueError(
            f"ParametricActivation blends each number with an activation of that number: {name} must be one "
            f"such as 'mish', 'selu' or 'relu', got {found.name!r}"
        )
    return found


@FAMILY.add()
class ParametricActivation(Layer):
    """``x + alpha * (g(x) - x)``, with a trained share ``alpha`` of the activation ``g`` per column.

    It is computed as ``(1 - alpha) * x + alpha * g(x)``: a share of 1 gives ``g(x)``, one of 0 gives ``x``,
    even if the other of the two is infinite. NaN passes through. The layer stands after a linear `Dense`.

    References
    ----------
    Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", 2024, who multiply the learning rate of ``alpha`` by 0.1.

    Examples
    --------
    >>> import fastdense as fd
    >>> model = fd.Sequential([fd.layers.ParametricActivation("relu", input_shape=(2,))])
    >>> model.set_weights([[1.0, 0.25]])
    >>> model.predict([[-4.0, -4.0]])
    array([[ 0., -3.]], dtype=float32)
    """

    activation: Converted[Given, activations.ActivationFunction] = parameter(
        _curve, "``g``, of one number: neither linear nor a softmax.", kind="str or ActivationFunction"
    )
    alpha_initializer: Converted[Start, initializers.Initializer] = start("Draws the first shares.", "ones")
    alpha_regularizer: Converted[Penalised, regularizers.Regularizer | None] = penalised(
        "The penalty on the shares."
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE
    _: KW_ONLY
    alpha_rate_factor: float = rate_factor("alpha")
    alpha_decay_factor: float = decay_factor("alpha")

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of the shares."""
        return {"alpha": (n_in,)}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Draw the shares."""
        return [self.alpha_initializer((n_in,), dtype, rng)]

    def spec(self, stream: int) -> ParametricActivationSpec:
        """Return the width and the activation, and how training treats the shares."""
        assert self.n_in is not None
        factors = Factors(self.alpha_rate_factor, self.alpha_decay_factor)
        return ParametricActivationSpec(
            self.n_in, self.activation.spec, penalty_of(self.alpha_regularizer), factors
        )
