"""The operators that change the axes of a value, or choose among its columns: what each does to the flow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.onnx.flow import Flow
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import ONE_PART, PLACE, Node
from fastdense.exchange.onnx.shapes import Shape, computed, resolved

__all__ = ["AXES", "given_axes"]

_EXTRACTING = "ai.onnx.ml.ArrayFeatureExtractor"


def _flatten(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    axis = node.attributes.get("axis", 1)
    flow.reshape(lambda shape, trial: (math.prod(shape[:axis]), math.prod(shape[axis:])))


def _reshape(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Reshape to sizes that are constant, or that the graph computes from shapes."""
    if node.inputs[0] != source:
        raise FormatError("a shape cannot come from the network")
    allow_zero, sizes = bool(node.attributes.get("allowzero")), node.inputs[1]
    if graph.is_of_shapes(sizes):
        nodes, known = graph.of_shapes, graph.constant
        flow.reshape(
            lambda shape, trial: resolved(shape, computed(nodes, sizes, known, flow.seen(trial)), allow_zero)
        )
    else:
        target = graph.constant(sizes).reshape(-1).tolist()
        flow.reshape(lambda shape, trial: resolved(shape, target, allow_zero))


def given_axes(graph: Graph, node: Node, place: int = 1) -> list[int] | None:
    """Return the axes of an attribute, as in older operator sets, or of an input; None if not given."""
    if len(node.inputs) > place and node.inputs[place]:
        return [int(axis) for axis in graph.constant(node.inputs[place]).reshape(-1)]
    axes: list[int] | None = node.attributes.get("axes")
    return axes


def _squeeze(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    axes, count = given_axes(graph, node), len(flow.shape)
    if axes is None:
        dropped = {i for i, size in enumerate(flow.shape) if size == 1}
    else:
        dropped = {axis + count if axis < 0 else axis for axis in axes}
        if not dropped <= {i for i, size in enumerate(flow.shape) if size == 1}:
            raise FormatError(f"it drops axes {axes} of the shape {flow.readable()}, which are not all 1")
    flow.reshape(lambda shape, trial: tuple(size for i, size in enumerate(shape) if i not in dropped))


def _unsqueeze(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    axes = given_axes(graph, node) or []
    count = len(flow.shape) + len(axes)
    added = {axis + count if axis < 0 else axis for axis in axes}
    if len(added) != len(axes) or not added <= set(range(count)):
        raise FormatError(f"it adds the axes {axes} to {len(flow.shape)}")

    def widened(shape: Shape, trial: int) -> Shape:
        rest = iter(shape)
        return tuple(1 if i in added else next(rest) for i in range(count))

    flow.reshape(widened)


def _transpose(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    order = node.attributes.get("perm", list(reversed(range(len(flow.shape)))))
    if sorted(order) != list(range(len(flow.shape))):
        raise FormatError(f"it transposes {len(order)} axes, where there are {len(flow.shape)}")
    if flow.has_rows and order[0] != 0:
        raise FormatError("it transposes what comes from the network: the rows of the batch become columns")
    if order != sorted(order):
        flow.pick(lambda places: places.transpose(order))


def _gather(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Choose columns: of each row the same."""
    if node.inputs[0] != source:
        raise FormatError("places cannot come from the network")
    along = -1 if node.op == _EXTRACTING else node.attributes.get("axis", 0)
    axis, places = _own_axis(flow, along), graph.constant(node.inputs[1])
    places = places.reshape(-1) if node.op == _EXTRACTING else places
    growth = places.size // max(1, flow.shape[axis]) + 1
    flow.pick(lambda value: np.take(value, places.astype(np.int64), axis), growth)


def _slice(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Choose columns one after another."""
    if graph.version < 10:
        given = [node.attributes.get(name) for name in ("starts", "ends", "axes", "steps")]
    else:
        names = [*node.inputs[1:], "", ""][:4]
        given = [_whole_numbers(graph, flow, name) if name else None for name in names]
    starts, ends = given[0] or [], given[1] or []
    axes, steps = given[2] or range(len(starts)), given[3] or [1] * len(starts)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if flow.has_rows and axis in (0, -len(flow.shape)) and (start, step) == (0, 1) and end >= 2**31 - 1:
            continue  # all rows
        # A negative step that goes to the beginning is written with an end far before it.
        stop = None if step < 0 and end < -(2**31) else end
        flow.pick(_Part(_own_axis(flow, axis), slice(start, stop, step)).of)


class _Part(NamedTuple):
    """A choice of places along an axis."""

    axis: int
    places: slice

    def of(self, value: Array) -> Array:
        chosen: Array = value[(*[slice(None)] * self.axis, self.places)]
        return chosen


def _whole_numbers(graph: Graph, flow: Flow, name: str) -> list[int]:
    """Return numbers that are constant, or computed from shapes and the same for any number of rows."""
    if not graph.is_of_shapes(name):
        numbers: list[int] = graph.constant(name).reshape(-1).tolist()
        return numbers
    found = [computed(graph.of_shapes, name, graph.constant, flow.seen(trial)) for trial in (0, 1)]
    if found[0] != found[1]:
        raise FormatError("it chooses columns by how many rows there are")
    return list(found[0])


def _part_of_split(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Choose one part of a Split, the others of which are not used."""
    axis = _own_axis(flow, node.attributes.get("axis", 0))
    place, count = node.attributes[PLACE]
    sizes = node.attributes.get("split")  # before operator set 13
    if len(node.inputs) > 1 and node.inputs[1]:
        sizes = _whole_numbers(graph, flow, node.inputs[1])
    if sizes is None:
        whole = -(-flow.shape[axis] // count)
        sizes = [whole] * (count - 1) + [flow.shape[axis] - whole * (count - 1)]
    if sum(sizes) != flow.shape[axis] or min(sizes) < 0 or len(sizes) != count:
        raise FormatError(f"it splits {flow.shape[axis]} columns into {sizes}")
    start = sum(sizes[:place])
    flow.pick(_Part(axis, slice(start, start + sizes[place])).of)


def _own_axis(flow: Flow, axis: int) -> int:
    """Return the place of an axis of the value; FormatError for the rows'."""
    place = axis + len(flow.shape) if axis < 0 else axis
    if not flow.has_rows <= place < len(flow.shape):
        raise FormatError("it chooses among the rows of the batch")
    return place


def _reduced(mean: bool) -> Callable[[Graph, Flow, Node, str], None]:
    def step(graph: Graph, flow: Flow, node: Node, source: str) -> None:
        axes = given_axes(graph, node)
        if axes is None or len(axes) != 1:
            raise FormatError("it sums more than the columns of each row")
        axis = flow.check_columns_axis(axes[0], "the sum")
        size = flow.shape[axis]
        if size < 1:
            raise FormatError("it sums columns whose number the file leaves open")
        flow.dense(np.full((size, 1), 1.0 / size if mean else 1.0, np.float32))
        kept = (1,) * bool(node.attributes.get("keepdims", 1))
        flow.shape = (*flow.shape[:axis], *kept, *flow.shape[axis + 1 :])

    return step


AXES: dict[str, Callable[[Graph, Flow, Node, str], None]] = {
    "Flatten": _flatten,
    "Gather": _gather,
    _EXTRACTING: _gather,
    "ReduceMean": _reduced(mean=True),
    "ReduceSum": _reduced(mean=False),
    "Reshape": _reshape,
    "Slice": _slice,
    "Squeeze": _squeeze,
    ONE_PART: _part_of_split,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
"""What each operator does."""
