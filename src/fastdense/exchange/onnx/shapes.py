"""The shapes of values, the number of rows and other sizes being open; and those that a graph computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import FormatError

__all__ = ["OF_SHAPES", "Shape", "Sizes", "computed", "resolved"]

Shape = tuple[int, ...]
"""Sizes of axes; those below 0 are open, and `Sizes` knows what stands in for them."""

_TRIALS = ((101, 211), (103, 223), (107, 227), (109, 229), (113, 233), (127, 239), (131, 241), (137, 251))
_MOST_AXES = 8
_MOST_SIZES = 64  # of a computed shape


class Sizes:
    """Two trials of numbers for each open size: what comes out in both tells which sizes went in."""

    def __init__(self) -> None:
        self._trials: list[tuple[int, int]] = []

    def open(self) -> int:
        """Return a new open size."""
        if len(self._trials) == len(_TRIALS):
            raise FormatError("it has more open sizes than a dense network's file has")
        self._trials.append(_TRIALS[len(self._trials)])
        return -len(self._trials)

    def concrete(self, shape: Shape, trial: int) -> Shape:
        """Return a shape with the numbers of a trial, 0 or 1, for its open sizes."""
        return tuple(size if size >= 0 else self._trials[-size - 1][trial] for size in shape)

    def recognised(self, shapes: Sequence[Shape]) -> Shape | None:
        """Return the shape that became these in the two trials; None if no sizes known here explain them."""
        first, second = shapes
        if len(first) != len(second):
            return None
        found = []
        for pair in zip(first, second, strict=True):
            if pair[0] == pair[1]:
                found.append(pair[0])
            elif pair in self._trials:
                found.append(-1 - self._trials.index(pair))
            else:
                return None
        return tuple(found)


def resolved(shape: Shape, target: Sequence[int], allow_zero: bool = False) -> Shape:
    """Return the sizes that a Reshape to ``target`` makes; FormatError if they do not fit."""
    sizes = [int(size) for size in target]
    if len(sizes) > _MOST_AXES:
        raise FormatError(f"it makes {len(sizes)} axes")
    if not allow_zero:
        sizes = [shape[i] if size == 0 and i < len(shape) else size for i, size in enumerate(sizes)]
    total, known = (
        int(np.prod(shape, dtype=object)),
        int(np.prod([s for s in sizes if s != -1], dtype=object)),
    )
    if sizes.count(-1) == 1 and known > 0 and total % known == 0:
        sizes[sizes.index(-1)] = total // known
    elif known != total or min(sizes, default=1) < 1:
        raise FormatError(f"it makes another shape of the rows, {list(map(int, target))}")
    return tuple(sizes)


def computed(
    nodes: Sequence[Any], name: str, known: Callable[[str], Array], shapes: Mapping[str, Shape]
) -> Shape:
    """Return the sizes that some nodes compute from the shapes of values.

    Parameters
    ----------
    nodes : sequence of Node
        In order, all with operators of `OF_SHAPES`.
    name : str
        The value that holds the sizes.
    known : callable
        Returns a constant by its name.
    shapes : mapping of str to Shape
        Of the values whose shapes are asked for.
    """
    needed, used = {name}, []
    for node in reversed(nodes):
        if node.outputs[0] in needed:
            used.append(node)
            needed.update(node.inputs if node.op not in ("Shape", "Size") else ())
    values: dict[str, Any] = {}
    for node in reversed(used):
        if node.op in ("Shape", "Size"):
            if node.inputs[0] not in shapes:
                raise FormatError(f"it needs the shape of {node.inputs[0]!r:.200}, which is not known here")
            inputs: list[Any] = [shapes[node.inputs[0]]]
        else:
            inputs = [None if not i else values[i] if i in values else known(i) for i in node.inputs]
        values[node.outputs[0]] = OF_SHAPES[node.op](node.attributes, *inputs)
        if np.size(values[node.outputs[0]]) > _MOST_SIZES:
            raise FormatError(f"{node} computes a shape of more than {_MOST_SIZES} axes")
    return tuple(int(size) for size in np.ravel(values[name]))


def _slice(attributes: dict[str, Any], shape: Any, starts: Any = None, ends: Any = None, *rest: Any) -> Any:
    """Return a part of a list; steps and axes other than the plain ones raise."""
    if any(one is not None and np.ravel(one).tolist() not in ([0], [1]) for one in rest):
        raise ValueError("a slice in steps")
    start = attributes.get("starts", starts)
    stop = attributes.get("ends", ends)
    return np.asarray(shape)[int(np.ravel(start)[0]) : int(np.ravel(stop)[0])]


def _shape(attributes: dict[str, Any], shape: Shape) -> Array:
    return np.asarray(shape, np.int64)[attributes.get("start", 0) : attributes.get("end")]


def _of_two(operation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda attributes, a, b: operation(np.int64(a), np.int64(b))


OF_SHAPES: dict[str, Callable[..., Any]] = {
    "Add": _of_two(np.add),
    "Cast": lambda attributes, a: a,
    "Concat": lambda attributes, *a: np.concatenate([np.atleast_1d(one) for one in a]),
    "Div": _of_two(np.floor_divide),
    "Gather": lambda attributes, a, i: np.asarray(a)[np.asarray(i, np.int64)],
    "Identity": lambda attributes, a: a,
    "Mul": _of_two(np.multiply),
    "ReduceProd": lambda attributes, a, *axes: np.atleast_1d(np.prod(np.int64(a))),
    "Reshape": lambda attributes, a, sizes: np.ravel(a),
    "Shape": _shape,
    "Size": lambda attributes, shape: np.prod(np.int64(shape)),
    "Slice": _slice,
    "Squeeze": lambda attributes, a, *axes: np.reshape(a, ()),
    "Sub": _of_two(np.subtract),
    "Unsqueeze": lambda attributes, a, *axes: np.atleast_1d(a),
}
"""The operators by which exporters compute a shape, each of which makes numbers or a list of them."""
