"""Python source as a tree, never run."""

from __future__ import annotations

import ast

from fastdense.insight.loops.trees import names_in

__all__ = ["LARGEST", "lengths_in", "numpy_name", "read"]

LARGEST = 2**20
"""Characters. The longest modules of well-known libraries have half as many; data have more."""


def read(source: str, name: str) -> ast.Module:
    """Return the tree of a file's source.

    Raises
    ------
    ValueError
        It is too long or no Python.
    """
    if len(source) > LARGEST:
        raise ValueError(
            f"{name}: {len(source):,} characters are too many to look through; at most {LARGEST:,}"
        )
    try:
        return ast.parse(source)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise ValueError(f"{name}, line {error.lineno}: not Python: {error.msg}: {line:.80}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # null characters; brackets in brackets
        raise ValueError(
            f"{name}: not Python that can be read: {str(error) or type(error).__name__}"
        ) from None


def numpy_name(tree: ast.Module) -> str:
    """Return the name that a file imports NumPy by."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "numpy":
                    return alias.asname or "numpy"
    return "np"


def lengths_in(tree: ast.Module) -> set[str]:
    """Return the names that a file gives the lengths of arrays to."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                pairs = list(zip(targets, values, strict=False))
            case ast.Assign([target], value):
                pairs = [(target, value)]
            case _:
                continue
        for target, value in pairs:
            text = ast.unparse(value)
            if text.startswith("len(") or ".shape" in text or text.endswith(".size"):
                found |= set(names_in(target))
    return found
