"""The statements before a loop that make what it fills."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from fastdense.insight.loops.lifted import Stuck
from fastdense.insight.loops.statements import Definition, Result
from fastdense.insight.loops.trees import names_in

__all__ = ["adds_up", "is_number", "maker", "makes_room", "refuse_other_containers"]


def maker(name: str, before: Sequence[ast.stmt]) -> ast.Assign | None:
    """Return the statement that makes what a loop fills, empty."""
    for statement in reversed(before):
        match statement:
            case ast.Assign([ast.Name(target)], value) if target == name:
                return statement if _is_empty(value) else None
        if name in names_in(statement):
            return None
    return None


def _is_empty(value: ast.expr) -> bool:
    match value:
        case ast.List([]) | ast.Constant(0) | ast.Call(ast.Name("list"), []):
            return True
        case ast.Call(function):
            name = ast.unparse(function).rpartition(".")[2]
            return name in ("zeros", "empty", "zeros_like", "empty_like")
        case ast.BinOp(ast.List([_]), ast.Mult()) | ast.ListComp(
            ast.Constant(0) | ast.BinOp(ast.List([ast.Constant(0)]))
        ):
            return True
    return False


def is_number(made: ast.Assign | None) -> bool:
    """Return True if a name starts as a number."""
    return made is not None and isinstance(made.value, ast.Constant)


def adds_up(loop: ast.For, before: Sequence[ast.stmt]) -> bool:
    """Return True if a loop adds to a name that starts as a number."""
    names = {
        n.target.id for n in ast.walk(loop) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
    }
    return any(is_number(maker(name, before)) for name in names)


def makes_room(made: ast.Assign, result: Result) -> bool:
    """Return True if a statement only makes room for what the loop fills."""
    if isinstance(result.value, ast.Compare):
        return False  # truth values, where there were numbers
    match made.value:
        case ast.Call(_, [ast.Tuple(sizes)], []) if len(sizes) != result.rank:
            return False
        case ast.Call(function, [_], []):
            return ast.unparse(function).rpartition(".")[2] in ("zeros", "empty")
        case ast.BinOp(ast.List([ast.Constant(value)])):
            return value == 0 or result.how == "="
    return (
        isinstance(made.value, ast.List | ast.ListComp | ast.Constant) or ast.unparse(made.value) == "list()"
    )


def refuse_other_containers(
    found: Sequence[Definition | Result], before: Sequence[ast.stmt], after: Sequence[ast.stmt]
) -> None:
    """Refuse a container that is filled but is not an array, or that is used as a list afterwards."""
    for result in found:
        if isinstance(result, Result):
            for statement in before:
                _refuse_made(result, statement)
            for node in (n for statement in after for n in ast.walk(statement)):
                _refuse_list(result, node)


def _refuse_made(result: Result, statement: ast.stmt) -> None:
    """Refuse a statement that makes a result something other than an array of its own."""
    match statement:
        case ast.Assign([ast.Name(name)], value) if name == result.name:
            pass
        case _:
            return
    match value:
        case ast.Call(_, [ast.Tuple([*sizes, ast.Constant(1)])]) if result.rank == len(sizes):
            raise Stuck(f"it fills {name}, a matrix of one column, row by row")
        case ast.Dict() | ast.Call(ast.Name("dict")):
            raise Stuck(f"it fills {name}, which is a dictionary")
        case ast.Name(other) if result.how != "append":
            raise Stuck(f"it fills {name}, which is {other} too")


def _refuse_list(result: Result, node: ast.AST) -> None:
    match node:
        case ast.Call(ast.Attribute(ast.Name(name), "append" | "extend" | "pop" | "insert" | "index")):
            if name == result.name:
                raise Stuck(f"{name} is used as a list after it, in line {node.lineno}")
