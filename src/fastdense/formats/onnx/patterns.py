"""Nodes that only together are something of a dense network's, elementwise ones apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastdense.errors import FormatError
from fastdense.formats.chain import Chain
from fastdense.formats.onnx.curves import Limits, curve_of
from fastdense.formats.onnx.graph import Graph, Node
from fastdense.formats.onnx.operators import limit
from fastdense.network.activations import ActivationFunction

__all__ = ["LONGEST", "pattern"]

Apply = Callable[[Chain], None]

# Nodes of the longest way known to write an activation, and some more: GELU by tanh takes nine.
LONGEST = 16
# How far constants may be off: those of float32, which a few operations may have been made on; or of float64.
_ROUNDED, _EXACT = 1e-6, 1e-12


def pattern(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Return what appends what the nodes make of ``source`` to a chain; None where nothing known does."""
    curve = curve_of(graph, nodes, source, _EXACT if graph.dtype == "float64" else _ROUNDED)
    if isinstance(curve, Limits):
        return lambda chain: limit(chain, *curve)
    if curve is not None:
        return lambda chain: chain.activate(curve)
    for find in (_both_classes, _grouped_softmax, _same_shape):
        found = find(graph, nodes, source)
        if found is not None:
            return found
    return None


def _both_classes(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """``Concat(1 - p, p)``: skl2onnx's probabilities of a class and its opposite."""
    if [node.op for node in nodes] != ["Sub", "Concat"]:
        return None
    subtraction, joint = nodes
    one = subtraction.inputs[0]
    is_rest = subtraction.inputs[1:] == (source,) and graph.is_constant(one) and _is_one(graph, one)
    is_both = joint.inputs == (subtraction.outputs[0], source) and joint.attributes.get("axis") in (1, -1)
    return Chain.with_opposites if is_rest and is_both else None


def _is_one(graph: Graph, name: str) -> bool:
    return bool(np.array_equal(graph.constant(name).reshape(-1), [1.0]))


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
    return lambda chain: chain.activate(ActivationFunction("softmax", groups=groups))


def _same_shape(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Take a Reshape to a shape that is computed from the rows' own: nothing, if it is always that."""
    *before, last = nodes
    if last.op != "Reshape" or last.inputs[0] != source or {node.op for node in before} - set(_OF_SHAPES):
        return None

    def apply(chain: Chain) -> None:
        for rows in (7, 11):
            shape = _shape_for(graph, before, last.inputs[1], source, (rows, chain.width or 1))
            if shape is None or len(shape) != 2 or not _is(shape[0], rows) or not _is(shape[1], chain.width):
                raise FormatError(f"it makes another shape of the matrix, {shape}")
            if shape == [-1, -1]:
                raise FormatError("two of its sizes are left open")

    return apply


def _is(size: int, expected: int | None) -> bool:
    return size in (-1, 0, expected)


def _shape_for(
    graph: Graph, nodes: Sequence[Node], name: str, source: str, matrix: tuple[int, int]
) -> list[int] | None:
    """Return the shape that is computed for a matrix of a shape."""
    values: dict[str, Any] = {source: matrix}
    for node in nodes:
        inputs = [values[i] if i in values else graph.constant(i) for i in node.inputs]
        try:
            values[node.outputs[0]] = _OF_SHAPES[node.op](node.attributes, *inputs)
        except (TypeError, ValueError, IndexError):  # of other inputs than the operator has
            return None
    return [int(size) for size in np.ravel(values[name])] if name in values else None


def _slice(attributes: dict[str, Any], shape: Any, starts: Any = None, ends: Any = None, *rest: Any) -> Any:
    """Return a part of a list; steps and axes other than the plain ones raise."""
    if any(np.ravel(one).tolist() not in ([0], [1]) for one in rest):
        raise ValueError("a slice in steps")
    start = attributes.get("starts", starts)
    stop = attributes.get("ends", ends)
    return np.asarray(shape)[int(np.ravel(start)[0]) : int(np.ravel(stop)[0])]


_OF_SHAPES: dict[str, Callable[..., Any]] = {
    "Cast": lambda attributes, a: a,
    "Concat": lambda attributes, *a: np.concatenate([np.atleast_1d(one) for one in a]),
    "Gather": lambda attributes, a, i: np.asarray(a)[np.asarray(i, np.int64)],
    "Shape": lambda attributes, shape: np.asarray(shape, np.int64),
    "Slice": _slice,
    "Squeeze": lambda attributes, a, *axes: np.reshape(a, ()),
    "Unsqueeze": lambda attributes, a, *axes: np.atleast_1d(a),
}
"""The operators by which exporters compute a shape, each of which makes numbers or a list of them."""
