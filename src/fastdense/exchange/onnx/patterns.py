"""Nodes that only together are something of a dense network's, elementwise ones apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fastdense.activations import ActivationFunction
from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.curves import Curve, Limits
from fastdense.exchange.limits import limit
from fastdense.exchange.onnx.axes import given_axes
from fastdense.exchange.onnx.curves import constants_of, curve_of
from fastdense.exchange.onnx.flow import Flow
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import Node
from fastdense.exchange.onnx.operators import STEPS
from fastdense.layers import ParametricActivation

__all__ = ["LONGEST", "pattern"]

Apply = Callable[[Flow], None]

# Nodes of the longest way known to write an activation, and some more: GELU by tanh takes nine.
LONGEST = 16
# How far constants may be off: those of float32, which a few operations may have been made on; or of float64.
_ROUNDED, _EXACT = 1e-6, 1e-12


def pattern(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Return what appends what the nodes make of ``source`` to a flow; None where nothing known does."""
    curve = curve_of(graph, nodes, source, _EXACT if graph.dtype == "float64" else _ROUNDED)
    if curve is not None:
        return lambda flow: _activate(flow, curve, constants_of(graph, nodes))
    for find in (_both_classes, _blended, _grouped_softmax, _logarithms, _written_softmax, _normalised):
        found = find(graph, nodes, source)
        if found is not None:
            return found
    return None


def _activate(flow: Flow, curve: Curve, constants: Sequence[Array]) -> None:
    """Append a curve that is composed with some constants."""
    flow.one_by_one(*constants)
    if isinstance(curve, Limits):
        limit(flow, *curve)
    else:
        flow.activate(curve)


def _both_classes(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """``Concat(1 - p, p)``: skl2onnx's probabilities of a class and its opposite."""
    if [node.op for node in nodes] != ["Sub", "Concat"]:
        return None
    subtraction, joint = nodes
    one = subtraction.inputs[0]
    is_rest = subtraction.inputs[1:] == (source,) and graph.is_constant(one) and _is_one(graph, one)
    is_both = joint.inputs == (subtraction.outputs[0], source) and joint.attributes.get("axis") in (1, -1)
    return Flow.both_classes if is_rest and is_both else None


def _is_one(graph: Graph, name: str) -> bool:
    return bool(np.array_equal(graph.constant(name).reshape(-1), [1.0]))


def _blended(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """``(1 - alpha) * x + alpha * g(x)``, whose shares ``alpha`` are one number per column."""
    pairs = [node for node in nodes if node.op == "Mul" and len(node.inputs) == 2]
    products = [node for node in pairs if graph.is_constant(node.inputs[1])]
    of_x = [node for node in products if node.inputs[0] == source]
    *between, last = nodes
    if last.op != "Add" or len(of_x) != 1:
        return None
    of_g = [node for node in products if {node.outputs[0], of_x[0].outputs[0]} == set(last.inputs)]
    within = [node for node in between if node not in (*of_g, *of_x)]
    if len(of_g) != 1 or not within or of_g[0].inputs[0] != within[-1].outputs[0]:
        return None
    tolerance = _EXACT if graph.dtype == "float64" else _ROUNDED
    curve = curve_of(graph, within, source, tolerance)
    alpha, rest = (graph.constant(node.inputs[1]) for node in (*of_g, *of_x))
    is_blend = alpha.shape == rest.shape and np.allclose(alpha + rest, 1.0, rtol=0.0, atol=tolerance)
    if not isinstance(curve, ActivationFunction) or not is_blend:
        return None

    def apply(flow: Flow) -> None:
        shares = np.broadcast_to(flow.by_column(alpha), flow.columns or np.size(alpha))
        flow.add(ParametricActivation(curve), [shares], n_in=shares.size)

    return apply


def _grouped_softmax(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Take a Split, a Softmax of each part and a Concat: our own softmax by groups."""
    if len(nodes) < 3:
        return None
    split, *parts, joint = nodes
    if split.op != "Split" or joint.op != "Concat" or {node.op for node in parts} != {"Softmax"}:
        return None
    along_columns = all(node.attributes.get("axis", 0) in (1, -1) for node in (split, *parts, joint))
    in_order = tuple(node.inputs[0] for node in parts) == split.outputs
    in_order = in_order and tuple(node.outputs[0] for node in parts) == joint.inputs
    sizes = split.attributes.get("split")  # before operator set 13
    if len(split.inputs) == 2 and graph.is_constant(split.inputs[1]):
        sizes = graph.constant(split.inputs[1]).reshape(-1)
    if not along_columns or not in_order or sizes is None:
        return None
    groups = [int(size) for size in sizes]

    def apply(flow: Flow) -> None:
        flow.check_columns_axis(-1, "the softmax")
        if len(flow.shape) != 2:  # where -1 and 1 are one axis
            raise FormatError(f"it takes a matrix, but its input has the shape {flow.readable()}")
        flow.activate(ActivationFunction("softmax", groups=groups))

    return apply


def _logarithms(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Take a Softmax and a Log, which together are a LogSoftmax."""
    if [node.op for node in nodes] != ["Softmax", "Log"]:
        return None
    return lambda flow: STEPS["LogSoftmax"](graph, flow, nodes[0], source)


def _written_softmax(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Take ``exp(x) / sum(exp(x))``, with the largest of each row subtracted before or not."""
    *before, exponential, total, quotient = nodes if len(nodes) > 2 else (*nodes, *nodes, *nodes)
    if [node.op for node in (exponential, total, quotient)] != ["Exp", "ReduceSum", "Div"]:
        return None
    reductions, shifted = [total], source
    if [node.op for node in before] == ["ReduceMax", "Sub"]:
        largest, difference = before
        reductions.append(largest)
        shifted = difference.outputs[0]
        if largest.inputs[0] != source or difference.inputs != (source, largest.outputs[0]):
            return None
    elif before:
        return None
    exponents, sums = exponential.outputs[0], total.outputs[0]
    in_order = exponential.inputs == (shifted,) and total.inputs[0] == exponents
    if not in_order or quotient.inputs != (exponents, sums):
        return None

    def apply(flow: Flow) -> None:
        for node in reductions:
            axes = given_axes(graph, node)
            if axes is None or len(axes) != 1 or not node.attributes.get("keepdims", 1):
                raise FormatError("it is not along the columns of each row")
            flow.check_columns_axis(axes[0], "it")
        flow.activate("softmax")

    return apply


def _normalised(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Take ``p / sum(p)`` or ``p / sum(abs(p))``: nothing, if the numbers of a row add up to 1."""
    *before, total, quotient = nodes if len(nodes) > 1 else (*nodes, *nodes)
    if [node.op for node in (*before, total, quotient)] not in (
        ["ReduceSum", "Div"],
        ["Abs", "ReduceSum", "Div"],
    ):
        return None
    sizes = before[0].outputs[0] if before else source
    if quotient.inputs != (source, total.outputs[0]) or total.inputs[0] != sizes:
        return None

    def apply(flow: Flow) -> None:
        axes = given_axes(graph, total)
        if axes is None or len(axes) != 1 or not total.attributes.get("keepdims", 1):
            raise FormatError("it is not along the columns of each row")
        flow.check_columns_axis(axes[0], "the sum")
        if not flow.adds_up_to_one():
            raise FormatError("it divides each row by its own sum, which no layer here does")

    return apply
