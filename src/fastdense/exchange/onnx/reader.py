"""Reading: the nodes between a file's input and its output, as the steps of a dense network."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.core.files import ROOM, require_memory
from fastdense.core.notes import note
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.onnx.curves import OPERATIONS
from fastdense.exchange.onnx.endings import PASSING, Ending, ending
from fastdense.exchange.onnx.flow import Flow
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import Node
from fastdense.exchange.onnx.plan import at, follow
from fastdense.exchange.onnx.shapes import Shape

__all__ = ["read"]


def read(path: str | os.PathLike[str], output: str | None = None) -> Content:
    """Read a network; see `fastdense.formats.onnx.read_onnx`."""
    data = Path(path).read_bytes()
    try:
        with np.errstate(all="ignore"):  # weights that are not finite are the file's affair
            model = _parse(data)
            _refuse_tables(model)
            graph = Graph(model, Path(path).parent, len(data))
            return _network(graph, output, Path(path).stem, str(path))
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _parse(data: bytes) -> Any:
    try:
        from onnx import ModelProto
    except ModuleNotFoundError:
        raise ImportError(
            "reading ONNX files needs the package onnx: pip install 'fastdense[onnx]'"
        ) from None
    from google.protobuf.message import DecodeError

    require_memory(ROOM + 2 * len(data))  # protobuf calls a file damaged if memory runs out
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise FormatError(f"it is damaged or no ONNX file ({error})") from None
    if not model.graph.node:
        raise FormatError("it is no ONNX file, or one of a graph without nodes")
    return model


def _network(graph: Graph, output: str | None, name: str, path: str) -> Content:
    end = ending(graph, output)
    source, nodes = graph.way_to(end.value)
    given = graph.inputs[source]
    flow = Flow(_filled_in(graph, given.shape, nodes), graph.dtype, graph.limit)
    shape_in = flow.example
    follow(graph, flow, nodes, source)
    for node in end.choices:
        with at(node):
            flow.check_columns_axis(node.attributes.get("axis", 0), "the choice")
    content = flow.content(name or "sequential")
    if graph.joined:
        note(f"{path}: its inputs {', '.join(map(repr, graph.joined))} go in side by side, as one row")
    for what in _left_out(flow, shape_in, end):
        note(f"{path}: {what}")
    return content


def _refuse_tables(model: Any) -> None:
    """Raise FormatError for a file of fastdense's that includes a table, which holds more than a network."""
    keys = {entry.key for entry in model.metadata_props}
    if model.producer_name == "fastdense" and keys & {"columns", "texts"}:
        raise FormatError(
            "fastdense wrote it with the model's table, for other software, and does not read it back: load "
            "the model that it was exported from, or export that without the table"
        )


def _left_out(flow: Flow, shape_in: Shape, end: Ending) -> list[str]:
    """Return what the network does not do as the file does, in words."""
    found = []
    if end.labels:
        names = ", ".join(end.labels)
        found.append(f"the network ends at {end.value!r}; the labels made of it ({names}) are left out")
    if flow.logarithms:
        found.append(
            "the network ends in probabilities; the file goes on to their logarithms, which are "
            "numpy.log of what it predicts"
        )
    sizes = shape_in if flow.has_rows or len(shape_in) < 2 else shape_in[1:]
    if len(sizes) > 1:
        width = math.prod(sizes)
        found.append(f"left out: the shape {sizes} of its inputs, which go in as rows of {width} numbers")
    if sum(size != 1 for size in flow.example) > 1:
        width = math.prod(flow.example)
        found.append(
            f"left out: the shape {flow.example} of its outputs, which come as rows of {width} numbers"
        )
    return found


def _filled_in(
    graph: Graph, shape: Sequence[int | None] | None, nodes: Sequence[Node]
) -> Sequence[int | None] | None:
    """Return an input's shape with its open sizes, the rows apart, as the first product takes them.

    The file leaves the sizes to the caller; every way to fill them in gives the same columns.
    """
    sizes = (None, None) if shape is None else tuple(shape)
    places = [i for i, size in enumerate(sizes) if size is None and (i or len(sizes) == 1)]
    width = _first_width(graph, nodes) if places else None
    known = math.prod(size for size in sizes[len(sizes) > 1 :] if size is not None)
    if not width or width % known:
        return shape
    filled = dict.fromkeys(places, 1) | {places[-1]: width // known}
    return tuple(filled.get(i, size) for i, size in enumerate(sizes))


def _first_width(graph: Graph, nodes: Sequence[Node]) -> int | None:
    """Return the columns that the first product takes, or that a Reshape before it makes; None if unknown."""
    for node in nodes:
        constants = [graph.constant(name) for name in node.inputs if graph.is_constant(name) and name]
        if node.op in ("Gemm", "MatMul") and constants and constants[0].ndim == 2:
            is_second = node.attributes.get("transB") or graph.is_constant(node.inputs[0])
            return int(constants[0].shape[1 if is_second else 0])
        if node.op == "Reshape" and constants and constants[0].size > 1 and constants[0].min() != -1:
            return None
        if node.op == "Reshape" and constants:
            behind = constants[0].reshape(-1)[1:]
            if behind.size and behind.min() > 0:
                return int(np.prod(behind, dtype=object))
        elif node.op not in OPERATIONS and node.op not in PASSING:
            return None
    return None
