"""From a table to a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from fastdense.checks import fraction
from fastdense.estimators.table.best import BestEpoch
from fastdense.estimators.table.recipe import Recipe
from fastdense.estimators.table.split import split, strata
from fastdense.network.sequential import Sequential
from fastdense.streams import check_seed
from fastdense.tables import Cells, Table
from fastdense.tables.frames import Frame
from fastdense.tables.targets import Task
from fastdense.training.callbacks import Callback, EarlyStopping
from fastdense.training.progress import Verbose
from fastdense.training.writing import call, written

__all__ = ["train_table"]


def train_table(
    frame: Any,
    target: str,
    *,
    task: Task = "auto",
    types: dict[str, str] | None = None,
    cells: Cells | None = None,
    recipe: Recipe | None = None,
    validation: float = 0.15,
    seed: int | None = None,
    verbose: Verbose = "auto",
    callbacks: Sequence[Callback] = (),
) -> Sequential:
    """Train a network to predict one column of a table from the others.

    Parameters
    ----------
    frame : pandas or polars data frame, or mapping of column names to columns
    target : str
        The column to predict.
    task : "auto", "classify" or "regress"
    types : dict of column name to "number", "category", "date", "time" or "ignore", optional
        Where what is found in a column should be overruled.
    cells : Cells, optional
        How texts are to be read, where that should not be found from the data.
    recipe : Recipe, optional
        The network's shape and its training.
    validation : float
        The fraction of rows held out, of every class alike: the epoch that does best on them, by
        accuracy (and by loss where several have the same) or by squared error, is kept.
    seed : int, optional
        Decides the rows held out, the initial weights, the row orders and the dropout.
    verbose : "auto", 0, 1 or 2
    callbacks : sequence of Callback

    Returns
    -------
    Sequential
        With ``table`` set, so that ``predict`` takes rows like these, and ``history``: the held-out
        numbers of the epoch that was kept are what ``evaluate_table`` would give for those rows.

    Raises
    ------
    TableError
        The target is not there, has one class, or is missing in a row; or no column can be used.
    """
    recipe = recipe or Recipe()
    seed = check_seed(seed)
    data = Frame(frame, cells)
    kept, held = split(strata(data, target, task), fraction("validation", validation), seed)
    training = data.take(kept)
    table = Table.learn(training, target, task=task, types=types)
    X, y = table.features(training), table.targets(training)
    classify = table.task == "classify"
    n_out, last = (len(table.classes), "softmax") if classify else (1, "linear")
    model = Sequential(recipe.layers(X.shape[1], n_out, last), seed=seed)
    model.table = table
    loss = "sparse_categorical_crossentropy" if classify else "mean_squared_error"
    model.compile(recipe.optimizer(len(X)), loss, metrics=["accuracy"] if classify else ["mae"])
    held_out = data.take(held) if len(held) else None
    prefix, watched = ("val_", len(held)) if held_out else ("", len(X))
    every = recipe.times(len(X))
    by_loss = EarlyStopping(f"{prefix}loss", patience=every, restore_best_weights=True)
    best = BestEpoch(prefix, watched, every) if classify else by_loss
    model.fit(
        X,
        y,
        batch_size=recipe.rows_a_step(len(X)),
        epochs=recipe.times(len(X)),
        verbose=verbose,
        callbacks=[best, *callbacks],
        validation_data=(table.features(held_out), table.targets(held_out)) if held_out else None,
    )
    assert model.run is not None
    model.run = replace(
        model.run, call=_call(target, task, types, cells, recipe, validation, seed, callbacks)
    )
    return model


def _call(
    target: str,
    task: Task,
    types: dict[str, str] | None,
    cells: Cells | None,
    recipe: Recipe,
    validation: float,
    seed: int,
    callbacks: Sequence[Callback],
) -> str:
    """Return the call of `train_table` as code."""
    given: dict[str, Any] = {"task": task} if task != "auto" else {}
    given |= {"types": types} if types else {}
    given |= {"validation": validation} if validation != 0.15 else {}
    given |= {"callbacks": list(callbacks)} if callbacks else {}
    stated = {} if cells is None else cells.given()
    read = [f"cells={call('Cells', stated)}"] if stated else []
    own = [f"recipe={call('Recipe', asdict(recipe))}"] if recipe != Recipe() else []
    named = [f"{name}={written(value)}" for name, value in {**given, "seed": seed}.items()]
    inside = ", ".join(["frame", written(target), *read, *own, *named])
    imports = "from fastdense.estimators.table import Recipe, train_table\n"
    imports += "from fastdense.tables import Cells\n" if stated else ""
    return f"{imports}\nmodel = train_table({inside})"
