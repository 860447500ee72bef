"""Columns of texts as operators: what `Category` makes of raw texts, found by regular expressions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.exchange.onnx.nodes import Nodes
from fastdense.tables.cells import Cells
from fastdense.tables.columns import Category
from fastdense.tables.numerals import plain_number
from fastdense.tables.spellings import places_of

__all__ = ["category_of_texts", "is_of_numbers"]

# What str.strip() takes off, in the syntax of RE2, which ONNX Runtime matches with.
_BLANK = (
    r"\x{9}-\x{d}\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
)
_BLANKS = f"[{_BLANK}]*"
# Numbers that neither overflow nor underflow: ONNX Runtime stops at others.
_NUMBER = r"\s*[+-]?(?:\d{1,200}(?:\.\d{0,200})?|\.\d{1,200})(?:[eE][+-]?\d{1,2})?\s*"


def is_of_numbers(column: Category) -> bool:
    """Return True if each category is another number, so that the column can go in as numbers."""
    codes = [_value(category) for category in column.categories]
    return None not in codes and len(set(codes)) == len(codes)


def category_of_texts(nodes: Nodes, text: str, column: Category, cells: Cells, dtype: str) -> str:
    """Add a column of texts: one feature per category, then "other" and "missing"; see `Category.encode`.

    Parameters
    ----------
    nodes : Nodes
    text : str
        The name of the texts, of shape (rows, 1); "" is missing.
    column : Category
    cells : Cells
        Which texts mean a missing value.
    dtype : "float32" or "float64"

    Returns
    -------
    features : str
        Their name, of ``dtype`` and shape (rows, features of the column).
    """
    one = nodes.constant(np.ones((1, 1), dtype), "one")
    missing = _matches(nodes, text, f"(?i:{'|'.join(map(_escaped, sorted(cells.markers)))})", dtype)
    spelled = [
        _matches(nodes, text, _pattern(category, column, cells), dtype) for category in column.categories
    ]
    is_of = nodes.add("Concat", *spelled, axis=1) if len(spelled) > 1 else spelled[0]
    codes = _codes(column, cells)
    if not np.isnan(codes).all():
        otherwise = nodes.add("Sub", one, _sum(nodes, is_of))
        as_number = nodes.add("Mul", _numbers(nodes, text, codes, dtype), otherwise)
        is_of = nodes.add("Add", is_of, as_number)
    is_of = nodes.add("Mul", is_of, nodes.add("Sub", one, missing))
    behind = [missing] if column.missing else []
    parts = [is_of, *behind]
    if column.other:
        rest = nodes.add("Sub", one, _sum(nodes, is_of))
        for taken in behind:
            rest = nodes.add("Sub", rest, taken)
        parts = [is_of, rest, *behind]
    return nodes.add("Concat", *parts, axis=1) if len(parts) > 1 else is_of


def _sum(nodes: Nodes, matrix: str) -> str:
    """Add the sum of each row."""
    return nodes.add("ReduceSum", matrix, nodes.constant(np.array([1]), "axes"))


def _matches(nodes: Nodes, text: str, pattern: str, dtype: str) -> str:
    """Add whether texts are a pattern with blanks around it, as 1 or 0."""
    found = nodes.add("RegexFullMatch", text, pattern=f"{_BLANKS}{pattern}{_BLANKS}")
    return nodes.cast(found, dtype)


def _numbers(nodes: Nodes, text: str, codes: NDArray[Any], dtype: str) -> str:
    """Add whether texts are numbers equal to the categories' codes, NaN for categories that are none."""
    is_number = nodes.add("RegexFullMatch", text, pattern=_NUMBER)
    number = nodes.add("Where", is_number, text, nodes.texts([["nan"]], "nan"))
    equal = nodes.add("Equal", nodes.cast(number, "float64"), nodes.constant(codes[np.newaxis], "codes"))
    return nodes.cast(equal, dtype)


def _codes(column: Category, cells: Cells) -> NDArray[Any]:
    """Return each category's number, NaN if it is not one or if several are the same."""
    values = [_value(category) for category in column.categories]
    is_alone = [not cells.plain and value is not None and values.count(value) == 1 for value in values]
    pairs = zip(values, is_alone, strict=True)
    return np.array([value if alone else np.nan for value, alone in pairs], np.float64)


def _pattern(category: str, column: Category, cells: Cells) -> str:
    """Return what matches a category's spellings: of a truth value in any case, unless there are several."""
    other_case = places_of(column.categories, [category.swapcase()], exact=cells.plain)[0]
    is_truth = category.isalpha() and other_case is not None and column.categories[other_case] == category
    return f"(?i:{_escaped(category)})" if is_truth else _escaped(category)


def _value(category: str) -> float | None:
    """Return the number that a category spells; None for truth values and other texts."""
    value = None if category.isalpha() else plain_number(category)
    return value if value is None or math.isfinite(value) else None


def _escaped(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else f"\\x{{{ord(c):x}}}" for c in text)
