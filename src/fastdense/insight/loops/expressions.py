"""Expressions of a loop's body, for all its turns at once."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

from fastdense.insight.loops import calls
from fastdense.insight.loops.lifted import OWN, Axis, Lifted, Stuck, applied, calculated, together
from fastdense.insight.loops.scope import Scope, arange, bind
from fastdense.insight.loops.trees import indices, place, subscript

__all__ = ["lift"]


def lift(node: ast.expr, scope: Scope) -> Lifted:
    """Return an expression's value for all turns.

    Raises
    ------
    Stuck
        It is none that whole arrays can have.
    """
    if not scope.depends(node) and not any(
        isinstance(n, ast.ListComp | ast.GeneratorExp) for n in ast.walk(node)
    ):
        _refuse_impure(node, scope)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            raise Stuck("it makes text")
        return Lifted(node, open=not isinstance(node, ast.Constant))
    handler = _HANDLERS.get(type(node))
    value = None if handler is None else handler(node, scope)
    if value is None:
        raise Stuck(f"it uses {ast.unparse(node)[:60]}")
    return value


def _is_pure(node: ast.Call, scope: Scope) -> bool:
    """Return True if a call returns the same each time, judged by its name."""
    name = ast.unparse(node.func)
    first, _, rest = name.partition(".")
    if first in (scope.numpy, "math") and rest:
        return not rest.startswith("random")
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    return name in _PURE or name in scope.functions or method in _PURE_METHODS


_PURE = ("len", "abs", "min", "max", "sum", "float", "int", "round", "range")
_PURE_METHODS = {"dot", "sum", "mean", "max", "min", "std", "var"}
_PURE_METHODS |= {"astype", "reshape", "ravel", "flatten", "copy"}


def _binary(node: ast.BinOp, scope: Scope) -> Lifted:
    left, right = lift(node.left, scope), lift(node.right, scope)
    if isinstance(node.op, ast.MatMult):
        return calls.product(left, right, scope)
    value = calculated(left, node.op, right)
    if not isinstance(node.op, ast.Mult):
        return value
    return replace(value, factors=(*(left.factors or (left,)), *(right.factors or (right,))))


def _unary(node: ast.UnaryOp, scope: Scope) -> Lifted:
    operand = [lift(node.operand, scope)]
    if isinstance(node.op, ast.Not):
        return applied(f"{scope.numpy}.logical_not", operand)
    return together(operand, lambda n: ast.UnaryOp(node.op, n[0]))


def _comparison(node: ast.Compare, scope: Scope) -> Lifted | None:
    if len(node.ops) != 1:
        return None
    operands = [lift(node.left, scope), lift(node.comparators[0], scope)]
    return together(operands, lambda n: ast.Compare(n[0], node.ops, [n[1]]))


def _both_or_either(node: ast.BoolOp, scope: Scope) -> Lifted:
    if not all(isinstance(value, ast.Compare | ast.BoolOp | ast.UnaryOp) for value in node.values):
        raise Stuck(f"it chooses between values by {ast.unparse(node)[:60]}")
    name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
    operands = [lift(operand, scope) for operand in node.values]
    return reduce(lambda a, b: applied(f"{scope.numpy}.{name}", [a, b]), operands)


def _attribute(node: ast.Attribute, scope: Scope) -> Lifted | None:
    return Lifted(node, open=True) if node.attr == "T" and not lift(node.value, scope).turns else None


def _refuse_impure(node: ast.AST, scope: Scope) -> None:
    """Refuse calls that give another result each time they are made."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and not _is_pure(inner, scope):
            name = ast.unparse(inner.func)
            raise Stuck(f"it calls {name}, which may give something else each time")


def _name(node: ast.Name, scope: Scope) -> Lifted:
    name = node.id
    if name in scope.values:
        return scope.values[name]
    if name in scope.indices:
        return arange(scope.indices[name], scope)
    if name in scope.stored:
        raise Stuck(f"it reads all of {name} while it fills it")
    raise Stuck(f"a turn needs what the one before it made of {name}")


def _choice(node: ast.IfExp, scope: Scope) -> Lifted:
    """Return ``where``, or ``maximum`` if that is what it chooses."""
    test, body, orelse = node.test, node.body, node.orelse
    match test:
        case ast.Compare(left, [ast.Gt() | ast.GtE()], [right]):
            same = {ast.unparse(left), ast.unparse(right)} == {ast.unparse(body), ast.unparse(orelse)}
            if same and ast.unparse(left) == ast.unparse(body):
                return applied(f"{scope.numpy}.maximum", [lift(left, scope), lift(right, scope)])
    return applied(f"{scope.numpy}.where", [lift(part, scope) for part in (test, body, orelse)])


def _comprehension(node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Lifted:
    """Return the array of a comprehension's elements."""
    element, generators = node.elt, node.generators
    if len(generators) != 1 or generators[0].ifs or generators[0].is_async:
        raise Stuck("it has a comprehension with a condition or of several loops")
    values, indices = dict(scope.values), dict(scope.indices)
    axis = bind(generators[0].target, generators[0].iter, _depth(scope), scope)
    value = lift(element, scope)
    scope.values, scope.indices = values, indices
    if axis not in value.axes:
        raise Stuck("it repeats an element")
    is_table = axis.depth == 0 and value.axes[0] is axis  # which ends the expression
    if OWN in value.axes and not is_table:
        raise Stuck("it makes lists within lists")
    factors = tuple(factor.along(axis, OWN) for factor in value.factors)
    return replace(value.along(axis, OWN), factors=factors)


def _depth(scope: Scope) -> int:
    axes = [axis for value in scope.values.values() for axis in value.turns]
    return max((axis.depth + 1 for axis in (*axes, *scope.indices.values())), default=0)


def _subscript(node: ast.Subscript, scope: Scope) -> Lifted:
    """Return an array's elements: indices of loops become axes, slices stay, fixed ones vanish."""
    if any(isinstance(item, ast.Slice) for item in indices(node.value)[1]):
        raise Stuck(f"it uses {ast.unparse(node)[:60]}")
    base, items = indices(node)
    text = ast.unparse(base)
    if text in scope.stored and scope.stored[text] != {place(items)}:
        raise Stuck(f"it reads {ast.unparse(node)} while it fills {text}")
    value = scope.values.get(text) if isinstance(base, ast.Name) else None
    if value is None and scope.depends(base) and text not in scope.stored:
        raise Stuck(f"it uses {ast.unparse(node)[:60]}")
    axes = [_axis(item, scope) for item in items]
    if any(axis is None for axis in axes):
        if value is not None:
            raise Stuck(f"it uses {ast.unparse(node)[:60]}")
        return _chosen(base, items, scope)
    return _of_local(value, axes, node) if value is not None else _of_array(base, items, axes, scope)


Place = Axis | str | None


def _axis(item: ast.expr, scope: Scope) -> Place:
    """Return the axis that an index makes: "" for none, None if it is an array of indices."""
    match item:
        case ast.Name(name) if name in scope.indices:
            return scope.indices[name]
        case ast.Slice() if not scope.depends(item):
            return OWN
    if not scope.depends(item):
        return ""
    value = lift(item, scope)
    if isinstance(item, ast.Subscript | ast.Name) and len(value.axes) == 1:
        return None
    raise Stuck(f"its index {ast.unparse(item)} is that of another turn")


def _of_array(base: ast.expr, items: list[ast.expr], axes: list[Place], scope: Scope) -> Lifted:
    found = tuple(axis for axis in axes if isinstance(axis, Axis))
    if len(set(found)) != len(found):
        raise Stuck(f"it goes along a diagonal of {ast.unparse(base)}")
    rank = scope.ranks.get(ast.unparse(base))
    if rank == 2 and len(items) == 1:
        found, axes, items = (*found, OWN), [*axes, OWN], [*items, ast.Slice()]
    scope.learn(base, tuple(a if isinstance(a, Axis) else Axis("1", 0, ":") for a in axes))
    for axis in found:
        if axis is not OWN:
            kind = "columns" if axes.index(axis) else "rows" if len(items) > 1 else "elements"
            scope.over.setdefault(axis, f"the {kind} of {ast.unparse(base)}")
    kept = [
        item if axis == "" or axis is OWN else ast.Slice() for item, axis in zip(items, axes, strict=True)
    ]
    return Lifted(_indexed(base, kept), found, open=len(items) == 1 and rank is None)


def _of_local(value: Lifted, axes: list[Place], node: ast.Subscript) -> Lifted:
    """Return the elements of a row or column that has a name."""
    (axis,) = axes if len(axes) == 1 else (None,)
    if not isinstance(axis, Axis) or axis is OWN or not value.may_be_vector:
        raise Stuck(f"it uses {ast.unparse(node)[:60]}")
    if axis in value.axes:
        raise Stuck(f"it goes along a diagonal, {ast.unparse(node)[:60]}")
    return value.each(axis)


def _chosen(base: ast.expr, items: list[ast.expr], scope: Scope) -> Lifted:
    """Return elements that are chosen by arrays of indices, such as ``p[i, y[i]]``."""
    if scope.depends(base):
        raise Stuck(f"it uses {ast.unparse(base)[:60]}")
    lifted = [lift(item, scope) for item in items]
    axes = {value.axes for value in lifted if value.axes}
    if len(axes) != 1 or any(isinstance(item, ast.Slice) for item in items):
        raise Stuck(f"it chooses elements of {ast.unparse(base)} in a way of its own")
    scope.remark(f"{ast.unparse(base)} must be an array")
    return Lifted(_indexed(base, [value.node for value in lifted]), axes.pop(), open=len(items) == 1)


def _indexed(base: ast.expr, items: list[ast.expr]) -> ast.expr:
    while items and isinstance(items[-1], ast.Slice) and ast.unparse(items[-1]) == ":":
        items = items[:-1]
    return subscript(base, items) if items else base


_HANDLERS: dict[type, Callable[[Any, Scope], Lifted | None]] = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _both_or_either,
    ast.Call: lambda node, scope: calls.lift_call(node, scope, lift),
    ast.Compare: _comparison,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _choice,
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.Subscript: _subscript,
    ast.UnaryOp: _unary,
}
