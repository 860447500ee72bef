"""Trees of expressions: made, and taken apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["call", "indices", "names_in", "parse", "place", "subscript", "texts_in"]


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


def texts_in(node: ast.AST) -> set[str]:
    """Return the names in a tree, and the attributes of what has a name, as they are written."""
    return {ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, ast.Name | ast.Attribute)}
