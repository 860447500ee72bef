"""How well a model does on a table whose target is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.notes import note
from fastdense.errors import TableWarning
from fastdense.models.sequential import Sequential
from fastdense.tables import Table
from fastdense.tables.frames import Frame
from fastdense.tables.targets import Classes
from fastdense.tabular.predict import table_of
from fastdense.tabular.split import with_target
from fastdense.training.outcomes import classify, regress

__all__ = ["evaluate_table", "evaluate_test", "measured"]


def evaluate_table(model: Sequential, frame: Any) -> dict[str, float]:
    """Measure a model on a table that has the target too.

    Rows without a value in the target's column are left out. A row whose label the model was not trained on
    counts as wrong in the accuracy, and has no part in the log loss and AUC. A TableWarning counts both.

    Parameters
    ----------
    model : Sequential
        With a table, as `train_table` returns and `fastdense.load` reads it.
    frame : data frame
        With the columns that the model was trained on, and the target.

    Returns
    -------
    dict of str to float
        To classify: "accuracy" and, unless no row has a known label, "log loss" and for two classes "auc".
        To regress, in the target's own units: "rmse", "mae", and "r2", the share of the variance that is
        explained.

    Raises
    ------
    TableError
        The model has no table, the frame lacks a column of it, or no row has a target.
    """
    table = table_of(model)
    assert table.target is not None
    whole = Frame(frame, table.cells)
    column = whole.column(table.target.name)
    data = with_target(whole, column, table.target.missing(column))
    if isinstance(table.target, Classes):
        found = table.target.find(data.column(table.target.name))
        if (found < 0).any():
            _note_unknown(table.target, data, found)
        return measured(table, found, model.predict(data))
    return measured(table, table.targets(data, dtype="float64"), model.predict(data))


def evaluate_test(model: Sequential) -> dict[str, float] | None:
    """Return `evaluate_table`'s numbers for the rows that ``train_table(..., test=...)`` held out.

    Returns
    -------
    dict of str to float, or None
        None if no rows were held out for a test, or the model was loaded: a file holds no rows.
    """
    table = table_of(model)
    if model.run is None or model.run.test is None:
        return None
    X, y = model.run.test
    return measured(table, y, model.predict(X))


def measured(table: Table, y: Array, outputs: Array) -> dict[str, float]:
    """Return `evaluate_table`'s numbers of a network's outputs.

    Parameters
    ----------
    table : Table
    y : array
        As ``table.targets`` returns it; the number of an unknown label is -1.
    outputs : array of shape (m, n_out)
    """
    measure = _of_labels if table.task == "classify" else _of_quantities
    return measure(table, y, outputs.astype(np.float64))


def _of_labels(table: Table, found: NDArray[np.int64], outputs: Array) -> dict[str, float]:
    """Return the numbers of class probabilities; rows of unknown labels, -1, are wrong in the accuracy."""
    known = found >= 0
    if not known.any():
        return {"accuracy": 0.0}
    outcome = classify("", list(map(str, table.classes)), found[known], outputs[known])
    numbers = {"accuracy": float(np.trace(outcome.confusion)) / len(found), "log loss": outcome.log_loss}
    return numbers if outcome.auc is None else {**numbers, "auc": outcome.auc}


def _of_quantities(table: Table, y: Array, outputs: Array) -> dict[str, float]:
    quantity = regress("", table.unscale(y)[:, 0], table.unscale(outputs)[:, 0])
    return {"rmse": quantity.rmse, "mae": quantity.mae, "r2": quantity.r2}


def _note_unknown(target: Classes, data: Frame, found: NDArray[np.int64]) -> None:
    column = data.column(target.name)
    texts, codes = column.texts
    labels = [texts[code] for code in np.unique(codes[found < 0])]
    shown = ", ".join(repr(label)[:40] for label in labels[:5]) + ", ..." * (len(labels) > 5)
    count, numbers = int((found < 0).sum()), "log loss and AUC" if len(target.labels) == 2 else "log loss"
    others = f"; {numbers} cover the other {len(data) - count:,} rows" if count < len(data) else ""
    note(
        f"target {target.name!r}: {count:,} of {len(data):,} rows have labels that the model was not trained "
        f"on, {shown}: they count as wrong{others}",
        TableWarning,
    )
