"""From a data frame to a `TabularModel`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import ArrayLike

from fastdense.core.streams import check_seed
from fastdense.tables import Cells, Table
from fastdense.tables.targets import Task
from fastdense.tabular.goals import Goal
from fastdense.tabular.model import TabularModel
from fastdense.tabular.outcome import model_of
from fastdense.tabular.recipes import Recipe
from fastdense.tabular.rows import Rows, known, learned, rows_of
from fastdense.tabular.settings import Settings
from fastdense.tabular.subject import Subject
from fastdense.tabular.team import Team

__all__ = ["learn"]

_SURE: Final = 0.97
"""The share of the time limit that training may take up to; the rest is for what comes after it."""


def learn(
    frame: Any,
    target: Any,
    *,
    task: Task = "auto",
    types: Mapping[Any, str] | None = None,
    cells: Cells | None = None,
    sample_weight: ArrayLike | None = None,
    validation: Any = None,
    settings: Settings | None = None,
) -> TabularModel:
    """Learn to predict one column of a table from the others.

    Rows without a value in the target's column are left out, with a `TableWarning`; so are those of weight 0.

    Parameters
    ----------
    frame : pandas or polars data frame, pyarrow table, or mapping of column names to columns
    target : str, int or array-like of shape (m,)
        The column to predict, or its values.
    task : "auto", "classify" or "regress"
    types : mapping of column name to type, optional
        As of `fastdense.tables.Table.learn`.
    cells : Cells, optional
        How texts are to be read.
    sample_weight : array-like of shape (m,), optional
        From 0; what each row counts in the loss, in the choice of the epoch and in the scores.
    validation : data frame, or tuple ``(X, y)`` or ``(X, y, sample_weight)``, optional
        Rows that choose the epochs; then all rows of ``frame`` are trained on. A frame has the target too.
    settings : Settings, optional

    Returns
    -------
    TabularModel
        After Ctrl-C the best so far, with a `TableWarning`.

    Raises
    ------
    TableError
        The target is not there, has one value only or none in any row; no column can be used; weights are not
        numbers from 0.
    NonFiniteLossError
        Training diverged in its first epoch.
    KeyboardInterrupt
        Ctrl-C was pressed before an epoch had ended.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1.0, 1.0, 200)
    >>> settings = Settings(seed=1, verbose=0, recipe=Recipe(batch_size=32))
    >>> model = learn({"x": x, "y": x**2}, "y", settings=settings)
    >>> model.honest["r2"] > 0.9, model.predict({"x": [0.5]}).shape
    (True, (1,))
    """
    clock = time.monotonic()
    settings = settings or Settings()
    found = known(frame, target, task, cells, sample_weight)
    table = learned(found, target, types, cells)
    assert table.target is not None
    goal = Goal(table.target, settings.metric_of(found.task), settings.quantile)
    subject = Subject(
        goal,
        table.layout,
        (settings.recipe or Recipe()).of(found.task),
        rows_of(found, table, goal, settings),
        _validation(validation, target, table, goal, settings),
    )
    deadline = math.inf if settings.time_limit is None else clock + _SURE * settings.time_limit
    courses = Team(subject, settings, check_seed(settings.seed)).train(deadline)
    return model_of(courses, table, subject)


def _validation(given: Any, target: Any, table: Table, goal: Goal, settings: Settings) -> Rows | None:
    """Return the rows that choose the epochs, if they were given."""
    if given is None:
        return None
    frame, values, weights = given, target, None
    if isinstance(given, tuple | list):
        if len(given) not in (2, 3):
            raise ValueError("validation is a frame, (X, y) or (X, y, sample_weight)")
        frame, values, weights = (*given, None)[:3]
    found = known(frame, values, goal.target.task, table.cells, weights)
    return rows_of(found, table, goal, settings)
