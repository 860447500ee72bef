"""Values with a loop's turns as an axis: what an expression is for all turns at once."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fastdense.insight.loops.trees import call, parse

__all__ = ["OWN", "Axis", "Lifted", "Stuck", "applied", "calculated"]
__all__ += ["dot", "reduced", "reordered", "together", "total"]


class Stuck(Exception):  # noqa: N818  (a reason, and no error of the caller's)
    """Why a loop cannot be written as operations on whole arrays; the message is for the reader."""


@dataclass(frozen=True)
class Axis:
    """What a loop runs over.

    Attributes
    ----------
    name : str
        The loop's variable, or another name that no other loop has.
    depth : int
        How many loops are around it.
    size : str
        How many turns it has, as the source says it.
    """

    name: str
    depth: int
    size: str


OWN = Axis("", 10**6, "n")
"""An axis that no loop runs over: of the vector that is a row of a matrix, or one of its columns."""


@dataclass(frozen=True)
class Lifted:
    """An expression for all turns of the loops around it.

    Attributes
    ----------
    node : ast.expr
    axes : tuple of Axis
        The array's, first to last. None: the same number or array in every turn.
    open : bool
        Whether it may have axes of its own after these.
    factors : tuple of Lifted
        What was multiplied, if it is a product.
    """

    node: ast.expr
    axes: tuple[Axis, ...] = ()
    open: bool = False
    factors: tuple[Lifted, ...] = ()

    @property
    def turns(self) -> tuple[Axis, ...]:
        """The axes that loops run over."""
        return tuple(axis for axis in self.axes if axis is not OWN)

    @property
    def may_be_vector(self) -> bool:
        """Whether each turn's value is a vector, as far as is known."""
        return self.open or OWN in self.axes

    def each(self, axis: Axis) -> Lifted:
        """Return the elements of each turn's vector, which a loop along ``axis`` goes over."""
        own = self if OWN in self.axes else replace(self, axes=(*self.axes, OWN))
        return replace(own.along(OWN, axis), open=False)

    def along(self, axis: Axis, instead: Axis) -> Lifted:
        """Return the value with one axis taken for another."""
        return replace(self, axes=tuple(instead if own is axis else own for own in self.axes), factors=())


def applied(function: str, operands: Sequence[Lifted]) -> Lifted:
    """Return a function of numbers, called with arrays."""
    return together(operands, lambda nodes: call(function, *nodes))


def calculated(left: Lifted, operator: ast.operator, right: Lifted) -> Lifted:
    """Return what an operator makes of two values."""
    return together([left, right], lambda nodes: ast.BinOp(nodes[0], operator, nodes[1]))


def together(operands: Sequence[Lifted], build: Callable[[list[ast.expr]], ast.expr]) -> Lifted:
    """Return an operation on numbers, done on arrays: their axes side by side, as broadcasting has them."""
    axes = _joint([operand.axes for operand in operands])
    node = build([_spread(operand, axes) for operand in operands])
    closed = any(operand.axes and not operand.open for operand in operands)
    return Lifted(node, axes, any(operand.open for operand in operands) and not closed)


def _joint(all_axes: list[tuple[Axis, ...]]) -> tuple[Axis, ...]:
    """Return all axes, in the order of the value that has them all, else from the outer loop to the inner."""
    longest = max(all_axes, key=len, default=())
    every = set().union(*all_axes)
    return longest if every == set(longest) else tuple(sorted(every, key=lambda axis: axis.depth))


def _spread(value: Lifted, axes: tuple[Axis, ...]) -> ast.expr:
    """Return a value's tree with an axis of length 1 for each that it lacks, except for those in front."""
    if not value.axes:
        return value.node
    node = reordered(value, tuple(axis for axis in axes if axis in value.axes)).node
    missing = [axis not in value.axes for axis in axes[axes.index(_first(value, axes)) :]]
    if not any(missing):
        return node
    last = max(place for place, absent in enumerate(missing) if absent)  # axes behind it go without saying
    items = [parse("None") if absent else ast.Slice() for absent in missing[: last + 1]]
    return ast.Subscript(node, ast.Tuple(items, ast.Load()), ast.Load())


def _first(value: Lifted, axes: tuple[Axis, ...]) -> Axis:
    return next(axis for axis in axes if axis in value.axes)


def reordered(value: Lifted, axes: tuple[Axis, ...]) -> Lifted:
    """Return a value with its axes in another order."""
    if value.axes == axes:
        return value
    if len(axes) != 2 or set(axes) != set(value.axes):
        raise Stuck("its axes come in another order than those of the result")
    return replace(value, node=_transposed(value.node), axes=axes, factors=())


def _transposed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def dot(a: Lifted, b: Lifted, axis: Axis = OWN, numpy: str = "np") -> Lifted:
    """Return the sum of the products of two values along an axis that both have."""
    a, b = (_with(value, axis) for value in (a, b))
    rest = [tuple(other for other in value.axes if other is not axis) for value in (a, b)]
    if max(map(len, rest)) > 1:
        raise Stuck("it sums over products of more than two axes; numpy.einsum does that")
    if rest[0] and rest[0] == rest[1]:
        return reduced(f"{numpy}.sum", calculated(a, ast.Mult(), b), axis)
    depths = [own[0].depth if own else None for own in rest]
    if _swaps(depths, [value.axes[0] is axis for value in (a, b)]):
        a, b, rest = b, a, rest[::-1]
    left = a.node if a.axes[-1] is axis else _transposed(a.node)
    right = b.node if b.axes[0] is axis else _transposed(b.node)
    return Lifted(ast.BinOp(left, ast.MatMult(), right), rest[0] + rest[1])


def _with(value: Lifted, axis: Axis) -> Lifted:
    """Return a value with the axis that it is summed along, which may not have been known so far."""
    if axis in value.axes:
        return value
    if axis is not OWN or not value.open:
        raise Stuck("it multiplies a number where a vector is needed")
    return replace(value, axes=(*value.axes, OWN), open=False)


def _swaps(depths: list[int | None], first: list[bool]) -> bool:
    """Return True if the second value comes first in the product, as that of the outer loop."""
    if depths[0] is not None and depths[1] is not None:
        return depths[0] > depths[1]
    if depths[0] is not None:
        return first[0]  # vector @ matrix, whose columns were taken
    return depths[1] is not None and not first[1]  # matrix @ vector


def reduced(function: str, value: Lifted, axis: Axis, to_number: bool = True) -> Lifted:
    """Return a sum, mean or maximum along an axis; what may be rows stays rows unless ``to_number``."""
    may_be_rows = value.open and axis in value.axes and not to_number
    value = _with(value, axis)
    rest = tuple(other for other in value.axes if other is not axis)
    place = {"axis": ast.Constant(value.axes.index(axis))} if rest or may_be_rows else {}
    return Lifted(call(function, value.node, **place), rest)


def total(value: Lifted, axis: Axis, numpy: str, to_number: bool) -> Lifted:
    """Return the sum over a loop's turns: as a matrix product if it is one."""
    if axis not in value.axes:
        raise Stuck("it adds the same in every turn")
    along = [factor for factor in value.factors if axis in factor.axes]
    if len(along) != 2:
        return reduced(f"{numpy}.sum", value, axis, to_number)
    others = [factor for factor in value.factors if axis not in factor.axes]
    product = dot(along[0], along[1], axis, numpy)
    for factor in others:
        product = calculated(product, ast.Mult(), factor)
    return product
