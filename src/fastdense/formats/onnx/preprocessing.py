"""What a model's table does to its columns, as operators: raw numbers in, the network's features out."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdense.errors import FormatError
from fastdense.formats.onnx.nodes import Nodes
from fastdense.tables.columns import Category, Number
from fastdense.tables.dates import Date
from fastdense.tables.table import Table
from fastdense.tables.targets import Scale

__all__ = ["features", "own_units"]

Columns = list[tuple[int, Any]]
"""Columns of the table, each with its place among those that go in."""


def features(nodes: Nodes, table: Any, dtype: str) -> tuple[str, list[str]]:
    """Add what makes the features of ``X``, float64 of shape (rows, columns); see `Table.features`.

    Returns
    -------
    value : str
        The features' name, of ``dtype`` and shape (rows, n_in).
    columns : list of str
        The names of the columns that ``X`` has.

    Raises
    ------
    FormatError
        There is no table, or it has columns of texts or of dates.
    """
    if not isinstance(table, Table):
        raise FormatError("the model has no table: only a matrix of features can go in (table=False)")
    used = list(enumerate(column for column in table.columns if column.feature_names))
    dates = [column for _, column in used if isinstance(column, Date)]
    if dates:
        raise FormatError(
            f"column {dates[0].name!r} is of {dates[0].kind}s: only numbers can go into a file that includes "
            "the table; train with the type 'number' for it, or encode it outside (Table.features) and write "
            "the file with table=False"
        )
    numbers = [(place, column) for place, column in used if isinstance(column, Number)]
    # The features of each column, as (name of a matrix, place in it).
    parts = [_numbers(nodes, numbers, dtype)] if numbers else []
    order = {column.name: places for (_, column), places in zip(numbers, _places(numbers), strict=True)}
    width = 2 * len(numbers)
    for place, column in used:
        if isinstance(column, Category):
            parts.append(_category(nodes, place, column, dtype))
            order[column.name] = list(range(width, width + len(column.feature_names)))
            width += len(column.feature_names)
    joined = nodes.add("Concat", *parts, axis=1)
    chosen = nodes.constant(np.array([i for _, column in used for i in order[column.name]]), "features")
    return nodes.add("Gather", joined, chosen, axis=1), [column.name for _, column in used]


def own_units(nodes: Nodes, target: Scale, value: str) -> str:
    """Add what turns standardised predictions into the target's own units, float64; see `Scale.unscale`."""
    wide = nodes.add("Cast", value, to=_type("float64"))
    scaled = nodes.add("Mul", wide, nodes.constant(np.float64(target.std), "std"))
    return nodes.add("Add", scaled, nodes.constant(np.float64(target.mean), "mean"))


def _places(numbers: Columns) -> list[list[int]]:
    """Return where `_numbers` puts each column's features: its values, and which are missing."""
    return [[i, len(numbers) + i] if column.missing else [i] for i, (_, column) in enumerate(numbers)]


def _numbers(nodes: Nodes, numbers: Columns, dtype: str) -> str:
    """Add all columns of numbers, smoothly clipped, and after them which values are missing.

    ``z = (x - center) / spread``, then ``z / sqrt(1 + (z / 3)**2)``, and 0 where missing.
    """
    x = nodes.add("Gather", "X", nodes.constant(np.array([place for place, _ in numbers]), "numbers"), axis=1)
    missing = nodes.add("IsNaN", x)
    center = nodes.constant(np.array([column.center for _, column in numbers]), "center")
    spread = np.array(
        [column.spread if column.spread > 0 else np.inf for _, column in numbers]
    )  # constant: 0
    z = nodes.add("Div", nodes.add("Sub", x, center), nodes.constant(spread, "spread"))
    limits = [nodes.constant(np.float64(limit), "limit") for limit in (-1e100, 1e100)]
    z = nodes.add("Clip", z, *limits)
    third = nodes.add("Div", z, nodes.constant(np.float64(3.0), "three"))
    squares = nodes.add("Add", nodes.add("Mul", third, third), nodes.constant(np.float64(1.0), "one"))
    smooth = nodes.add("Div", z, nodes.add("Sqrt", squares))
    values = nodes.add("Where", missing, nodes.constant(np.float64(0.0), "zero"), smooth)
    pair = [nodes.add("Cast", name, to=_type(dtype)) for name in (values, missing)]
    return nodes.add("Concat", *pair, axis=1)


def _category(nodes: Nodes, place: int, column: Category, dtype: str) -> str:
    """Add a column of categories that are numbers: one feature each, then "other" and "missing"."""
    try:
        codes = [float(category) for category in column.categories]
    except ValueError:
        text = next(c for c in column.categories if not _is_number(c))
        raise FormatError(
            f"column {column.name!r} has the category {text[:40]!r}: only numbers can go into a file that "
            "includes the table; encode such columns outside (Table.features) and write it with table=False"
        ) from None
    if len(set(codes)) != len(codes):
        raise FormatError(f"column {column.name!r} has categories that are one number written in two ways")
    x = nodes.add("Gather", "X", nodes.constant(np.array([place]), "column"), axis=1)
    is_of = nodes.add("Equal", x, nodes.constant(np.array([codes]), "categories"))
    parts = [nodes.add("Cast", is_of, to=_type(dtype))]
    missing = [nodes.add("Cast", nodes.add("IsNaN", x), to=_type(dtype))] if column.missing else []
    if column.other:
        axes = nodes.constant(np.array([1]), "axes")
        rest = nodes.constant(np.ones((1, 1), dtype), "one")
        for taken in (nodes.add("ReduceSum", parts[0], axes), *missing):
            rest = nodes.add("Sub", rest, taken)
        parts.append(rest)
    return nodes.add("Concat", *parts, *missing, axis=1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _type(dtype: str) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
