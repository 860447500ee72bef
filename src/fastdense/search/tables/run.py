"""From a table to the recipe that does best on it."""

from __future__ import annotations

import hashlib
import math
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.core.checks import number, whole
from fastdense.core.streams import check_seed
from fastdense.errors import TableError, TableWarning
from fastdense.models.sequential import Sequential
from fastdense.search.tables.folds import Fold, folds_of
from fastdense.search.tables.heats import Heats, Watcher
from fastdense.search.tables.ledger import Ledger
from fastdense.search.tables.measures import measure_for
from fastdense.search.tables.result import TableSearch
from fastdense.search.tables.space import draw
from fastdense.tables import Cells, Table
from fastdense.tables.targets import Task
from fastdense.tabular import Recipe, train_table
from fastdense.tabular.doubts import note_doubts
from fastdense.tabular.split import check_shares, known_rows, part_of_rows

__all__ = ["search_table"]

_VALIDATION = 0.15
"""The share of rows that chooses the epoch of the best one, as in `train_table`; folds have them too."""


def search_table(
    frame: Any,
    target: str | int,
    *,
    task: Task = "auto",
    types: dict[str, str] | None = None,
    cells: Cells | None = None,
    candidates: int = 200,
    cv: int = 5,
    epochs: int | None = None,
    score: str | None = None,
    test: float = 0.0,
    seed: int | None = None,
    max_time: float | None = None,
    n_threads: int | None = None,
    directory: Path | None = None,
    watcher: Watcher | None = None,
) -> TableSearch:
    """Search for the recipe that predicts one column of a table best, by cross-validation, and train it.

    The first candidate is the plain `Recipe`, the others are drawn at random: hidden layers from (64,) to
    (256, 256) and (128, 128, 128), a learning rate from 0.0003 to 0.01 and a weight decay from 0.001 to 1,
    both by their logarithms, a dropout from 0 to 0.5, and half, once or twice the plain batch size. They
    compete in heats of up to 27: all get a ninth of their epochs, the better third a third, and the better
    third of those all of them. The plain recipe always gets all, so that the best is never worse by the same
    score.

    What encodes a fold's rows is learned from its training rows alone. The best score is chosen as such, and
    is therefore better than what new rows will give: ``test`` holds out rows for that.

    Parameters
    ----------
    frame, target, task, types, cells
        As of `train_table`.
    candidates : int
    cv : int
        The folds.
    epochs : int, optional
        The most that a candidate gets; as many as the plain recipe's by default.
    score : str, optional
        What decides: "log-loss" (the default for labels), "accuracy" or, of two classes, "auc"; "rmse" (the
        default for quantities), "mae" or "r2".
    test : float
        The fraction of rows, of every class alike, that choose nothing; see `evaluate_test`.
    seed : int, optional
        Decides the candidates, the folds and all of the training. With the same seed the result is the same,
        for any number of threads, unless time runs out.
    max_time : float, optional
        Seconds. What has been scored by then counts. The time to train the best one is kept: as long as the
        candidates trained so far suggest.
    n_threads : int, optional
        The threads that train; as many as `fastdense.get_threads` says, if None.
    directory : Path, optional
        Where scores are kept, in a file: a search that was stopped goes on from there, with the same
        arguments.
    watcher : Watcher, optional
        Is told of the progress.

    Returns
    -------
    TableSearch
        Its ``model`` is what `train_table` makes of the best recipe, with the same test.

    Raises
    ------
    TableError
        As of `train_table`; or rows are too few for the folds, or no candidate has a score.
    FormatError
        The directory is of another search.
    KeyboardInterrupt
        Ctrl-C was pressed before any candidate had a score. After that it ends the search.

    Examples
    --------
    >>> import fastdense as fd
    >>> size = list(range(60))
    >>> frame = {"size": size, "price": [3.5 * x + 1 for x in size]}
    >>> found = fd.search.search_table(frame, "price", candidates=3, cv=2, epochs=9, seed=0)
    >>> len(found.recipes), found.measure.name, found.model.table.target.name
    (3, 'rmse', 'price')
    """
    begun, seed, shares = time.monotonic(), check_seed(seed), check_shares(_VALIDATION, test)
    cv, candidates = whole("cv", cv, 2), whole("candidates", candidates, 1)
    if n_threads is not None:
        whole("n_threads", n_threads, 1)
    seconds = math.inf if max_time is None else number("max_time", max_time, above=0.0)
    data, goal = known_rows(frame, target, task, cells)
    rows = data.take(np.flatnonzero(part_of_rows(data, goal, shares, seed) != 2))  # none of the test's
    measure, watcher = measure_for(goal, score), watcher or Watcher()
    recipes = draw(candidates, len(rows), epochs, seed)
    note_doubts(Table.learn(rows, target, task=goal.task, types=types), data, _VALIDATION)
    folds = folds_of(rows, goal, cv, seed, types)
    watcher.begin(measure)
    asked: dict[str, Any] = {"seed": seed, "candidates": candidates, "cv": cv, "epochs": recipes[0].epochs}
    asked |= {"score": measure.name, "rows": None if directory is None else _digest(folds)}
    with Ledger(cv, directory, asked) as ledger:
        heats = Heats(folds, recipes, measure, ledger, seed, n_threads, watcher)
        reason = _ran(heats, begun + seconds)
    best = _best(heats, reason, ledger, max_time)
    model = None
    if reason != "Ctrl-C":
        model, reason = _trained(frame, target, task, types, cells, recipes[best], shares[1], seed, reason)
    return TableSearch(goal.name, measure, recipes, heats.rungs, best, model, reason, ledger)


def _ran(heats: Heats, until: float) -> str:
    """Run the heats; return why not all of them came to their end, or ""."""
    try:
        return "" if heats.run(until) else "time"
    except KeyboardInterrupt:
        if heats.best is None:
            raise
        return "Ctrl-C"


def _best(heats: Heats, reason: str, ledger: Ledger, max_time: float | None) -> int:
    """Return the number of the best candidate.

    Raises
    ------
    TableError
        There is none.
    """
    if heats.best is not None:
        return heats.best
    if reason:
        raise TableError(
            f"no candidate was scored on all folds within max_time={max_time:g} s: give more time"
        )
    raise TableError(f"no candidate has a score: {ledger.error(0, heats.rungs[0].epochs)}")


def _trained(
    frame: Any,
    target: str | int,
    task: Task,
    types: dict[str, str] | None,
    cells: Cells | None,
    recipe: Recipe,
    test: float,
    seed: int,
    reason: str,
) -> tuple[Sequential | None, str]:
    """Return a recipe's network, trained as by `train_table`, None after Ctrl-C; and the reason."""
    given: dict[str, Any] = {"task": task, "types": types, "cells": cells, "recipe": recipe, "test": test}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TableWarning)  # said before the search
            return train_table(frame, target, **given, validation=_VALIDATION, seed=seed, verbose=0), reason
    except KeyboardInterrupt:
        return None, "Ctrl-C"


def _digest(folds: Sequence[Fold]) -> str:
    """Return what tells the rows of one search from those of another."""
    digest = hashlib.sha256()
    for array in (folds[0].training.X, folds[0].training.y, folds[0].X, folds[0].y):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
