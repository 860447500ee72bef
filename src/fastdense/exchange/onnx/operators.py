"""The operators that a dense network is made of: what each appends to the flow.

A step is ``(graph, flow, node, source)``: the node's input ``source`` comes from the network, the others are
constants. A `FormatError` says what about the node does not fit; the reader adds which node it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.activations import ActivationFunction
from fastdense.core.curves import CURVES, SELU_ALPHA, SELU_SCALE, Curve, Foreign
from fastdense.errors import FormatError
from fastdense.exchange.limits import between, limit
from fastdense.exchange.onnx.axes import AXES
from fastdense.exchange.onnx.classical import CLASSICAL
from fastdense.exchange.onnx.flow import Flow
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import Node
from fastdense.exchange.onnx.tensors import FLOATS
from fastdense.layers import LayerNormalization

__all__ = ["STEPS"]

Array = NDArray[Any]
Step = Callable[[Graph, Flow, Node, str], None]


def _gemm(graph: Graph, flow: Flow, node: Node, source: str) -> None:
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
        B = np.broadcast_to(B, W.shape[1]) if B.ndim == 0 else B
        B = B if beta == 1.0 else B * B.dtype.type(beta)
    if len(flow.shape) != 2:
        raise FormatError(f"it takes a matrix, but its input has the shape {flow.readable()}")
    flow.product(W if alpha == 1.0 else W * W.dtype.type(alpha), B=B)


def _matmul(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    is_first = node.inputs[0] == source
    flow.product(graph.constant(node.inputs[1 if is_first else 0]), is_first)


def _row(array: Array) -> Array:
    """Return a constant that is one number, without axes, or one number per column."""
    if array.ndim > 2 or (array.ndim and array.size != array.shape[-1]):
        raise FormatError(f"its constant has the shape {array.shape}, which is not one number per column")
    return array.reshape(() if array.size == 1 else -1)


def _arithmetic(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Addition, subtraction, product or quotient with a constant: a scaling by columns."""
    first = node.inputs[0] == source
    if len(graph.dynamic_inputs(node)) > 1:
        raise FormatError("it combines what comes from the network with itself")
    constant = flow.by_column(graph.constant(node.inputs[1] if first else node.inputs[0]))
    match node.op:
        case "Add":
            flow.scale(1.0, constant)
        case "Sub":
            flow.scale(1.0 if first else -1.0, -constant if first else constant)
        case "Mul":
            flow.scale(constant)
        case "Div" if first:
            with np.errstate(all="ignore"):  # what is not finite is refused
                flow.scale(1.0 / constant)
        case _:
            raise FormatError("it divides a constant by what comes from the network")


def _batch_normalization(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    if node.attributes.get("training_mode"):
        raise FormatError("it is in training mode, in which rows change each other's outputs")
    if graph.version < 14 and any(node.outputs[1:]):
        raise FormatError("it is in training mode, as its further outputs say")
    names = node.inputs[1:5]
    scale, shift, mean, variance = (np.float64(_row(graph.constant(name))) for name in names)
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    # One number per channel, which is the second axis; further ones share it.
    behind = (1,) * max(0, len(flow.shape) - 2)
    both = [np.atleast_1d(values) for values in (factor, shift - mean * factor)]
    flow.scale(*(flow.by_column(values.reshape(-1, *behind)) for values in both))


def _dropout(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Nothing in use; the rate is kept for training."""
    inputs = [name for name in node.inputs[1:] if name]
    if len(node.inputs) > 2 and node.inputs[2] and graph.constant(node.inputs[2]).any():
        raise FormatError("it is in training mode, in which outputs are random")
    rate = float(graph.constant(inputs[0])) if inputs else node.attributes.get("ratio", 0.5)
    flow.dropout(rate)


def _cast(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    if node.attributes.get("to") not in FLOATS:
        raise FormatError("it turns what comes from the network into something else than floats")


def _nothing(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Let everything through."""


def _softmax(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    _along_columns(graph, flow, node)
    flow.activate("softmax")


def _log_softmax(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Append a softmax, whose logarithm the file takes."""
    _softmax(graph, flow, node, source)
    flow.logarithms = True


def _exp(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    if flow.logarithms:
        flow.logarithms = False
    else:
        flow.activate("exponential")


def _along_columns(graph: Graph, flow: Flow, node: Node) -> None:
    """Check that a softmax is over all the columns of a row; before operator set 13, from an axis on."""
    axis = node.attributes.get("axis", -1 if graph.version >= 13 else 1)
    if graph.version < 13:
        place = axis + len(flow.shape) if axis < 0 else axis
        if not flow.has_rows <= place <= len(flow.shape) or any(
            s != 1 for s in flow.shape[flow.has_rows : place]
        ):
            raise FormatError("it is along the rows of the batch, or along one of several axes")
    else:
        flow.check_columns_axis(axis, "it")


def _clip(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    names = [*node.inputs[1:], "", ""][:2]
    given = [graph.constant(name) if name else None for name in names]
    defaults = (node.attributes.get("min", -np.inf), node.attributes.get("max", np.inf))
    pairs = zip(given, defaults, strict=True)
    low, high = (default if value is None else float(value.reshape(())) for value, default in pairs)
    limit(flow, low, high)


def _extreme(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Take the larger or the smaller of the rows and constants: a limit on one side."""
    constants = [flow.by_column(graph.constant(name)) for name in node.inputs if name != source]
    constants = [constant.reshape(-1)[0] if _is_uniform(constant) else constant for constant in constants]
    if not all(constant.ndim == 0 for constant in constants) or len(constants) != len(node.inputs) - 1:
        raise FormatError("its limits must be one number for all columns")
    if node.op == "Max":
        limit(flow, max(map(float, constants), default=-np.inf), np.inf)
    else:
        limit(flow, -np.inf, min(map(float, constants), default=np.inf))


def _swish(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """``x * sigmoid(alpha * x)``."""
    alpha = node.attributes.get("alpha", 1.0)
    if not alpha > 0:
        raise FormatError(f"its alpha must be positive, here it is {alpha:g}")
    between(flow, (alpha, 0.0), "silu", (1.0 / alpha, 0.0))


def _hard_sigmoid(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """``max(0, min(1, alpha x + beta))``; ours has an alpha of 1/6 and a beta of 1/2."""
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    if abs(alpha - 1.0 / 6.0) < 1e-8 and beta == 0.5:  # 1/6 as float32 has it
        flow.activate("hard_sigmoid")
        return
    between(flow, (6.0 * alpha, 6.0 * (beta - 0.5)), "hard_sigmoid", (1.0, 0.0))


def _selu(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """``gamma * elu(x)``; the defaults are the paper's constants."""
    alpha, gamma = node.attributes.get("alpha", SELU_ALPHA), node.attributes.get("gamma", SELU_SCALE)
    if abs(alpha - SELU_ALPHA) < 1e-6 and abs(gamma - SELU_SCALE) < 1e-6:
        flow.activate("selu")
        return
    flow.activate(ActivationFunction("elu", alpha))
    flow.scale(gamma)


def _gelu(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    flow.activate("gelu_tanh" if node.attributes.get("approximate") == "tanh" else "gelu")


def _prelu(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    if node.inputs[0] != source:
        raise FormatError("its slopes come from the network")
    flow.leak(flow.by_column(graph.constant(node.inputs[1])), flow.columns)


def _layer_normalization(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    flow.check_columns_axis(node.attributes.get("axis", -1), "it")
    given = [flow.by_column(graph.constant(name)) for name in node.inputs[1:] if name]
    if flow.columns is None:
        raise FormatError("it normalises an input whose size the file leaves open")
    arrays = [np.broadcast_to(array, flow.columns) for array in given]
    layer = LayerNormalization(epsilon=node.attributes.get("epsilon", 1e-5), center=len(arrays) > 1)
    flow.add(layer, arrays, n_in=flow.columns)


def _is_uniform(array: Array) -> bool:
    return bool((array == array.reshape(-1)[:1]).all())


def _thresholded_relu(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    if node.attributes.get("alpha", 1.0) != 0.0:
        raise FormatError("it jumps at its threshold; a threshold of 0 can be read")
    flow.activate("relu")


def _activation(curve: Curve, operator: Foreign) -> Step:
    """Return the step of an activation that is one operator."""

    def step(graph: Graph, flow: Flow, node: Node, source: str) -> None:
        flow.activate(ActivationFunction(curve.name, curve.alpha_of(operator, node.attributes)))

    return step


def _negative(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    flow.scale(-1.0)


STEPS: dict[str, Step] = {
    **{curve.onnx.name: _activation(curve, curve.onnx) for curve in CURVES.values() if curve.onnx},
    **AXES,
    **CLASSICAL,
    "Add": _arithmetic,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Clip": _clip,
    "Div": _arithmetic,
    "Dropout": _dropout,
    "Exp": _exp,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "HardSigmoid": _hard_sigmoid,
    "Identity": _nothing,
    "LayerNormalization": _layer_normalization,
    "LogSoftmax": _log_softmax,
    "MatMul": _matmul,
    "Max": _extreme,
    "Min": _extreme,
    "Mul": _arithmetic,
    "Neg": _negative,
    "PRelu": _prelu,
    "Selu": _selu,
    "Softmax": _softmax,
    "Sub": _arithmetic,
    "Swish": _swish,
    "ThresholdedRelu": _thresholded_relu,
}
"""What single operators append."""
