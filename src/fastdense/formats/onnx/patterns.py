"""Nodes that only together are something of a dense network's, elementwise ones apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fastdense.formats.chain import Chain
from fastdense.formats.onnx.curves import Limits, curve_of
from fastdense.formats.onnx.graph import Graph, Node
from fastdense.formats.onnx.operators import limit
from fastdense.network.activations import ActivationFunction

__all__ = ["LONGEST", "pattern"]

Apply = Callable[[Chain], None]

# Nodes of the longest way known to write an activation, and some more: GELU by tanh takes nine.
LONGEST = 16


def pattern(graph: Graph, nodes: Sequence[Node], source: str) -> Apply | None:
    """Return what appends what the nodes make of ``source`` to a chain; None where nothing known does."""
    curve = curve_of(graph, nodes, source)
    if isinstance(curve, Limits):
        return lambda chain: limit(chain, *curve)
    if curve is not None:
        return lambda chain: chain.activate(curve)
    return _both_classes(graph, nodes, source) or _grouped_softmax(graph, nodes, source)


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
    if not (along_columns and in_order and len(split.inputs) == 2 and graph.is_constant(split.inputs[1])):
        return None
    groups = [int(size) for size in graph.constant(split.inputs[1]).reshape(-1)]
    return lambda chain: chain.activate(ActivationFunction("softmax", groups=groups))
