"""A file's graph, checked: its nodes in order, what is constant in it, and the one way through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.onnx.constants import FOLDED
from fastdense.exchange.onnx.external import Outside
from fastdense.exchange.onnx.operations import (
    JOINING,
    ONE_PART,
    OWN_DOMAINS,
    PLACE,
    Node,
    nodes_of,
    one_part,
)
from fastdense.exchange.onnx.refusals import check_known
from fastdense.exchange.onnx.shapes import OF_SHAPES
from fastdense.exchange.onnx.tensors import (
    DOUBLE,
    FLOATS,
    MALFORMED,
    in_words,
    is_external,
    place_outside,
    text,
    to_array,
)

__all__ = ["Graph"]

# Before operator set 7 additions did not broadcast by themselves, and batch normalisation had modes.
_OLDEST = 7


class Given(NamedTuple):
    """An input: its sizes, None where the file leaves one or all open, and ONNX's number of its type."""

    shape: tuple[int | None, ...] | None
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
    of_shapes : list of Node
        Those that compute something from nothing but the shapes of values.
    inputs : dict of str to Given
        Those that have a value in the file left out.
    outputs : list of str
    limit : int
        Bytes that the constants, and once more the weights, may take in all.
    joined : list of str
        The inputs that `way_to` took for one.
    dtype : "float32" or "float64"
        What is computed on the way that it found.

    Raises
    ------
    FormatError
        The file is not in order, or its numbers in other files are not where it says.
    """

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
        self.nodes = [node for proto in graph.node for node in nodes_of(proto)]
        self.of_shapes: list[Node] = []
        self.joined: list[str] = []
        self._shapes: set[str] = set()
        self._dynamic = set(given)
        self._further: dict[str, Node] = {}  # outputs after the first, which are of no use to a network
        self._sort()
        self.inputs = {name: _given(value) for name, value in given.items()}
        self.producers = {output: node for node in self.nodes for output in node.outputs}

    def is_constant(self, name: str) -> bool:
        """Whether a value is the same whatever comes in."""
        return name not in self._dynamic

    def is_of_shapes(self, name: str) -> bool:
        """Whether a value is computed from nothing but the shapes of others."""
        return name in self._shapes

    def dynamic_inputs(self, node: Node) -> list[str]:
        """Return those of a node's inputs that are not constant."""
        return [name for name in node.inputs if name in self._dynamic]

    def constant(self, name: str) -> Array:
        """Return a constant as an array of floats, whole numbers or truths; FormatError for others."""
        if name not in self._arrays:
            if name not in self._tensors:
                raise FormatError(f"{name!r} is not a constant that can be known from the file alone")
            outside = self._outside.get(name)
            self._spare(outside.length if outside else 0)
            self._arrays[name] = self._keep(to_array(self._tensors[name], outside))
        return self._arrays[name]

    def way_to(self, end: str) -> tuple[str, list[Node]]:
        """Return the input that a value comes from, and in order the nodes between the two.

        Several inputs that are put side by side are taken for one.
        """
        needed, nodes = {end}, []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs) and self.dynamic_inputs(node):
                nodes.append(node)
                needed.update(self.dynamic_inputs(node))
        nodes = [one_part(node, needed) for node in reversed(nodes)]
        check_known(nodes)
        sources = [name for name in self.inputs if name in needed]
        is_joined = len(sources) > 1 and any(node.op in JOINING and len(node.inputs) > 1 for node in nodes)
        if len(sources) != 1 and not is_joined:
            found = " and ".join(map(repr, sources)) or "no input"
            raise FormatError(f"a dense network has one input, but {end!r} is computed from {found}")
        for name in needed & self._further.keys():
            raise FormatError(
                f"{self._further[name]}: its output {name!r:.200}, which is used, is not its first one"
            )
        kinds = {self._kind(source, nodes) for source in sources}
        self.dtype = "float64" if "float64" in kinds else "float32"
        return self._as_one(sources, nodes) if is_joined else (sources[0], nodes)

    def _as_one(self, sources: list[str], nodes: list[Node]) -> tuple[str, list[Node]]:
        """Return an input that has the columns of several, and the nodes with the choices of each one's."""
        widths = []
        for name in sources:
            shape = self.inputs[name].shape
            if shape is None or len(shape) != 2 or shape[1] is None:
                raise FormatError(f"of several inputs, {name!r:.200} is not a matrix of known columns")
            widths.append(shape[1])
        whole, self.joined = f"{', '.join(sources)} side by side", sources
        settings = {"axis": 1, "split": widths}
        parts = [
            Node("", ONE_PART, (whole,), (name,), settings | {PLACE: (place, len(sources))})
            for place, name in enumerate(sources)
        ]
        first = self.inputs[sources[0]]
        self.inputs[whole] = Given((first.shape[0] if first.shape else None, sum(widths)), first.kind)
        self._dynamic.add(whole)
        return whole, parts + nodes

    def _kind(self, source: str, nodes: list[Node]) -> str:
        """Return the dtype that is computed in from an input on; FormatError if it is not one of floats."""
        given = self.inputs[source]
        users = [node for node in nodes if source in node.inputs]
        casts = [node.attributes.get("to") for node in nodes if node.op == "Cast"]
        is_cast = bool(users) and all(node.op == "Cast" for node in users)
        if given.kind not in (0, *FLOATS) and not is_cast:
            raise FormatError(
                f"the input {source!r:.200} is not of floats, and is not made floats of at once"
            )
        kinds = casts if is_cast else [given.kind, *casts]
        return "float64" if DOUBLE in kinds else "float32"

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
            if self._is_of_shapes(node):
                self.of_shapes.append(node)
                self._shapes.update(node.outputs)
            elif self.dynamic_inputs(node):
                self._dynamic.update(node.outputs)
            elif node.op in FOLDED:
                self._fold(node)

    def _is_of_shapes(self, node: Node) -> bool:
        if node.op in ("Shape", "Size"):
            return bool(self.dynamic_inputs(node))
        return node.op in OF_SHAPES and not self.dynamic_inputs(node) and bool(self._shapes & {*node.inputs})

    def _fold(self, node: Node) -> None:
        try:
            arrays = [self.constant(name) for name in node.inputs]
        except FormatError:  # a constant of texts, say, that the network itself does not use
            return
        try:
            self._spare(sum(array.nbytes for array in arrays) if node.op == "Concat" else 0)
            result = FOLDED[node.op](node.attributes, *arrays)
        except MALFORMED as error:
            raise FormatError(f"{node}: {in_words(error)}") from error
        self._arrays[node.outputs[0]] = self._keep(result)

    def _keep(self, array: Array) -> Array:
        self._spare(array.nbytes if array.base is None else 0)
        return array

    def _spare(self, size: int) -> None:
        """Count the bytes of a constant."""
        self._room -= size
        if self._room < 0:
            raise FormatError("its constants are many times as large as the file")


def _bytes(places: set[Outside]) -> int:
    """Return how many bytes of other files belong to a model; stretches that overlap count once."""
    files = {place.path: place.held for place in places}
    return min(sum(place.length for place in places), sum(files.values()))


def _operator_set(model: Any) -> int:
    from onnx.defs import onnx_opset_version

    versions = {int(opset.version) for opset in model.opset_import if opset.domain in OWN_DOMAINS}
    if not versions and not any(node.domain in OWN_DOMAINS for node in model.graph.node):
        return int(onnx_opset_version())  # as scikit-learn's linear models, which are of other operators
    if len(versions) != 1:
        raise FormatError("it does not say which version of ONNX's operators it is written in")
    version = versions.pop()
    if not _OLDEST <= version <= onnx_opset_version():
        raise FormatError(
            f"it is written in version {version} of ONNX's operators; known are {_OLDEST} to "
            f"{onnx_opset_version()}"
        )
    return version


def _given(value: Any) -> Given:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Given(None, tensor.elem_type)
    sizes = (dim.dim_value if dim.HasField("dim_value") else 0 for dim in tensor.shape.dim)
    return Given(tuple(size if size >= 1 else None for size in sizes), tensor.elem_type)
