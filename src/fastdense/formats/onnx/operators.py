"""The operators that a dense network is made of: what each appends to the chain.

A step is ``(graph, chain, node, source)``: the node's input ``source`` comes from the network, the others are
constants. A `FormatError` says what about the node does not fit; the reader adds which node it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FormatError
from fastdense.formats.chain import Chain
from fastdense.formats.onnx.graph import Graph, Node
from fastdense.network.activations import ActivationFunction

__all__ = ["DOUBLE", "STEPS", "limit"]

Array = NDArray[Any]
Step = Callable[[Graph, Chain, Node, str], None]

_NO_LIMIT = 3e38  # written as the largest float32 too
DOUBLE = 11
_FLOATS = (1, 10, DOUBLE, 16)  # onnx.TensorProto's numbers of float32, float16, float64 and bfloat16


def _gemm(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """``alpha * A @ B + beta * C``, B transposed or not."""
    attributes = node.attributes
    rows, weights, *bias = node.inputs
    if rows != source or attributes.get("transA"):
        raise FormatError("only its A may come from the network, and not transposed")
    W = graph.constant(weights)
    W = W.T if attributes.get("transB") else W
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    B = _row(graph.constant(bias[0])) if bias and bias[0] else None
    if B is not None and W.ndim == 2:
        B = np.broadcast_to(B, W.shape[1]) if B.size == 1 else B
        B = B if beta == 1.0 else B * B.dtype.type(beta)
    chain.dense(W if alpha == 1.0 else W * W.dtype.type(alpha), B)


def _matmul(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    if node.inputs[0] != source:
        raise FormatError("the rows must be its first factor, and the weights its second")
    chain.dense(graph.constant(node.inputs[1]))


def _row(array: Array) -> Array:
    """Return a constant that is one number, or one number a column."""
    if array.ndim and array.size != array.shape[-1]:
        raise FormatError(f"its constant has the shape {array.shape}, which is not one number a column")
    return array.reshape(-1)


def _arithmetic(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """Addition, subtraction, product or quotient with a constant: a scaling by columns."""
    first = node.inputs[0] == source
    constant = np.float64(_row(graph.constant(node.inputs[1] if first else node.inputs[0])))
    match node.op:
        case "Add":
            chain.scale(1.0, constant)
        case "Sub":
            chain.scale(1.0 if first else -1.0, -constant if first else constant)
        case "Mul":
            chain.scale(constant)
        case "Div" if first:
            with np.errstate(all="ignore"):  # what is not finite is refused
                chain.scale(1.0 / constant)
        case _:
            raise FormatError("a constant divided by what comes from the network is no dense layer's")


def _batch_normalization(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    if node.attributes.get("training_mode"):
        raise FormatError("it is in training mode, in which rows change each other's outputs")
    names = node.inputs[1:5]
    scale, shift, mean, variance = (np.float64(_row(graph.constant(name))) for name in names)
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    chain.scale(factor, shift - mean * factor)


def _scaler(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """``(x - offset) * scale``, from scikit-learn's scalers."""
    factor = np.float64(node.attributes.get("scale", [1.0]))
    chain.scale(factor, -np.float64(node.attributes.get("offset", [0.0])) * factor)


def _dropout(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """Nothing in use; the rate is kept for training."""
    inputs = [name for name in node.inputs[1:] if name]
    if len(node.inputs) > 2 and node.inputs[2] and graph.constant(node.inputs[2]).any():
        raise FormatError("it is in training mode, in which outputs are random")
    rate = float(graph.constant(inputs[0])) if inputs else node.attributes.get("ratio", 0.5)
    chain.dropout(rate)


def _cast(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    if node.attributes.get("to") not in _FLOATS:
        raise FormatError("it turns what comes from the network into something else than floats")


def _flatten(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    if node.attributes.get("axis", 1) not in (1, -1):
        raise FormatError("it makes another shape of the matrix")


def _reshape(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    shape = [int(size) for size in graph.constant(node.inputs[1]).reshape(-1)]
    rows = next(iter(graph.inputs.values())).rows
    same_rows, same_columns = {0, -1, rows or 0}, {0, -1, chain.width or -1}
    if len(shape) != 2 or shape == [-1, -1] or shape[0] not in same_rows or shape[1] not in same_columns:
        raise FormatError(f"it makes another shape of the matrix, {shape}")


def _transpose(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    if node.attributes.get("perm") != [0, 1]:
        raise FormatError("it transposes what comes from the network")


def _nothing(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """Let everything through."""


def _softmax(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    default = -1 if graph.version >= 13 else 1
    if node.attributes.get("axis", default) not in (1, -1):
        raise FormatError("it works along the rows of the batch")
    chain.activate("softmax")


def _clip(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    names = [*node.inputs[1:], "", ""][:2]
    given = [graph.constant(name) if name else None for name in names]
    defaults = (node.attributes.get("min", -np.inf), node.attributes.get("max", np.inf))
    pairs = zip(given, defaults, strict=True)
    low, high = (default if value is None else float(value.reshape(())) for value, default in pairs)
    limit(chain, low, high)


def limit(chain: Chain, low: float, high: float) -> None:
    """Append ``min(max(x, low), high)`` as a rectifier between two scalings."""
    is_low, is_high = low > -_NO_LIMIT, high < _NO_LIMIT
    if not low < high:
        raise FormatError(f"its limits are {low:g} and {high:g}")
    if is_low and is_high:
        _between(chain, 6.0 / (high - low), -6.0 * low / (high - low), "relu6", (high - low) / 6.0, low)
    elif is_low:
        _between(chain, 1.0, -low, "relu", 1.0, low)
    elif is_high:
        _between(chain, -1.0, high, "relu", -1.0, high)


def _scaled(name: str, default: float, inner: Callable[[float], float]) -> Step:
    """Return the step of an activation ``g(s x) / s``, ``s`` of its attribute ``alpha``."""

    def step(graph: Graph, chain: Chain, node: Node, source: str) -> None:
        alpha = node.attributes.get("alpha", default)
        if not alpha > 0:
            raise FormatError(f"its alpha must be positive, here it is {alpha:g}")
        _between(chain, inner(alpha), 0.0, name, 1.0 / inner(alpha), 0.0)

    return step


def _hard_sigmoid(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """``max(0, min(1, alpha x + beta))``; ours has an alpha of 1/6 and a beta of 1/2."""
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    _between(chain, 6.0 * alpha, 6.0 * (beta - 0.5), "hard_sigmoid", 1.0, 0.0)


def _leaky_relu(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """Take any slope, that of a straight line too, which `curve_of` takes for no activation."""
    chain.activate(ActivationFunction("leaky_relu", node.attributes.get("alpha", 0.01)))


def _selu(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    """``gamma * elu(x)``, where the constants are not those of the paper."""
    alpha, gamma = node.attributes.get("alpha", 1.67326319), node.attributes.get("gamma", 1.05070102)
    chain.activate(ActivationFunction("elu", alpha))
    chain.scale(gamma)


def _negative(graph: Graph, chain: Chain, node: Node, source: str) -> None:
    chain.scale(-1.0)


def _between(chain: Chain, factor: float, shift: float, name: str, factor_2: float, shift_2: float) -> None:
    """Append ``g(x * factor + shift) * factor_2 + shift_2``."""
    if (factor, shift) != (1.0, 0.0):
        chain.scale(factor, shift)
    chain.activate(name)
    if (factor_2, shift_2) != (1.0, 0.0):
        chain.scale(factor_2, shift_2)


STEPS: dict[str, Step] = {
    "Add": _arithmetic,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Celu": _scaled("elu", 1.0, lambda alpha: 1.0 / alpha),
    "Clip": _clip,
    "Div": _arithmetic,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "HardSigmoid": _hard_sigmoid,
    "Identity": _nothing,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "Mul": _arithmetic,
    "Neg": _negative,
    "Reshape": _reshape,
    "Selu": _selu,
    "Softmax": _softmax,
    "Sub": _arithmetic,
    "Swish": _scaled("silu", 1.0, lambda alpha: alpha),
    "Transpose": _transpose,
    "ai.onnx.ml.Scaler": _scaler,
}
"""What single operators append; those that are one activation as they stand are found by `curve_of`."""
