"""What a model's table does to its columns, as operators: raw numbers in, the network's features out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastdense.errors import FormatError
from fastdense.exchange.onnx.nodes import Nodes
from fastdense.exchange.onnx.texts import category_of_texts, is_of_numbers
from fastdense.tables.columns import Category, Number
from fastdense.tables.dates import Date
from fastdense.tables.table import Table
from fastdense.tables.targets import Scale

__all__ = ["NUMBERS", "TEXTS", "Features", "features", "own_units"]

NUMBERS, TEXTS = "X", "texts"
"""The names of the inputs of raw numbers, float64, and of raw texts, each of shape (rows, columns)."""

Columns = list[Any]


class Features(NamedTuple):
    """What a table makes of raw columns.

    Attributes
    ----------
    value : str
        The features' name, of shape (rows, n_in).
    numbers, texts : list of str
        The names of the columns that each input has; an input without any is not there.
    """

    value: str
    numbers: list[str]
    texts: list[str]


def features(nodes: Nodes, table: Any, dtype: str) -> Features:
    """Add what makes a table's features, of ``dtype``, from raw numbers and texts; see `Table.features`.

    Raises
    ------
    FormatError
        There is no table, or it is embedded, or it has columns of dates.
    """
    if not isinstance(table, Table):
        raise FormatError("the model has no table to include: export it without one, and features go in")
    if table.embedded:
        raise FormatError(
            "an embedded table does not go into an ONNX file: encode its columns outside (Table.features) "
            "and write the file without the table"
        )
    used = [column for column in table.columns if column.feature_names]
    dates = [column for column in used if isinstance(column, Date)]
    if dates:
        raise FormatError(
            f"column {dates[0].name!r} is of {dates[0].kind}s: only numbers and texts go into a file that "
            "includes the table; train with the type 'number' for it, or encode it outside (Table.features) "
            "and write the file without the table"
        )
    texts = [column for column in used if isinstance(column, Category) and not is_of_numbers(column)]
    given = [column for column in used if column not in texts]
    numbers = [column for column in given if isinstance(column, Number)]
    # The features of each column, as (name of a matrix, place in it).
    parts = [_numbers(nodes, numbers, given, dtype)] if numbers else []
    order = dict(zip([column.name for column in numbers], _places(numbers), strict=True))
    width = 2 * len(numbers)
    for column in used:
        if isinstance(column, Category):
            if column in texts:
                text = _column(nodes, TEXTS, texts.index(column))
                parts.append(category_of_texts(nodes, text, column, table.cells, dtype))
            else:
                parts.append(_category(nodes, _column(nodes, NUMBERS, given.index(column)), column, dtype))
            order[column.name] = list(range(width, width + len(column.feature_names)))
            width += len(column.feature_names)
    joined = nodes.add("Concat", *parts, axis=1)
    chosen = nodes.constant(np.array([i for column in used for i in order[column.name]]), "features")
    value = nodes.add("Gather", joined, chosen, axis=1)
    return Features(value, [column.name for column in given], [column.name for column in texts])


def _column(nodes: Nodes, source: str, place: int) -> str:
    """Add the choice of one column of an input, of shape (rows, 1)."""
    return nodes.add("Gather", source, nodes.constant(np.array([place]), "column"), axis=1)


def own_units(nodes: Nodes, target: Scale, value: str) -> str:
    """Add what turns standardised predictions into the target's own units, float64; see `Scale.unscale`."""
    wide = nodes.cast(value, "float64")
    scaled = nodes.add("Mul", wide, nodes.constant(np.float64(target.std), "std"))
    return nodes.add("Add", scaled, nodes.constant(np.float64(target.mean), "mean"))


def _places(numbers: Columns) -> list[list[int]]:
    """Return where `_numbers` puts each column's features: its values, and which are missing."""
    return [[i, len(numbers) + i] if column.missing else [i] for i, column in enumerate(numbers)]


def _numbers(nodes: Nodes, numbers: Columns, given: Columns, dtype: str) -> str:
    """Add all columns of numbers, smoothly clipped, and after them which values are missing.

    ``z = (x - center) / spread``, then ``z / sqrt(1 + (z / 3)**2)``, and 0 where missing.
    """
    places = nodes.constant(np.array([given.index(column) for column in numbers]), "numbers")
    x = nodes.add("Gather", NUMBERS, places, axis=1)
    missing = nodes.add("IsNaN", x)
    center = nodes.constant(np.array([column.center for column in numbers]), "center")
    spread = np.array([column.spread if column.spread > 0 else np.inf for column in numbers])  # constant: 0
    z = nodes.add("Div", nodes.add("Sub", x, center), nodes.constant(spread, "spread"))
    limits = [nodes.constant(np.float64(limit), "limit") for limit in (-1e100, 1e100)]
    z = nodes.add("Clip", z, *limits)
    third = nodes.add("Div", z, nodes.constant(np.float64(3.0), "three"))
    squares = nodes.add("Add", nodes.add("Mul", third, third), nodes.constant(np.float64(1.0), "one"))
    smooth = nodes.add("Div", z, nodes.add("Sqrt", squares))
    values = nodes.add("Where", missing, nodes.constant(np.float64(0.0), "zero"), smooth)
    pair = [nodes.cast(name, dtype) for name in (values, missing)]
    return nodes.add("Concat", *pair, axis=1)


def _category(nodes: Nodes, x: str, column: Category, dtype: str) -> str:
    """Add a column of categories that are numbers: one feature each, then "other" and "missing"."""
    codes = [float(category) for category in column.categories]
    is_of = nodes.add("Equal", x, nodes.constant(np.array([codes]), "categories"))
    parts = [nodes.cast(is_of, dtype)]
    missing = [nodes.cast(nodes.add("IsNaN", x), dtype)] if column.missing else []
    if column.other:
        axes = nodes.constant(np.array([1]), "axes")
        rest = nodes.constant(np.ones((1, 1), dtype), "one")
        for taken in (nodes.add("ReduceSum", parts[0], axes), *missing):
            rest = nodes.add("Sub", rest, taken)
        parts.append(rest)
    return nodes.add("Concat", *parts, *missing, axis=1)
