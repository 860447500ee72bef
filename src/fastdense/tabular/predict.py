"""From a table and a model to predictions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import TableError
from fastdense.models.sequential import Sequential
from fastdense.tables import Table
from fastdense.tables.frames import Frame

__all__ = ["Predictions", "number_columns", "predict_columns", "predict_table", "table_of"]


class Predictions(NamedTuple):
    """What `predict_table` returns.

    Parameters
    ----------
    values : list or array of shape (m,)
        Labels, or numbers in the target's own units.
    probabilities : array of shape (m, n_classes) or None
        In the order of ``model.table.classes``; None if the task is to regress.
    """

    values: list[Any] | Array
    probabilities: Array | None


def predict_table(model: Sequential, frame: Any) -> Predictions:
    """Predict the target of every row of a table.

    Parameters
    ----------
    model : Sequential
        With a table, as `train_table` returns and `fastdense.load` reads it.
    frame : data frame
        With the columns that the model was trained on, in any order; further ones are ignored.

    Raises
    ------
    TableError
        The model has no table, or the frame lacks a column of it.
    """
    table = table_of(model)
    outputs = model.predict(frame)
    if table.task == "classify":
        return Predictions(table.labels(outputs.argmax(axis=1)), outputs)
    return Predictions(table.unscale(outputs)[:, 0], None)


def predict_columns(model: Sequential, frame: Any) -> dict[str, Array]:
    """Return the outputs of a model without a table, for a frame whose columns are its inputs, in order.

    Parameters
    ----------
    model : Sequential
    frame : data frame or mapping of names to columns

    Returns
    -------
    dict of str to array of shape (m,)
        "output 1", "output 2" and so on.

    Raises
    ------
    TableError
        The frame has more or fewer columns than the model has inputs, or one is not of numbers.
    """
    outputs = model.predict(number_columns(frame, model.input_shape[1]))
    return {f"output {k}": values for k, values in enumerate(outputs.T, start=1)}


def number_columns(frame: Any, n_in: int) -> Array:
    """Return a frame's columns side by side, of which there must be ``n_in``, all of numbers.

    Parameters
    ----------
    frame : data frame or mapping of names to columns
    n_in : int

    Raises
    ------
    TableError
        There are more or fewer, or one is not of numbers.
    """
    given = Frame(frame)
    if len(given.names) != n_in:
        raise TableError(f"the model takes {n_in} columns of numbers, but the table has {len(given.names)}")
    return np.stack([given.column(name).numbers() for name in given.names], axis=1)


def table_of(model: Sequential) -> Table:
    """Return the model's table; TableError if it has none."""
    if not isinstance(model.table, Table) or model.table.task is None:
        raise TableError("this model was not trained on a table: it knows no columns, only a matrix")
    return model.table
