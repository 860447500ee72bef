"""Which activation a few elementwise operators make: found by computing both on the same numbers.

Exporters write one activation in many ways: SiLU as ``x * Sigmoid(x)``, GELU as a division, an Erf, an
addition and two products in one order or another, ReLU6 as a Clip or as a Min of a Max. The numbers that come
out tell which it is, whatever the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastdense.formats.onnx.graph import Graph
from fastdense.formats.onnx.operations import Node
from fastdense.formats.onnx.tensors import FLOATS
from fastdense.network.activations import ActivationFunction
from fastdense.spec import ACTIVATIONS, DEFAULT_ALPHA

__all__ = ["OPERATIONS", "Curve", "Limits", "constants_of", "curve_of"]

Array = NDArray[Any]

# Densely where activations bend, down to small numbers; and far out, where a line and a limit part. The first
# two tell a slope below 0 and the limit of an exponential.
_SMALL, _LARGE = np.logspace(-8, 2, 241), np.logspace(2.1, 30, 57)
_PROBES = np.concatenate([[-1.0, -80.0], np.linspace(-12, 12, 1537), _SMALL, -_SMALL, _LARGE, -_LARGE])
_FAR = 100.0
# Around each constant of the nodes, where one that is a threshold would make a jump.
_BESIDE = np.array([1 - 1e-3, 1 - 1e-5, 1.0, 1 + 1e-5, 1 + 1e-3])


class Limits(NamedTuple):
    """``min(max(x, low), high)``, one of them infinite perhaps."""

    low: float
    high: float

    def __call__(self, x: Array) -> Array:
        """Return the limited numbers."""
        return np.clip(x, self.low, self.high)


Curve: TypeAlias = ActivationFunction | Limits


def curve_of(graph: Graph, nodes: Sequence[Node], source: str, tolerance: float) -> Curve | None:
    """Return what some nodes make of each number of ``source``; None where that is nothing known.

    The curve must be within ``tolerance`` of what the nodes compute, both of its value and of its argument:
    constants are float32 in most files, and 1 / sqrt(2) is off by 2e-8 there.
    """
    if not all(node.op in OPERATIONS for node in nodes):
        return None
    found = _evaluate(graph, nodes, source, _PROBES)
    if found is None:
        return None
    beside = np.outer([*(constants := _constants(graph, nodes)), *(-c for c in constants)], _BESIDE).ravel()
    for curve in _candidates(found):
        expected, bound = _expected(curve, tolerance)
        if _agrees(_PROBES, found, expected, bound):
            further = _evaluate(graph, nodes, source, beside)
            if further is not None and _agrees(beside, further, *_with_bound(curve, beside, tolerance)):
                return curve
    return None


def _candidates(found: Array) -> Iterator[Curve]:
    """Yield the curves that it may be, their parameters read off what was found."""
    yield from _WITHOUT_PARAMETER
    slope, limit = -float(found[0]), -float(found[1])
    if 0.0 <= slope < math.inf and abs(slope - 1.0) > 1e-6:  # 1: a straight line
        yield ActivationFunction("leaky_relu", slope)
    if 0.0 <= limit < math.inf:
        yield ActivationFunction("elu", limit)
    lowest, highest = found[-1], found[-1 - len(_LARGE)]
    low = float(lowest) if lowest == found[-9] else -math.inf
    high = float(highest) if highest == found[-9 - len(_LARGE)] else math.inf
    if low < high and (math.isfinite(low) or math.isfinite(high)):
        yield Limits(low, high)


_WITHOUT_PARAMETER = tuple(
    ActivationFunction(name) for name in ACTIVATIONS if name not in {"softmax", "linear", *DEFAULT_ALPHA}
)
_of_probes: dict[tuple[str, float], tuple[Array, Array]] = {}


def _expected(curve: Curve, tolerance: float) -> tuple[Array, Array]:
    """Return a curve's values at the probes, and how far off others may be; those of a name are kept."""
    if curve not in _WITHOUT_PARAMETER:
        return _with_bound(curve, _PROBES, tolerance)
    key = curve.name, tolerance
    if key not in _of_probes:
        _of_probes[key] = _with_bound(curve, _PROBES, tolerance)
    return _of_probes[key]


def _with_bound(curve: Curve, z: Array, tolerance: float) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        expected = curve(z)
        spread = np.abs(curve(z * (1.0 + tolerance)) - curve(z * (1.0 - tolerance)))
        rounding = 16 * np.finfo(np.float64).eps * (1.0 + np.abs(z))  # a naive formula's, in float64
        return expected, tolerance * np.abs(expected) + np.nan_to_num(spread, nan=0.0) + rounding


def _agrees(z: Array, found: Array, expected: Array, bound: Array) -> bool:
    """Whether the numbers are the expected ones; far out, a naive formula may have overflown."""
    with np.errstate(all="ignore"):
        close = (np.abs(found - expected) <= bound) | (found == expected)
    return bool((close | ((np.abs(z) > _FAR) & ~np.isfinite(found))).all())


def constants_of(graph: Graph, nodes: Sequence[Node]) -> list[Array]:
    """Return the constants that some nodes take."""
    names = {name for node in nodes for name in node.inputs if name and graph.is_constant(name)}
    return [graph.constant(name) for name in sorted(names)]


def _constants(graph: Graph, nodes: Sequence[Node]) -> list[float]:
    """Return all numbers that stand in some nodes and may be thresholds."""
    attributes = [value for node in nodes for value in node.attributes.values() if isinstance(value, float)]
    numbers = [*(float(constant.reshape(-1)[0]) for constant in constants_of(graph, nodes)), *attributes]
    return [number for number in numbers if math.isfinite(number)]


def _evaluate(graph: Graph, nodes: Sequence[Node], source: str, z: Array) -> Array | None:
    values: dict[str, Any] = {source: z}
    for node in nodes:
        arguments = []
        for name in node.inputs:
            if name and graph.is_constant(name):
                constant = graph.constant(name)
                if constant.size != 1:  # of how many axes, the flow knows
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


def _cast(attributes: dict[str, Any], x: Any) -> Any:
    if attributes.get("to") not in FLOATS:
        raise ValueError("only floats stay what they are")
    return np.asarray(x, np.float64)


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
    "Cast": _cast,
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
