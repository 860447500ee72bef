"""What a loop goes over and does, in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fastdense.insight.loops.lifted import OWN, Axis
from fastdense.insight.loops.scope import Scope

__all__ = ["described", "shape_lines"]


def described(scope: Scope, loop: ast.AST) -> str:
    """Return what a loop goes over and does, in words."""
    kind = "a loop" if isinstance(loop, ast.For) else "a comprehension"
    over = " and ".join(dict.fromkeys(scope.over.values())) or "numbers"
    does = ", ".join(dict.fromkeys(scope.does or ["one number at a time"]))
    if does == "appended one by one":
        does = "one number at a time, appended one by one"
    return f"{kind} over {over}, {does}"


def shape_lines(scope: Scope) -> Iterator[str]:
    """Yield arrays with their shapes, as far as they are known."""
    for name, axes in scope.shapes.items():
        sizes = ", ".join(map(_size, axes))
        yield f"{name} ({sizes}{',' if len(axes) == 1 else ''})"


def _size(axis: Axis) -> str:
    return "n" if axis is OWN else "..." if axis.size == ":" else axis.size
