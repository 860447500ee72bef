"""Which activation a few elementwise operators make: found by computing both on the same numbers.

Exporters write one activation in many ways: SiLU as ``x * Sigmoid(x)``, GELU as a division, an Erf, an
addition and two products in one order or another, ReLU6 as a Clip or as a Min of a Max. The numbers that come
out tell which it is, whatever the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.formats.onnx.graph import Graph, Node
from fastdense.network.activations import ActivationFunction
from fastdense.spec import ACTIVATIONS, DEFAULT_ALPHA

__all__ = ["Limits", "curve_of"]

Array = NDArray[Any]

# Densely where activations bend; and far out, where a line and a limit part.
_NEAR = np.concatenate([np.linspace(-12.0, 12.0, 193), [-80.0, -40.0, -20.0, 20.0, 40.0, 80.0]])
_FAR = np.array([-1e8, -1e4, -300.0, 300.0, 1e4, 1e8])
# Constants are float32 in most files: 1 / sqrt(2) is off by 2e-8 then, and the curve by less than 1e-6.
_TOLERANCE = 1e-6


class Limits(NamedTuple):
    """``min(max(x, low), high)``, one of them infinite perhaps."""

    low: float
    high: float


def curve_of(graph: Graph, nodes: Sequence[Node], source: str) -> ActivationFunction | Limits | None:
    """Return what some nodes make of each number of ``source``; None where that is nothing known."""
    if not all(node.op in OPERATIONS for node in nodes):
        return None
    near, far = _evaluate(graph, nodes, source, _NEAR), _evaluate(graph, nodes, source, _FAR)
    if near is None or far is None:
        return None
    with np.errstate(all="ignore"):
        for curve in _candidates(near, far):
            function = (
                partial(np.clip, a_min=curve.low, a_max=curve.high) if isinstance(curve, Limits) else curve
            )
            if _agrees(near, function(_NEAR)) and _agrees(far, function(_FAR), excused=~np.isfinite(far)):
                return curve
    return None


def _candidates(near: Array, far: Array) -> Iterator[ActivationFunction | Limits]:
    """Yield the curves that it may be, their parameters read off at -1, at -80 and at both ends."""
    for name in ACTIVATIONS:
        if name not in {"softmax", "linear", *DEFAULT_ALPHA}:
            yield ActivationFunction(name)
    slope, limit = -float(near[88]), -float(near[193])  # exp(-80) is 0
    if 0.0 <= slope < math.inf and abs(slope - 1.0) > _TOLERANCE:
        yield ActivationFunction("leaky_relu", slope)
    if 0.0 <= limit < math.inf:
        yield ActivationFunction("elu", limit)
    low = float(far[0]) if far[0] != _FAR[0] else -math.inf
    high = float(far[-1]) if far[-1] != _FAR[-1] else math.inf
    if low < high and (math.isfinite(low) or math.isfinite(high)):
        yield Limits(low, high)


def _agrees(found: Array, expected: Array, excused: Any = False) -> bool:
    """Whether the numbers are the expected ones; those that a naive formula overflows at may be excused."""
    close = np.abs(found - expected) <= _TOLERANCE * np.maximum(1.0, np.abs(expected))
    return bool((close | excused).all())


def _evaluate(graph: Graph, nodes: Sequence[Node], source: str, z: Array) -> Array | None:
    values: dict[str, Any] = {source: z}
    for node in nodes:
        arguments = []
        for name in node.inputs:
            if name and graph.is_constant(name):
                constant = graph.constant(name)
                if constant.size != 1:
                    return None
                values[name] = constant.reshape(-1)[0].astype(np.float64)
            arguments.append(values.get(name))
        try:
            with np.errstate(all="ignore"):
                values[node.outputs[0]] = OPERATIONS[node.op](node.attributes, *arguments)
        except (TypeError, ValueError):  # of inputs or attributes that the operator does not have
            return None
    result = np.asarray(values[nodes[-1].outputs[0]], np.float64)
    return result if result.shape == z.shape else None


def _named(name: str, **defaults: float) -> Callable[..., Any]:
    """Return an operator that is one of our activations, its ``alpha`` an attribute with a default."""
    return lambda attributes, x: ActivationFunction(
        name, *(attributes.get(key, value) for key, value in defaults.items())
    )(x)


def _clip(attributes: dict[str, Any], x: Array, low: Any = None, high: Any = None) -> Any:
    low = attributes.get("min", -math.inf) if low is None else low
    high = attributes.get("max", math.inf) if high is None else high
    return np.minimum(np.maximum(x, low), high)


def _gelu(attributes: dict[str, Any], x: Array) -> Array:
    name = "gelu_tanh" if attributes.get("approximate") == "tanh" else "gelu"
    return ActivationFunction(name)(x)


def _hard_sigmoid(attributes: dict[str, Any], x: Array) -> Any:
    alpha, beta = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    return np.clip(alpha * x + beta, 0.0, 1.0)


def _celu(attributes: dict[str, Any], x: Array) -> Any:
    alpha = attributes.get("alpha", 1.0)
    return np.maximum(x, 0.0) + np.minimum(alpha * np.expm1(np.minimum(x, 0.0) / alpha), 0.0)


def _selu(attributes: dict[str, Any], x: Array) -> Any:
    alpha, gamma = attributes.get("alpha", 1.67326319), attributes.get("gamma", 1.05070102)
    return gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _swish(attributes: dict[str, Any], x: Array) -> Any:
    return x * ActivationFunction("sigmoid")(attributes.get("alpha", 1.0) * x)


def _of_two(operation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda attributes, a, b: operation(a, b)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "Abs": lambda attributes, x: np.abs(x),
    "Add": _of_two(np.add),
    "Cast": lambda attributes, x: np.asarray(x, np.float64),
    "Celu": _celu,
    "Clip": _clip,
    "Div": _of_two(np.divide),
    "Elu": _named("elu", alpha=1.0),
    "Erf": lambda attributes, x: np.vectorize(math.erf, [np.float64])(x),
    "Exp": lambda attributes, x: np.exp(x),
    "Gelu": _gelu,
    "Greater": _of_two(np.greater),
    "GreaterOrEqual": _of_two(np.greater_equal),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _named("hard_silu"),
    "Identity": lambda attributes, x: x,
    "LeakyRelu": _named("leaky_relu", alpha=0.01),
    "Less": _of_two(np.less),
    "LessOrEqual": _of_two(np.less_equal),
    "Log": lambda attributes, x: np.log(x),
    "Max": lambda attributes, *x: np.max(np.broadcast_arrays(*x), axis=0),
    "Min": lambda attributes, *x: np.min(np.broadcast_arrays(*x), axis=0),
    "Mish": _named("mish"),
    "Mul": _of_two(np.multiply),
    "Neg": lambda attributes, x: -x,
    "PRelu": _of_two(lambda x, slope: np.where(x < 0, slope * x, x)),
    "Pow": _of_two(np.power),
    "Reciprocal": lambda attributes, x: 1.0 / x,
    "Relu": _named("relu"),
    "Selu": _selu,
    "Sigmoid": _named("sigmoid"),
    "Softplus": _named("softplus"),
    "Softsign": _named("softsign"),
    "Sqrt": lambda attributes, x: np.sqrt(x),
    "Sub": _of_two(np.subtract),
    "Sum": lambda attributes, *x: sum(x),
    "Swish": _swish,
    "Tanh": _named("tanh"),
    "ThresholdedRelu": lambda attributes, x: np.where(x > attributes.get("alpha", 1.0), x, 0.0),
    "Where": lambda attributes, condition, a, b: np.where(condition, a, b),
}
"""Operators that take each number by itself, in float64; those of one activation by its own formula."""
