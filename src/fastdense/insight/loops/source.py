"""Python source as a tree, never run."""

from __future__ import annotations

import ast

__all__ = ["LARGEST", "numpy_name", "read"]

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
