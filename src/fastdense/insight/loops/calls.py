"""Calls of functions in a loop's body, for all its turns at once."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from functools import reduce

import numpy as np

from fastdense.insight.loops.lifted import OWN, Lifted, Stuck, applied, dot, reduced, together
from fastdense.insight.loops.scope import Scope
from fastdense.insight.loops.trees import names_in

__all__ = ["lift_call", "product", "takes_arrays"]

Lift = Callable[[ast.expr, Scope], Lifted]

# Functions of Python's and of its math module, with NumPy's of the same meaning.
ELEMENTWISE = {
    "abs": "abs",
    "pow": "power",
    "round": "round",
    "math.pow": "power",
    "math.fabs": "abs",
    "math.fmax": "maximum",
    "math.fmin": "minimum",
    "math.hypot": "hypot",
    "math.atan2": "arctan2",
    "math.asin": "arcsin",
    "math.acos": "arccos",
    "math.atan": "arctan",
    **{
        f"math.{name}": name
        for name in ("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt")
    },
    **{f"math.{name}": name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil")},
    **{f"math.{name}": name for name in ("isnan", "isinf", "isfinite", "copysign")},
}
_OF_TWO = ("pow", *(f"math.{name}" for name in ("pow", "fmax", "fmin", "hypot", "atan2", "copysign")))
REDUCTIONS = {
    "sum": "sum",
    "max": "max",
    "min": "min",
    "any": "any",
    "all": "all",
    **{name: name for name in ("mean", "prod", "argmax", "argmin", "std", "var", "median")},
}
PRODUCTS = ("dot", "inner", "matmul", "vdot")
SAME = ("array", "asarray", "squeeze", "asanyarray")  # of a vector that is one already


def lift_call(node: ast.Call, scope: Scope, lift: Lift) -> Lifted:
    """Return a call's value for all turns; ``lift`` that of its arguments."""
    name = _name(node, scope)
    if name in scope.functions:
        return _function(name, node, scope, lift)
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        raise Stuck(f"it calls {name} with *arguments")
    value = _known(name, node, scope, lift)
    if value is not None:
        return value
    if isinstance(node.func, ast.Attribute) and scope.depends(node.func.value):
        return _method(node.func.value, node.func.attr, node, scope, lift)
    return _function(name, node, scope, lift)


def _known(name: str, node: ast.Call, scope: Scope, lift: Lift) -> Lifted | None:
    """Return the value of a call of a function that is known by its name."""
    match name.removeprefix("numpy."), node.args:
        case ("float", [one]):
            return lift(one, scope)
        case ("int" | "bool" as kind, [one]):
            astype = lambda n: ast.Call(ast.Attribute(n[0], "astype"), [ast.Name(kind)], [])  # noqa: E731
            return together([lift(one, scope)], astype)
        case short, [one] if name != short and short in SAME:
            return lift(one, scope)
        case short, [one, other] if name != short and short in PRODUCTS:
            return product(lift(one, scope), lift(other, scope), scope)
        case ("max" | "min" as short, [_, _, *_] as several) if name == short:
            values = [lift(each, scope) for each in several]
            return reduce(lambda a, b: applied(f"{scope.numpy}.{short}imum", [a, b]), values)
        case short, [one] if short in REDUCTIONS and not node.keywords:
            return _reduction(f"{scope.numpy}.{REDUCTIONS[short]}", lift(one, scope), scope)
    return None


def _name(node: ast.Call, scope: Scope) -> str:
    """Return a function's name, NumPy's beginning with ``numpy.`` however it was imported."""
    name = ast.unparse(node.func)
    first, _, rest = name.partition(".")
    return f"numpy.{rest}" if rest and first == scope.numpy else name


def product(a: Lifted, b: Lifted, scope: Scope) -> Lifted:
    """Return ``a @ b`` of each turn."""
    result = dot(a, b, OWN, scope.numpy)
    for value in (a, b):
        _learn(value, scope)
        _tell(value, scope)
    scope.does.append("a dot product each")
    return result


def _tell(value: Lifted, scope: Scope) -> None:
    """Keep that a loop went over a matrix' rows or columns, which its subscript does not always say."""
    for axis in value.turns:
        if scope.over.get(axis, "").startswith("the elements"):
            kind = "columns" if value.axes[0] is OWN else "rows"
            scope.over[axis] = f"the {kind} of {scope.over[axis].removeprefix('the elements of ')}"


def _reduction(function: str, value: Lifted, scope: Scope) -> Lifted:
    along = [factor for factor in value.factors if factor.may_be_vector]
    if function.endswith(".sum") and len(along) == 2 == len(value.factors):
        return product(along[0], along[1], scope)
    _learn(value, scope)
    if value.open and value.axes:  # it has rows, then, and so has all that it is made of
        for name in set(names_in(value.node)):
            axes = scope.shapes.get(name, ())
            if len(axes) == 1 and name not in scope.ranks:
                scope.learn(ast.Name(name), (*axes, OWN))
    return reduced(function, value, OWN)


def _learn(value: Lifted, scope: Scope) -> None:
    """Keep that an array's elements are vectors, which its subscript does not say."""
    if value.open and value.turns and isinstance(value.node, ast.Name):
        scope.learn(value.node, (*value.axes, OWN))


def _method(owner: ast.expr, method: str, node: ast.Call, scope: Scope, lift: Lift) -> Lifted:
    value = lift(owner, scope)
    if method == "dot" and len(node.args) == 1:
        return product(value, lift(node.args[0], scope), scope)
    if method in REDUCTIONS and not node.args and not node.keywords:
        return _reduction(f"{scope.numpy}.{method}", value, scope)
    if method == "item" and not node.args:
        return value
    raise Stuck(f"it calls the method {method}")


def _function(name: str, node: ast.Call, scope: Scope, lift: Lift) -> Lifted:
    """Return a function's value, called once with all turns instead of once a turn."""
    if name not in scope.functions and hasattr(builtins, name) and name not in ELEMENTWISE:
        raise Stuck(f"it calls {name}")
    if "random" in name or "rng" in name:
        raise Stuck(f"it calls {name}, which may give something else each time")
    values = [lift(argument, scope) for argument in node.args]
    if any(scope.depends(keyword.value) for keyword in node.keywords) or not any(v.axes for v in values):
        raise Stuck(f"it calls {name} in a way that changes on the way")
    if name.startswith("numpy.") and not _is_elementwise(name.removeprefix("numpy.")):
        raise Stuck(f"it calls {name.replace('numpy', scope.numpy, 1)}")
    known = (
        f"{scope.numpy}.{ELEMENTWISE[name]}" if name in ELEMENTWISE and name not in scope.functions else None
    )
    if known is not None and len(node.args) != (2 if name in _OF_TWO else 1):
        raise Stuck(f"it calls {name} with {len(node.args)} arguments")
    function = ast.parse(known, mode="eval").body if known else node.func
    if known is None and not name.startswith("numpy."):
        may_be_rows = any(value.axes and value.open for value in values)
        rows = [v for v in values if OWN in v.axes or (v.open and v.axes and name in scope.multiplying)]
        if rows:
            return _of_rows(name, node, values, scope)
        _ask_for_arrays(name, scope, may_be_rows)
    return together(values, lambda n: ast.Call(function, n, node.keywords))


def _is_elementwise(name: str) -> bool:
    """Return True if a function of NumPy's takes arrays of any shape, number by number."""
    return name in ("clip", "where", "round", "real", "imag", "nan_to_num") or isinstance(
        getattr(np, name, None), np.ufunc
    )


def _of_rows(name: str, node: ast.Call, values: list[Lifted], scope: Scope) -> Lifted:
    """Return a call with a row in each turn as one call with all rows."""
    axes = {value.turns for value in values if value.axes}
    if name not in scope.multiplying:
        raise Stuck(f"it calls {name} with a row each, and nothing here tells that {name} takes a matrix")
    if len(axes) != 1 or any(value.axes and value.axes[0] is OWN for value in values):
        raise Stuck(f"it calls {name} with parts of several arrays")
    for value in values:
        _learn(value, scope)
        _tell(value, scope)
    scope.does.append(f"one call of {name} each")
    scope.remark(
        f"{name} is then called once, with all rows: write its own products so that they take a matrix"
    )
    result = ast.Call(node.func, [value.node for value in values], node.keywords)
    return Lifted(result, axes.pop(), open=True)


def _ask_for_arrays(name: str, scope: Scope, always: bool) -> None:
    function = scope.functions.get(name)
    what = None if function is None else takes_arrays(function)
    if what:
        scope.remark(f"{name} takes one number at a time, for it uses {what}: {_instead(what, scope)}")
    elif function is None or always:
        scope.remark(f"{name} must take arrays")


def _instead(what: str, scope: Scope) -> str:
    if what in ELEMENTWISE:
        return f"write {scope.numpy}.{ELEMENTWISE[what]} there"
    if what in ("max", "min"):
        return f"write {scope.numpy}.{what}imum there"
    return f"use {scope.numpy}.where there"


def takes_arrays(function: ast.FunctionDef) -> str | None:
    """Return what in a function takes one number only, or None.

    Examples
    --------
    >>> takes_arrays(ast.parse("def relu(z): return max(0, z)").body[0])
    'max'
    """
    arguments = {argument.arg for argument in function.args.args}
    for inner in ast.walk(function):
        if isinstance(inner, ast.Call):
            name = ast.unparse(inner.func)
            if name.startswith("math.") or (name in ("max", "min") and len(inner.args) > 1):
                return name
        if isinstance(inner, ast.If | ast.IfExp | ast.While) and not arguments.isdisjoint(
            names_in(inner.test)
        ):
            return "if"
    return None
