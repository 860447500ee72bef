"""The activations, one record each: all that engines and file formats must know of one beside its formula.

A new activation is a record here, its definition in `fastdense.reference.curves`, its vectorised form in
`fastdense.array.activations`, a line in the native kernels' list, and a name in `fastdense.activations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = ["CURVES", "SELU_ALPHA", "SELU_SCALE", "Curve", "Foreign"]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
"""The fixed point of Klambauer et al. (2017), "Self-Normalizing Neural Networks", equation 14."""


class Foreign(NamedTuple):
    """What another library calls an activation: a class or operator, and its settings.

    Attributes
    ----------
    name : str
    settings : mapping
        Those that make it this activation.
    alpha : str
        The setting that is the activation's parameter, if it has one.
    default : float, optional
        What the parameter is if it is not set; None if it is our default.
    """

    name: str
    settings: Mapping[str, Any] = MappingProxyType({})
    alpha: str = "alpha"
    default: float | None = None


@dataclass(frozen=True)
class Curve:
    """An activation ``a = g(z)``.

    Attributes
    ----------
    name : str
    keras : tuple of str
        Keras' names of the function; none if it is an operation with settings.
    onnx : Foreign, optional
        The operator; None if it takes several.
    torch : Foreign
        The class, in ``torch.nn`` or `fastdense.formats.torch.modules`.
    c : str, optional
        The body of a C function of ``z`` (and ``alpha``), or the name of a function in ``math.h``; ``$f`` is
        the suffix of the type. None if no function of one number computes it.
    steepest : float
        The largest slope, if ``alpha`` is at most 1: how much of the largest error in ``z`` reaches ``a``.
    kinks : tuple of float
        Where the first or second derivative jumps.
    alpha : float, optional
        The default of its parameter, which is Keras'; None if it has no parameter.
    divides : bool
        Whether the parameter divides, and so cannot be 0.
    synonyms : tuple of str
        The other names that `fastdense.activations` takes.
    keras_layer : Foreign, optional
        Keras' layer, for settings that a name alone does not give.
    keras_operation : Foreign, optional
        The operation of ``keras.ops`` for these, if there is no such layer.
    """

    name: str
    keras: tuple[str, ...]
    onnx: Foreign | None
    torch: Foreign
    c: str | None
    steepest: float = 1.0
    kinks: tuple[float, ...] = ()
    alpha: float | None = None
    divides: bool = False
    synonyms: tuple[str, ...] = ()
    keras_layer: Foreign | None = None
    keras_operation: Foreign | None = None

    def settings(self, foreign: Foreign, alpha: float) -> dict[str, Any]:
        """Return the settings of another library's activation, with ``alpha`` if it has a parameter."""
        return {**foreign.settings, **({} if self.alpha is None else {foreign.alpha: alpha})}

    def alpha_of(self, foreign: Foreign, settings: Mapping[str, Any]) -> float | None:
        """Return the parameter that another library's settings make; None if the activation has none."""
        default = self.alpha if foreign.default is None else foreign.default
        return None if self.alpha is None else settings.get(foreign.alpha, default)


_ALL = (
    Curve("linear", ("linear",), Foreign("Identity"), Foreign("Identity"), None, synonyms=("identity",)),
    Curve(
        "sigmoid",
        ("sigmoid",),
        Foreign("Sigmoid"),
        Foreign("Sigmoid"),
        "const $real decay = exp$f(-fabs$f(z));\nreturn (z < 0 ? decay : 1) / (1 + decay);",
        steepest=0.25,
    ),
    Curve("tanh", ("tanh",), Foreign("Tanh"), Foreign("Tanh"), "tanh$f"),
    Curve("relu", ("relu",), Foreign("Relu"), Foreign("ReLU"), "return z <= 0 ? 0 : z;", kinks=(0.0,)),
    Curve(
        "leaky_relu",
        ("leaky_relu",),
        Foreign("LeakyRelu", default=0.01),
        Foreign("LeakyReLU", alpha="negative_slope"),
        "return z > 0 ? z : alpha * z;",
        kinks=(0.0,),
        alpha=0.2,
        synonyms=("leakyrelu",),
        keras_layer=Foreign("LeakyReLU", alpha="negative_slope"),
    ),
    Curve(
        "elu",
        ("elu",),
        Foreign("Elu"),
        Foreign("ELU"),
        "return z > 0 ? z : alpha * expm1$f(z);",
        kinks=(0.0,),
        alpha=1.0,
        keras_layer=Foreign("ELU"),
    ),
    Curve(
        "celu",
        ("celu",),
        Foreign("Celu"),
        Foreign("CELU"),
        "return z > 0 ? z : alpha * expm1$f(z / alpha);",
        kinks=(0.0,),
        alpha=1.0,
        divides=True,
        keras_operation=Foreign("Celu"),
    ),
    Curve(
        "selu",
        ("selu",),
        Foreign("Selu"),
        Foreign("SELU"),
        f"return {SELU_SCALE}$f * (z > 0 ? z : {SELU_ALPHA}$f * expm1$f(z));",
        steepest=1.7582,
        kinks=(0.0,),
    ),
    Curve(
        "gelu",
        ("gelu",),
        Foreign("Gelu"),
        Foreign("GELU"),
        "return times(z, erfc$f(z * -0.7071067811865476$f) / 2);",
        steepest=1.13,
    ),
    Curve(
        "gelu_tanh",
        (),
        Foreign("Gelu", {"approximate": "tanh"}),
        Foreign("GELU", {"approximate": "tanh"}),
        "return times(z, sigmoid(1.5957691216057308$f * (z + 0.044715$f * z * z * z)));",
        steepest=1.13,
        keras_operation=Foreign("Gelu", {"approximate": True}),
    ),
    Curve(
        "silu",
        ("silu", "swish"),
        None,
        Foreign("SiLU"),
        "return times(z, sigmoid(z));",
        steepest=1.1,
        synonyms=("swish",),
    ),
    Curve(
        "mish",
        ("mish",),
        Foreign("Mish"),
        Foreign("Mish"),
        "return times(z, tanh$f(softplus(z)));",
        steepest=1.09,
    ),
    Curve(
        "softplus",
        ("softplus",),
        Foreign("Softplus"),
        Foreign("Softplus"),
        "return (z > 0 ? z : 0) + log1p$f(exp$f(-fabs$f(z)));",
    ),
    Curve("exponential", ("exponential",), Foreign("Exp"), Foreign("Exponential"), "exp$f", steepest=inf),
    Curve(
        "relu6", ("relu6",), None, Foreign("ReLU6"), "return z <= 0 ? 0 : z > 6 ? 6 : z;", kinks=(0.0, 6.0)
    ),
    Curve(
        "hard_sigmoid",
        ("hard_sigmoid",),
        Foreign("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
        Foreign("Hardsigmoid"),
        "return relu6(z + 3) / 6;",
        steepest=1 / 6,
        kinks=(-3.0, 3.0),
    ),
    Curve(
        "hard_silu",
        ("hard_silu", "hard_swish"),
        Foreign("HardSwish"),
        Foreign("Hardswish"),
        "return times(z, hard_sigmoid(z));",
        steepest=1.5,
        kinks=(-3.0, 3.0),
        synonyms=("hard_swish",),
    ),
    Curve(
        "softsign",
        ("softsign",),
        Foreign("Softsign"),
        Foreign("Softsign"),
        "return fabs$f(z) > 1e30$f ? copysign$f(1, z) : z / (1 + fabs$f(z));",
        kinks=(0.0,),
    ),
    Curve(
        "softmax",
        ("softmax", "softmax_v2"),
        Foreign("Softmax", {"axis": -1}),
        Foreign("Softmax", {"dim": -1}),
        None,
        steepest=0.5,
    ),
)
CURVES = {curve.name: curve for curve in _ALL}
"""Every activation by its name."""
