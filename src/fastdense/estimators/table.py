"""From a data frame to a trained model and back: what the command line does, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.checks import fraction, number, whole
from fastdense.errors import TableError
from fastdense.network.layers import Dense, Dropout, Input, Layer
from fastdense.network.sequential import Sequential
from fastdense.streams import HELD_OUT, check_seed, generator
from fastdense.tables import Table
from fastdense.tables.frames import Frame
from fastdense.tables.targets import Task, learn_target
from fastdense.training.callbacks import Callback, EarlyStopping
from fastdense.training.callbacks.base import Logs
from fastdense.training.optimizers import AdamW
from fastdense.training.outcomes import classify, regress
from fastdense.training.progress import Verbose
from fastdense.training.schedules import CosineDecay
from fastdense.training.writing import call, written

__all__ = [
    "Predictions",
    "Recipe",
    "evaluate_table",
    "kept_epoch",
    "number_columns",
    "predict_columns",
    "predict_table",
    "train_table",
]

Array = NDArray[Any]


@dataclass(frozen=True)
class Recipe:
    """How `train_table` builds and trains a network, where the caller does not say otherwise.

    The numbers were tried on six public tables of 1,800 to 26,000 rows (digits, Adult, California housing,
    MAGIC, telco churn, forest cover), each by the best epoch on held-out rows: a rate of 0.003 did better
    than 0.001 on all six, a dropout of 0.1 better than 0.2 on three and worse on two, 30 epochs better
    than 15 on the five where both were tried.

    Attributes
    ----------
    hidden : tuple of int
        Units of the hidden layers.
    epochs : int or None
        None takes as many as make 2000 steps, but from 60 to 500: small tables need more.
    learning_rate : float
        Reached after a twentieth of the steps and let down to 0 by a cosine.
    weight_decay, dropout : float
    batch_size : int or None
        None takes about a thirtieth of the rows, as a power of two from 32 to 256.
    """

    hidden: tuple[int, ...] = (256, 256)
    epochs: int | None = None
    learning_rate: float = 0.003
    weight_decay: float = 0.01
    dropout: float = 0.1
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for units in self.hidden:
            whole("a hidden layer's units", units, 1)
        if self.epochs is not None:
            whole("epochs", self.epochs, 1)
        number("learning_rate", self.learning_rate, above=0.0)
        number("weight_decay", self.weight_decay, minimum=0.0)
        fraction("dropout", self.dropout)
        if self.batch_size is not None:
            whole("batch_size", self.batch_size, 1)

    def layers(self, n_in: int, n_out: int, last: str) -> list[Layer | Input]:
        """Return the layers for so many inputs and outputs."""
        stack: list[Layer | Input] = [Input((n_in,))]
        for units in self.hidden:
            stack += [Dense(units, "relu", kernel_initializer="he_normal"), Dropout(self.dropout)]
        return [*stack, Dense(n_out, last)]

    def rows_a_step(self, rows: int) -> int:
        """Return the batch size for so many rows."""
        if self.batch_size is not None:
            return self.batch_size
        return int(np.clip(2.0 ** np.round(np.log2(rows / 30)), 32, 256))

    def times(self, rows: int) -> int:
        """Return the epochs for so many rows."""
        if self.epochs is not None:
            return self.epochs
        steps = -(-rows // self.rows_a_step(rows))
        return min(max(60, -(-2000 // steps)), 500)

    def optimizer(self, rows: int) -> AdamW:
        """Return the optimizer, its schedule laid out over all steps."""
        steps = self.times(rows) * -(-rows // self.rows_a_step(rows))
        climb = max(1, steps // 20)
        schedule = CosineDecay(
            0.0, max(1, steps - climb), warmup_target=self.learning_rate, warmup_steps=climb
        )
        return AdamW(schedule, weight_decay=self.weight_decay)


class BestEpoch(EarlyStopping):
    """Goes back to the epoch of the highest accuracy, and among equals of the smallest loss.

    Many epochs may get as many rows right, and the first of them is seldom the one that is surest of them.

    Parameters
    ----------
    prefix : str
        "val_" or "".
    rows : int
        That are watched: two accuracies differ by one of them at least, and what a loss adds is less.
    patience : int
    """

    def __init__(self, prefix: str, rows: int, patience: int) -> None:
        super().__init__(f"{prefix}accuracy", patience=patience, restore_best_weights=True)
        self.prefix, self.rows = prefix, rows

    def read(self, logs: Logs | None) -> float | None:
        """Return the accuracy, less a part of a row's that grows with the loss."""
        accuracy, loss = super().read(logs), (logs or {}).get(f"{self.prefix}loss", np.inf)
        part = 1.0 if np.isnan(loss) else 1.0 - 1.0 / (1.0 + loss)
        return None if accuracy is None else accuracy - part / (2 * self.rows)


class Predictions(NamedTuple):
    """What `predict_table` returns.

    Attributes
    ----------
    values : list or array of shape (m,)
        Labels, or numbers in the target's own units.
    probabilities : array of shape (m, n_classes) or None
        In the order of ``model.table.classes``; None where the task is to regress.
    """

    values: list[Any] | Array
    probabilities: Array | None


def train_table(
    frame: Any,
    target: str,
    *,
    task: Task = "auto",
    types: dict[str, str] | None = None,
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
    types : dict of column name to "number", "category" or "ignore", optional
        Where what is found in a column should be overruled.
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
    kept, held = _split(_strata(frame, target, task), fraction("validation", validation), seed)
    columns = _columns(frame)
    training = _rows(columns, kept)
    table = Table.learn(training, target, task=task, types=types)
    X, y = table.features(training), table.targets(training)
    classify = table.task == "classify"
    n_out, last = (len(table.classes), "softmax") if classify else (1, "linear")
    model = Sequential(recipe.layers(X.shape[1], n_out, last), seed=seed)
    model.table = table
    loss = "sparse_categorical_crossentropy" if classify else "mean_squared_error"
    model.compile(recipe.optimizer(len(X)), loss, metrics=["accuracy"] if classify else ["mae"])
    held_out = _rows(columns, held) if len(held) else None
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
    model.run = replace(model.run, call=_call(target, task, types, recipe, validation, seed, callbacks))
    return model


def _call(
    target: str,
    task: Task,
    types: dict[str, str] | None,
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
    own = [f"recipe={call('Recipe', asdict(recipe))}"] if recipe != Recipe() else []
    named = [f"{name}={written(value)}" for name, value in {**given, "seed": seed}.items()]
    inside = ", ".join(["frame", written(target), *own, *named])
    return f"from fastdense.estimators.table import Recipe, train_table\n\nmodel = train_table({inside})"


def kept_epoch(model: Sequential) -> int:
    """Return the epoch, from 0, whose weights `train_table` kept."""
    assert model.run is not None
    assert model.run.kept is not None
    return model.run.kept


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

    Raises
    ------
    TableError
        There are more or fewer, or one is not of numbers.
    """
    given = Frame(frame)
    if len(given.names) != n_in:
        raise TableError(f"the model takes {n_in} columns of numbers, but the table has {len(given.names)}")
    return np.stack([given.column(name).numbers() for name in given.names], axis=1)


def evaluate_table(model: Sequential, frame: Any) -> dict[str, float]:
    """Measure a model on a table that has the target too.

    Returns
    -------
    dict of str to float
        To classify: "accuracy", "log loss" and, for two classes, "auc". To regress, in the target's own
        units: "rmse", "mae", and "r2", the share of the variance that is explained.
    """
    table = table_of(model)
    outputs, y = model.predict(frame).astype(np.float64), table.targets(frame, dtype="float64")
    if table.task == "classify":
        found = classify("", list(map(str, table.classes)), y, outputs)
        numbers = {"accuracy": found.accuracy, "log loss": found.log_loss}
        return numbers if found.auc is None else {**numbers, "auc": found.auc}
    quantity = regress("", table.unscale(y)[:, 0], table.unscale(outputs)[:, 0])
    return {"rmse": quantity.rmse, "mae": quantity.mae, "r2": quantity.r2}


def table_of(model: Sequential) -> Table:
    """Return the model's table; TableError where it has none."""
    if not isinstance(model.table, Table) or model.table.task is None:
        raise TableError("this model was not trained on a table: it knows no columns, only a matrix")
    return model.table


def _columns(frame: Any) -> dict[str, Array]:
    data = Frame(frame)
    return {name: data.column(name).values for name in data.names}


def _rows(columns: dict[str, Array], rows: NDArray[np.int64]) -> dict[str, Array]:
    return {name: column[rows] for name, column in columns.items()}


def _strata(frame: Any, target: str, task: Task) -> NDArray[np.int64]:
    """Return the class of every row, all 0 where the task is to regress."""
    column = Frame(frame).column(target)
    learned = learn_target(column, task)
    values = learned.encode(column)
    return np.asarray(values if learned.task == "classify" else np.zeros(len(values)), dtype=np.int64)


def _split(strata: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], ...]:
    """Return the rows to train on and those to hold out: of every stratum the same share, rounded."""
    order = generator(seed, HELD_OUT).permutation(len(strata))
    held = np.zeros(len(strata), dtype=bool)
    for stratum in np.unique(strata):
        rows = order[strata[order] == stratum]
        held[rows[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
