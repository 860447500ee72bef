"""Which activation a few elementwise operators make: found by what they compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.activations import ActivationFunction
from fastdense.core.curves import CURVES, Foreign
from fastdense.core.curves import Curve as Record
from fastdense.exchange.curves import Curve, recognised
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import Node
from fastdense.exchange.onnx.tensors import FLOATS

__all__ = ["OPERATIONS", "constants_of", "curve_of"]

Array = NDArray[Any]


def curve_of(graph: Graph, nodes: Sequence[Node], source: str, tolerance: float) -> Curve | None:
    """Return the curve that some nodes make of ``source``, within a tolerance; None if it is not known."""
    if not all(node.op in OPERATIONS for node in nodes):
        return None
    return recognised(lambda z: _evaluate(graph, nodes, source, z), _numbers(graph, nodes), tolerance)


def constants_of(graph: Graph, nodes: Sequence[Node]) -> list[Array]:
    """Return the constants that some nodes take."""
    names = {name for node in nodes for name in node.inputs if name and graph.is_constant(name)}
    return [graph.constant(name) for name in sorted(names)]


def _numbers(graph: Graph, nodes: Sequence[Node]) -> list[float]:
    """Return all numbers that stand in some nodes and may be thresholds."""
    attributes = [value for node in nodes for value in node.attributes.values() if isinstance(value, float)]
    return [*(float(constant.reshape(-1)[0]) for constant in constants_of(graph, nodes)), *attributes]


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


def _named(curve: Record, operator: Foreign) -> Callable[..., Any]:
    """Return an operator that is one of our activations."""
    return lambda attributes, x: ActivationFunction(curve.name, curve.alpha_of(operator, attributes))(x)


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


def _selu(attributes: dict[str, Any], x: Array) -> Any:
    alpha, gamma = attributes.get("alpha", 1.67326319), attributes.get("gamma", 1.05070102)
    return gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _swish(attributes: dict[str, Any], x: Array) -> Any:
    return x * ActivationFunction("sigmoid")(attributes.get("alpha", 1.0) * x)


def _of_two(operation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda attributes, a, b: operation(a, b)


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{curve.onnx.name: _named(curve, curve.onnx) for curve in CURVES.values() if curve.onnx},
    "Abs": lambda attributes, x: np.abs(x),
    "Add": _of_two(np.add),
    "Cast": _cast,
    "Clip": _clip,
    "Div": _of_two(np.divide),
    "Erf": lambda attributes, x: np.vectorize(math.erf, [np.float64])(x),
    "Exp": lambda attributes, x: np.exp(x),
    "Gelu": _gelu,
    "Greater": _of_two(np.greater),
    "GreaterOrEqual": _of_two(np.greater_equal),
    "HardSigmoid": _hard_sigmoid,
    "Identity": lambda attributes, x: x,
    "Less": _of_two(np.less),
    "LessOrEqual": _of_two(np.less_equal),
    "Log": lambda attributes, x: np.log(x),
    "Max": lambda attributes, *x: np.max(np.broadcast_arrays(*x), axis=0),
    "Min": lambda attributes, *x: np.min(np.broadcast_arrays(*x), axis=0),
    "Mul": _of_two(np.multiply),
    "Neg": lambda attributes, x: -x,
    "PRelu": _of_two(lambda x, slope: np.where(x < 0, slope * x, x)),
    "Pow": _of_two(np.power),
    "Reciprocal": lambda attributes, x: 1.0 / x,
    "Selu": _selu,
    "Sqrt": lambda attributes, x: np.sqrt(x),
    "Sub": _of_two(np.subtract),
    "Sum": lambda attributes, *x: sum(x),
    "Swish": _swish,
    "ThresholdedRelu": lambda attributes, x: np.where(x > attributes.get("alpha", 1.0), x, 0.0),
    "Where": lambda attributes, condition, a, b: np.where(condition, a, b),
}
"""Operators that take each number by itself, in float64; those of one activation by its own formula."""
