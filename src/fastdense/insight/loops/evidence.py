"""Judging whether a loop computes with numbers, or does something else, such as reading files."""

from __future__ import annotations

import ast
from collections.abc import Callable

__all__ = ["Evidence"]

_ACTIVATIONS = {"sigmoid", "relu", "tanh", "softmax", "gelu", "elu", "softplus", "activation", "g"}
_SHORT = 16  # turns that are written down, and not worth an array


class Evidence:
    """What a file's loops are judged by.

    Parameters
    ----------
    tree : ast.Module
    functions : dict of str to ast.FunctionDef
        The file's.
    numpy : str
        The name that NumPy is imported by.

    Attributes
    ----------
    multiplying : set of str
        The functions that multiply matrices or call one that does: those that a loop may call once a row.
    """

    def __init__(self, tree: ast.Module, functions: dict[str, ast.FunctionDef], numpy: str) -> None:
        self.numpy = numpy
        modules = {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
        modules |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        self.of_numbers = not modules.isdisjoint({"numpy", "math"})
        self.multiplying = _closed(functions, self._multiplies)
        self.numeric = _closed(functions, self._computes)

    def is_strong(self, loop: ast.AST) -> bool:
        """Return True if a loop certainly computes with numbers: then what prevents an array is reported."""
        calls = (n for n in ast.walk(loop) if isinstance(n, ast.Call))
        return self._multiplies(loop) or any(
            _owner(n) in (self.numpy, "math") or ast.unparse(n.func) in self.numeric | _ACTIVATIONS
            for n in calls
        )

    def is_numeric(self, loop: ast.For | ast.expr) -> bool:
        """Return True if a loop or a comprehension computes with numbers, and with more than a few."""
        if _is_short(loop):
            return False
        return self.is_strong(loop) or (self.of_numbers and any(map(_is_arithmetic, ast.walk(loop))))

    def _multiplies(self, node: ast.AST) -> bool:
        """Return True if matrices or vectors are multiplied, at once or number by number."""
        for inner in ast.walk(node):
            match inner:
                case ast.BinOp(_, ast.MatMult()) | ast.Call(ast.Attribute(_, "dot" | "matmul" | "inner")):
                    return True
                case ast.AugAssign(_, ast.Add(), ast.BinOp(ast.Subscript(), ast.Mult(), ast.Subscript())):
                    return True
                case ast.Call(
                    ast.Name("sum"),
                    [ast.GeneratorExp(ast.BinOp(_, ast.Mult())) | ast.ListComp(ast.BinOp(_, ast.Mult()))],
                ):
                    return True
        return False

    def _computes(self, node: ast.AST) -> bool:
        return any(isinstance(n, ast.Call) and _owner(n) in (self.numpy, "math") for n in ast.walk(node))


def _closed(functions: dict[str, ast.FunctionDef], is_one: Callable[[ast.AST], bool]) -> set[str]:
    """Return the names of the functions that are ones, or call one that is."""
    found = {name for name, function in functions.items() if is_one(function)}
    called = {
        name: {ast.unparse(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
        for name, function in functions.items()
    }
    while more := {name for name in functions.keys() - found if called[name] & found}:
        found |= more
    return found


def _owner(call: ast.Call) -> str:
    return ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def _is_arithmetic(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(ast.List() | ast.Tuple() | ast.Constant(str()), ast.Mult()):
            return False  # [0] * n
        case ast.BinOp(_, ast.Mult() | ast.Div() | ast.Sub() | ast.Pow()):
            return True
        case ast.AugAssign(ast.Name(), ast.Add() | ast.Sub(), ast.Subscript()):
            return True
        case ast.Compare(_, [ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()], [_]):
            return True
        case ast.Call(ast.Name("max" | "min"), [_, _, *_]):
            return True
        case ast.Call(ast.Attribute(_, "sum" | "mean")):
            return True
    return False


def _is_short(loop: ast.For | ast.expr) -> bool:
    """Return True if the elements that a loop goes over are written out."""
    node = next((n for n in ast.walk(loop) if isinstance(n, ast.For | ast.comprehension)), None)
    match node.iter if node is not None else None:
        case ast.Tuple() | ast.List() | ast.Set():
            return True
        case ast.Call(ast.Name("range"), [ast.Constant(int(stop))]):
            return stop <= _SHORT and not any(
                isinstance(n, ast.For) and n is not node for n in ast.walk(loop)
            )
    return False
