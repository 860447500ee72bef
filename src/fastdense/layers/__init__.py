"""All layers by name: those that hold no weights are here, the others have files of their own."""

from __future__ import annotations

from collections.abc import Sequence

from fastdense import activations
from fastdense.core.absent import Absent, stand_in
from fastdense.core.checks import fraction, number
from fastdense.core.spec import ActivateSpec, DropoutSpec
from fastdense.layers.base import FAMILY, Input, Layer
from fastdense.layers.dense import Dense
from fastdense.layers.normalization import Normalization
from fastdense.layers.rescaling import Rescaling

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
    "Rescaling",
    "Softmax",
]


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
    """``Activation("relu")``: ``max(x, 0)``.

    Parameters
    ----------
    name : str, optional
    """

    default_name = "re_lu"

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

    default_name = "leaky_re_lu"

    def __init__(self, negative_slope: float = 0.3, name: str | None = None) -> None:
        self.negative_slope = number("negative_slope", negative_slope, minimum=0.0)
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

    default_name = "elu"

    def __init__(self, alpha: float = 1.0, name: str | None = None) -> None:
        self.alpha = number("alpha", alpha, minimum=0.0)
        super().__init__(activations.ActivationFunction("elu", self.alpha), name)


@FAMILY.add()
class Softmax(Activation):
    """``Activation("softmax")``: each row becomes probabilities.

    Parameters
    ----------
    name : str, optional
    """

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


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
