"""Trees of expressions: made, and taken apart."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["assigned_names", "call", "indices", "names_in", "parse", "place", "put", "subscript", "texts_in"]


def parse(text: str) -> ast.expr:
    """Return the tree of an expression."""
    return ast.parse(text, mode="eval").body


def call(function: str, *arguments: ast.expr, **keywords: ast.expr) -> ast.expr:
    """Return the tree of a call."""
    named = [ast.keyword(name, value) for name, value in keywords.items()]
    return ast.Call(parse(function), list(arguments), named)


def subscript(base: ast.expr, items: list[ast.expr]) -> ast.expr:
    """Return the tree of ``base[items]``."""
    return ast.Subscript(base, items[0] if len(items) == 1 else ast.Tuple(items, ast.Load()), ast.Load())


def indices(node: ast.expr) -> tuple[ast.expr, list[ast.expr]]:
    """Return what is indexed, and the indices: of ``X[i][j]`` those of ``X[i, j]``."""
    items: list[ast.expr] = []
    while isinstance(node, ast.Subscript):
        items = [*(node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]), *items]
        node = node.value
    return node, items


def place(items: list[ast.expr]) -> str:
    """Return indices as they are written."""
    return ", ".join(map(ast.unparse, items))


def names_in(node: ast.AST) -> Iterator[str]:
    """Yield the names in a tree."""
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))


def assigned_names(node: ast.AST) -> set[str]:
    """Return the names that statements in a tree assign."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def put(node: Any, new: Callable[[ast.AST], ast.AST | None]) -> Any:
    """Return a tree with other nodes in the places for which ``new`` returns one."""
    if isinstance(node, list):
        return [put(each, new) for each in node]
    if not isinstance(node, ast.AST):
        return node
    if (found := new(node)) is not None:
        return found
    copied = copy.copy(node)
    for name, value in ast.iter_fields(node):
        setattr(copied, name, put(value, new))
    return copied


def texts_in(node: ast.AST) -> set[str]:
    """Return the names in a tree, and the attributes of what has a name, as they are written."""
    return {ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, ast.Name | ast.Attribute)}
