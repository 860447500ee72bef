"""A file's graph, checked: its nodes in order, what is constant in it, and the one way through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FormatError
from fastdense.formats.onnx.constants import FOLDED
from fastdense.formats.onnx.external import Outside
from fastdense.formats.onnx.tensors import (
    DOUBLE,
    FLOATS,
    MALFORMED,
    in_words,
    is_external,
    place_outside,
    text,
    to_array,
)

__all__ = ["Graph", "Node"]

Array = NDArray[Any]

_OWN_DOMAINS = ("", "ai.onnx")
# Before operator set 7 additions did not broadcast by themselves, and batch normalisation had modes.
_OLDEST = 7


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


class Matrix(NamedTuple):
    """An input: its rows and columns, None where the file does not say, and ONNX's number of its type."""

    rows: int | None
    columns: int | None
    kind: int


class Graph:
    """The nodes of a model from its inputs to its outputs.

    Parameters
    ----------
    model : onnx.ModelProto
    folder : Path
        The file's, where its numbers may be in other files.
    size : int
        Bytes of the file.

    Attributes
    ----------
    version : int
        Of the operator set.
    nodes : list of Node
        In the file's order, in which everything is computed before it is used.
    inputs : dict of str to Matrix
        Those that have a value in the file left out.
    outputs : list of str
    rows : int or None
        Of the input that `way_to` found, where the file says them.
    limit : int
        Bytes that the constants, and once more the weights, may take in all.
    dtype : "float32" or "float64"
        What is computed on the way that it found.

    Raises
    ------
    FormatError
        The file is not in order, or its numbers in other files are not where it says.
    """

    rows: int | None = None
    dtype = "float32"

    def __init__(self, model: Any, folder: Path, size: int) -> None:
        self.version = _operator_set(model)
        graph = model.graph
        self._tensors = {text(tensor.name): tensor for tensor in graph.initializer}
        self._arrays: dict[str, Array] = {}
        if graph.sparse_initializer:
            raise FormatError("sparse initialisers are not supported")
        self._outside = {
            text(tensor.name): place_outside(tensor, folder)
            for tensor in graph.initializer
            if is_external(tensor)
        }
        # Half precision is doubled, and a small file may have wide scalings.
        self.limit = self._room = 8 * (size + _bytes(set(self._outside.values()))) + 2**20
        inputs = {text(value.name): value for value in graph.input}
        given = {name: value for name, value in inputs.items() if name not in self._tensors}
        self.outputs = [text(value.name) for value in graph.output]
        self.nodes = [_node(proto) for proto in graph.node]
        self._dynamic = set(given)
        self._further: dict[str, Node] = {}  # outputs after the first, which are of no use to a network
        self._sort()
        self.inputs = {name: _matrix(value) for name, value in given.items() if name in self._dynamic}
        self.producers = {output: node for node in self.nodes for output in node.outputs}

    def is_constant(self, name: str) -> bool:
        """Whether a value is the same whatever comes in."""
        return name not in self._dynamic

    def dynamic_inputs(self, node: Node) -> list[str]:
        """Return those of a node's inputs that are not constant."""
        return [name for name in node.inputs if name in self._dynamic]

    def constant(self, name: str) -> Array:
        """Return a constant as an array of floats, whole numbers or truths; FormatError for others."""
        if name not in self._arrays:
            if name not in self._tensors:
                raise FormatError(f"{name!r} is not a constant that can be known from the file alone")
            outside = self._outside.get(name)
            self._room -= outside.length if outside else 0
            self._arrays[name] = self._keep(to_array(self._tensors[name], outside))
        return self._arrays[name]

    def way_to(self, end: str) -> tuple[str, list[Node]]:
        """Return the input that a value comes from, and in order the nodes between the two."""
        needed, nodes = {end}, []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs) and self.dynamic_inputs(node):
                nodes.append(node)
                needed.update(self.dynamic_inputs(node))
        sources = [name for name in self.inputs if name in needed]
        if len(sources) != 1:
            found = " and ".join(map(repr, sources)) or "no input"
            raise FormatError(f"a dense network has one input, but {end!r} is computed from {found}")
        for name in needed & self._further.keys():
            raise FormatError(
                f"{self._further[name]}: its output {name!r:.200}, which is used, is not its first one"
            )
        self._look_at(self.inputs[sources[0]], sources[0], nodes[::-1])
        return sources[0], nodes[::-1]

    def _look_at(self, given: Matrix, source: str, nodes: list[Node]) -> None:
        """Take note of the input's rows, and of what the network computes in."""
        self.rows = given.rows
        users = [node for node in nodes if source in node.inputs]
        casts = [node.attributes.get("to") for node in nodes if node.op == "Cast"]
        is_cast = bool(users) and all(node.op == "Cast" for node in users)
        if given.kind not in (0, *FLOATS) and not is_cast:
            raise FormatError(
                f"the input {source!r:.200} is not of floats, and is not made floats of at once"
            )
        kinds = casts if is_cast else [given.kind, *casts]
        self.dtype = "float64" if DOUBLE in kinds else "float32"

    def _sort(self) -> None:
        """Find what depends on the inputs, and compute what does not."""
        known = {"", *self._tensors, *self._dynamic}
        for node in self.nodes:
            missing = [name for name in node.inputs if name not in known]
            if missing:
                raise FormatError(f"{node} uses {missing[0]!r:.200}, which nothing before it computes")
            if known.intersection(node.outputs) - {""} or not node.outputs:
                raise FormatError(f"{node} computes nothing new")
            known.update(node.outputs)
            if node.op != "Split":
                self._further.update(dict.fromkeys(filter(None, node.outputs[1:]), node))
            if self.dynamic_inputs(node):
                self._dynamic.update(node.outputs)
            elif node.op in FOLDED:
                self._fold(node)

    def _fold(self, node: Node) -> None:
        try:
            arrays = [self.constant(name) for name in node.inputs]
        except FormatError:  # a constant of texts, say, that the network itself does not use
            return
        try:
            result = FOLDED[node.op](node.attributes, *arrays)
        except MALFORMED as error:
            raise FormatError(f"{node}: {in_words(error)}") from error
        self._arrays[node.outputs[0]] = self._keep(result)

    def _keep(self, array: Array) -> Array:
        self._room -= array.nbytes if array.base is None else 0
        if self._room < 0:
            raise FormatError("its constants are many times as large as the file")
        return array


def _bytes(places: set[Outside]) -> int:
    """Return how many bytes of other files belong to a model; stretches that overlap count once."""
    files = {place.path: place.held for place in places}
    return min(sum(place.length for place in places), sum(files.values()))


def _operator_set(model: Any) -> int:
    from onnx.defs import onnx_opset_version

    versions = [opset.version for opset in model.opset_import if opset.domain in _OWN_DOMAINS]
    if len(versions) != 1:
        raise FormatError("it does not say which version of ONNX's operators it is written in")
    if not _OLDEST <= versions[0] <= onnx_opset_version():
        raise FormatError(
            f"it is written in version {versions[0]} of ONNX's operators; known are {_OLDEST} to "
            f"{onnx_opset_version()}"
        )
    return int(versions[0])


def _node(proto: Any) -> Node:
    op, name = text(proto.op_type), text(proto.name)
    op = op if proto.domain in _OWN_DOMAINS else f"{text(proto.domain)}.{op}"
    inputs, outputs = tuple(map(text, proto.input)), tuple(map(text, proto.output))
    attributes = {text(attribute.name): _attribute(attribute) for attribute in proto.attribute}
    if op == "CastLike":  # to the type of its second input, and all that the network computes has one
        return Node(name, "Identity", inputs[:1], outputs, {})
    return Node(name, op, inputs, outputs, attributes)


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
    return None


def _matrix(value: Any) -> Matrix:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Matrix(None, None, tensor.elem_type)
    sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    if len(sizes) != 2:
        raise FormatError(
            f"the input {text(value.name)!r:.200} has {len(sizes)} axes; dense networks take a matrix, one "
            "example a row"
        )
    rows, columns = (None if size is None or size < 1 else size for size in sizes)
    return Matrix(rows, columns, tensor.elem_type)
