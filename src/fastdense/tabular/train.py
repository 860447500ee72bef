"""From a table to a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from fastdense.callbacks import Callback, EarlyStopping
from fastdense.core.streams import check_seed
from fastdense.models.sequential import Sequential
from fastdense.tables import Cells, Table
from fastdense.tables.targets import Task
from fastdense.tabular.best import BestEpoch, kept_epoch
from fastdense.tabular.doubts import note_doubts
from fastdense.tabular.recipe import Recipe, network_for
from fastdense.tabular.split import Parts, check_shares, known_rows, split
from fastdense.training.progress import Verbose
from fastdense.training.writing import call, written

__all__ = ["Interrupted", "train_table"]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during `train_table`, after at least one epoch.

    It passes through ``except Exception`` as KeyboardInterrupt does. In a notebook, where it reaches the
    user, it is ``sys.last_value``.

    Attributes
    ----------
    model : Sequential
        As `train_table` would have returned it, with the weights of the best epoch so far.
    """

    def __init__(self, model: Sequential) -> None:
        super().__init__(
            f"interrupted; the best epoch so far, {kept_epoch(model) + 1}, is in this error's model"
        )
        self.model = model


def train_table(
    frame: Any,
    target: str | int,
    *,
    task: Task = "auto",
    types: dict[str, str] | None = None,
    cells: Cells | None = None,
    recipe: Recipe | None = None,
    validation: float = 0.15,
    test: float = 0.0,
    seed: int | None = None,
    verbose: Verbose = "auto",
    callbacks: Sequence[Callback] = (),
) -> Sequential:
    """Train a network to predict one column of a table from the others.

    Rows without a value in the target's column are left out. A TableWarning says so, and names what makes a
    model doubtful: columns that give the target away, ids used as numbers, classes that are too many or
    too small.

    Parameters
    ----------
    frame : pandas or polars data frame, pyarrow table, or mapping of column names to columns
    target : str or int
        The column to predict.
    task : "auto", "classify" or "regress"
    types : dict of column name to "number", "category", "date", "time" or "ignore", optional
        Overrides what is found in a column.
    cells : Cells, optional
        How texts are to be read, if that should not be found from the data.
    recipe : Recipe, optional
        The network's shape and its training.
    validation : float
        The fraction of rows held out, of every class alike, to choose the epoch: the one that does best on
        them, by accuracy (and by loss among equals) or by squared error, is kept. Its numbers on these rows
        are therefore better than on new ones.
    test : float
        A further fraction of rows held out, of every class alike, that choose nothing: what the model does on
        them (`evaluate_test`, and the report) is what to expect of new rows.
    seed : int, optional
        Decides the rows held out, the initial weights, the row orders and the dropout.
    verbose : "auto", 0, 1 or 2
    callbacks : sequence of Callback

    Returns
    -------
    Sequential
        With ``table`` set, so that ``predict`` takes rows like these, and ``history``: the validation numbers
        of the epoch that was kept are what ``evaluate_table`` would give for those rows. ``run`` has the
        number of rows, and keeps those held out alive.

    Raises
    ------
    TableError
        The target is not there, has one class, or has no value in any row; or no column can be used.
    Interrupted
        Ctrl-C was pressed; the error's ``model`` is the best so far. Before the first epoch has ended there
        is none, and KeyboardInterrupt is raised.
    """
    recipe, seed = recipe or Recipe(), check_seed(seed)
    shares = check_shares(validation, test)
    data, goal = known_rows(frame, target, task, cells)
    parts = split(data, goal, shares, seed)
    table = Table.learn(parts.training, target, task=goal.task, types=types)
    note_doubts(table, data, validation)
    model = network_for(table, recipe, len(parts.training), seed)
    finished = _fit(model, parts, recipe, verbose, callbacks)
    assert model.run is not None
    test_rows = None if parts.test is None else (table.features(parts.test), table.targets(parts.test))
    asked = _call(str(target), task, types, cells, recipe, shares, seed, callbacks)
    model.run = replace(model.run, call=asked, test=test_rows)
    if not finished:
        raise Interrupted(model)
    return model


def _fit(
    model: Sequential, parts: Parts, recipe: Recipe, verbose: Verbose, callbacks: Sequence[Callback]
) -> bool:
    """Train, and go back to the best epoch; return False if Ctrl-C ended it before the last epoch."""
    table, rows, held_out = model.table, len(parts.training), parts.validation
    epochs = recipe.times(rows)
    prefix, watched = ("val_", len(held_out)) if held_out else ("", rows)
    by_loss = EarlyStopping(f"{prefix}loss", patience=epochs, restore_best_weights=True)
    best = BestEpoch(prefix, watched, epochs) if table.task == "classify" else by_loss
    try:
        model.fit(
            table.features(parts.training),
            table.targets(parts.training),
            batch_size=recipe.rows_a_step(rows),
            epochs=epochs,
            verbose=verbose,
            callbacks=[best, *callbacks],
            validation_data=(table.features(held_out), table.targets(held_out)) if held_out else None,
        )
    except KeyboardInterrupt:
        if best.best_weights is None:  # no epoch has ended
            raise
        best.on_train_end()
        assert model.run is not None
        model.run = model.run.ended([best])
        return False
    return True


def _call(
    target: str,
    task: Task,
    types: dict[str, str] | None,
    cells: Cells | None,
    recipe: Recipe,
    shares: tuple[float, float],
    seed: int,
    callbacks: Sequence[Callback],
) -> str:
    """Return the call of `train_table` as code."""
    values: dict[str, Any] = {"task": task, "types": types or {}, "validation": shares[0], "test": shares[1]}
    values["callbacks"] = list(callbacks)
    defaults = {"task": "auto", "types": {}, "validation": 0.15, "test": 0.0, "callbacks": []}
    given = {name: value for name, value in values.items() if value != defaults[name]}
    stated = {} if cells is None else cells.given()
    read = [f"cells={call('Cells', stated)}"] if stated else []
    own = [f"recipe={call('Recipe', asdict(recipe))}"] if recipe != Recipe() else []
    named = [f"{name}={written(value)}" for name, value in {**given, "seed": seed}.items()]
    inside = ", ".join(["frame", written(target), *read, *own, *named])
    imports = "from fastdense.tabular import Recipe, train_table\n"
    imports += "from fastdense.tables import Cells\n" if stated else ""
    return f"{imports}\nmodel = train_table({inside})"
