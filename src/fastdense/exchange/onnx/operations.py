"""A file's operations as data: operators that stand for several are taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastdense.errors import FormatError
from fastdense.exchange.onnx.tensors import text

__all__ = ["JOINING", "LABELS_OF", "ONE_PART", "OWN_DOMAINS", "PLACE", "Node", "nodes_of", "one_part"]

OWN_DOMAINS = ("", "ai.onnx")
LABELS_OF = "labels of"
"""The operation that makes a classifier's labels of its scores, which is part of its node in a file."""

JOINING = ("Concat", "ai.onnx.ml.FeatureVectorizer")
"""What puts columns side by side."""
ONE_PART, PLACE = "part of a Split", "place"
"""A Split of which one part is used; the attribute says which part, of how many."""


class Node(NamedTuple):
    """One operation: ``op`` has its domain in front where that is not ONNX's own."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    def __str__(self) -> str:
        name = self.name or " ".join(self.outputs)
        return f"node {name!r:.200} ({self.op:.100})"


def nodes_of(proto: Any) -> list[Node]:
    """Return an operation of a file as one or more nodes."""
    op = text(proto.op_type)
    node = Node(
        text(proto.name),
        op if proto.domain in OWN_DOMAINS else f"{text(proto.domain)}.{op}",
        tuple(map(text, _inputs(proto))),
        tuple(map(text, proto.output)),
        {text(attribute.name): _attribute(attribute) for attribute in proto.attribute},
    )
    take_apart = _APART.get(node.op)
    return take_apart(node) if take_apart else [node]


def _inputs(proto: Any) -> list[Any]:
    """Return the names that an operation takes, those that the graphs within it take from outside too."""
    graphs = [graph for attribute in proto.attribute for graph in (attribute.g, *attribute.graphs)]
    return [*proto.input, *(name for graph in graphs for name in _taken(graph))]


def _taken(graph: Any) -> list[Any]:
    """Return the names that a graph within an operation takes from outside."""
    inside = {"", *(value.name for values in (graph.input, graph.initializer) for value in values)}
    taken = []
    for node in graph.node:
        taken += [name for name in _inputs(node) if name not in inside]
        inside.update(node.output)
    return taken + [value.name for value in graph.output if value.name not in inside]


def one_part(node: Node, needed: set[str]) -> Node:
    """Return a Split of which one part is needed as the choice of it; other nodes as they are."""
    used = [place for place, name in enumerate(node.outputs) if name in needed]
    if node.op != "Split" or len(used) != 1:
        return node
    attributes = node.attributes | {PLACE: (used[0], len(node.outputs))}
    return node._replace(op=ONE_PART, outputs=(node.outputs[used[0]],), attributes=attributes)


def _attribute(attribute: Any) -> Any:
    """Return an attribute's value, text decoded; a graph or what else no operator known here has as None."""
    match attribute.type:
        case attribute.FLOAT:
            return float(str(np.float32(attribute.f)))  # 0.1, not the 0.10000000149 that float32 makes of it
        case attribute.INT:
            return attribute.i
        case attribute.STRING:
            return attribute.s.decode("utf-8", "replace")
        case attribute.TENSOR:
            return attribute.t
        case attribute.FLOATS:
            return list(attribute.floats)
        case attribute.INTS:
            return list(attribute.ints)
        case attribute.STRINGS:
            return [value.decode("utf-8", "replace") for value in attribute.strings]
    return None


def _identity(node: Node) -> list[Node]:
    """Let the first input through: `CastLike` casts to the type that all that a network computes has."""
    return [node._replace(op="Identity", inputs=node.inputs[:1], attributes={})]


def _of_one(node: Node) -> list[Node]:
    """Let a joint or a sum of a single value through."""
    return _identity(node) if len(node.inputs) == 1 else [node]


def _fused_gemm(node: Node) -> list[Node]:
    """Take ONNX Runtime's product with an activation apart."""
    attributes = dict(node.attributes)
    curve = attributes.pop("activation", None)
    if not isinstance(curve, str):
        raise FormatError(f"{node} does not name its activation")
    settings = {name: attributes.pop(f"activation_{name}", None) for name in ("alpha", "beta", "gamma")}
    between = f"{node.outputs[0]} before {curve}"
    given = {name: value for name, value in settings.items() if value is not None}
    product = node._replace(op="Gemm", outputs=(between,), attributes=attributes)
    return [product, node._replace(op=curve, inputs=(between,), attributes=given)]


def _linear_classifier(node: Node) -> list[Node]:
    """Take the scores, which are its second output, and the labels made of them apart."""
    if len(node.outputs) != 2 or not all(node.outputs):
        raise FormatError(f"{node} gives out no scores but only labels, which are not numbers of a network's")
    labels, scores = node.outputs
    return [
        node._replace(outputs=(scores,)),
        node._replace(op=LABELS_OF, inputs=(scores,), outputs=(labels,)),
    ]


_APART: dict[str, Callable[[Node], list[Node]]] = {
    "CastLike": _identity,
    "Concat": _of_one,
    "Mean": _of_one,
    "Sum": _of_one,
    "ai.onnx.ml.FeatureVectorizer": _of_one,
    "ai.onnx.ml.LinearClassifier": _linear_classifier,
    "com.microsoft.FusedGemm": _fused_gemm,
    "com.microsoft.Gelu": lambda node: [node._replace(op="Gelu", attributes={})],
}
