"""All layers by name: those that hold no weights are here, the others have files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar

import numpy as np
from numpy.typing import NDArray

from fastdense import activations
from fastdense.core.absent import Absent, stand_in
from fastdense.core.checks import fraction, from_zero
from fastdense.core.parameters import Converted, parameter
from fastdense.core.spec import ActivateSpec, DropoutSpec
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Input, Layer
from fastdense.layers.category_embedding import CategoryEmbedding
from fastdense.layers.dense import Activation as Given
from fastdense.layers.dense import Dense
from fastdense.layers.feature_scale import FeatureScale
from fastdense.layers.layer_normalization import LayerNormalization
from fastdense.layers.normalization import Normalization
from fastdense.layers.parametric_activation import ParametricActivation
from fastdense.layers.periodic_embedding import PeriodicEmbedding
from fastdense.layers.prelu import PReLU
from fastdense.layers.rescaling import Rescaling
from fastdense.optimizers.scheduled import Scheduled, at_steps, scheduled

__all__ = [
    "ELU",
    "Activation",
    "CategoryEmbedding",
    "Dense",
    "Dropout",
    "FeatureScale",
    "Input",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "ParametricActivation",
    "PeriodicEmbedding",
    "ReLU",
    "Rescaling",
    "Softmax",
]


@FAMILY.add()
class Activation(Layer):
    """An activation as a layer of its own: ``A_out = g(A_in)``.

    After a linear `Dense` it costs nothing: the two are computed as one.
    """

    activation: Converted[Given, activations.ActivationFunction] = parameter(
        lambda _, value: activations.get(value), "``g``; None is linear.", kind="str or ActivationFunction"
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE

    def check_input(self, n_in: int) -> None:
        """Raise ShapeError also if the activation's groups do not have as many columns as the input."""
        super().check_input(n_in)
        self.activation.check_columns(n_in, f"layer {self.name!r}")

    def spec(self, stream: int) -> ActivateSpec:
        """Return the activation."""
        assert self.n_in is not None
        return ActivateSpec(self.n_in, self.activation.spec)


@FAMILY.add()
class ReLU(Activation):
    """``Activation("relu")``: ``max(x, 0)``."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("relu", name)


@FAMILY.add()
class LeakyReLU(Activation):
    """``x`` above zero and ``negative_slope * x`` below.

    Parameters
    ----------
    negative_slope : float, default 0.3
        At least 0. The layer's default is Keras' for layers; that of the activation "leaky_relu" is 0.2.
    name : str, optional

    References
    ----------
    Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """

    def __init__(self, negative_slope: float = 0.3, name: str | None = None) -> None:
        self.negative_slope = from_zero("negative_slope", negative_slope)
        super().__init__(activations.ActivationFunction("leaky_relu", self.negative_slope), name)


@FAMILY.add()
class ELU(Activation):
    """``x`` above zero and ``alpha * (exp(x) - 1)`` below.

    Parameters
    ----------
    alpha : float
        At least 0.
    name : str, optional

    References
    ----------
    Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units
    (ELUs)", 2016.
    """

    def __init__(self, alpha: float = 1.0, name: str | None = None) -> None:
        self.alpha = from_zero("alpha", alpha)
        super().__init__(activations.ActivationFunction("elu", self.alpha), name)


@FAMILY.add()
class Softmax(Activation):
    """``Activation("softmax")``: each row becomes probabilities."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("softmax", name)


@FAMILY.add()
class Dropout(Layer):
    """In training, zero each input with probability ``rate`` and scale the others by ``1 / (1 - rate)``.

    References
    ----------
    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """

    rate: Scheduled = parameter(
        scheduled(fraction),
        "At least 0 and below 1. A function is called with the step, counted from 0.",
        kind="float, LearningRateSchedule or function of the step",
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE

    def spec(self, stream: int) -> DropoutSpec:
        """Return the rate, the first one of a schedule, and the stream of the masks."""
        assert self.n_in is not None
        return DropoutSpec(self.n_in, self.first_rate, stream)

    @property
    def first_rate(self) -> float:
        """The rate of the first step."""
        return float(self.rates(0, 1)[0])

    def rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return the rates of ``steps`` steps from ``first_step`` on.

        Raises
        ------
        ValueError
            The schedule gives a rate below 0 or not below 1.
        """
        return at_steps("the dropout rate", self.rate, fraction, first_step, steps)


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
