"""What a report of a run states: the outcomes on its rows, its speed, the code that repeats it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np

from fastdense import engines
from fastdense.callbacks import History
from fastdense.core.checks import is_frame
from fastdense.core.spec import TrainingSpec
from fastdense.engines.machine import Info, info
from fastdense.errors import NotBuiltError
from fastdense.insight.figures import check_drawing
from fastdense.insight.pages import check_path
from fastdense.insight.report.compare import outcomes
from fastdense.insight.report.record import LayerShown, Measured, Speed
from fastdense.insight.report.repeat import caveats, code
from fastdense.insight.report.shown import RunReport
from fastdense.insight.timing import best_time
from fastdense.insight.units import count
from fastdense.layers import Dense
from fastdense.network.model import Model
from fastdense.training.data import Data, prepare
from fastdense.training.run import Run

__all__ = ["check_page", "report"]

MANY = 1024  # rows of a prediction that is timed beside that of one
SECONDS = 0.1  # of timing each


def check_page(path: str | os.PathLike[str]) -> None:
    """Raise, before anything is measured, unless a page can be drawn and saved there; see `report`."""
    check_path(path)
    check_drawing()


def report(model: Model, path: str | os.PathLike[str] | None = None, data: Any = None) -> RunReport:
    """Measure the outcome of a model's last `fit`.

    Parameters
    ----------
    model : fastdense.Sequential
    path, data
        As of `fastdense.Sequential.report`.
    """
    if path is not None:
        check_page(path)
    run, history = model.run, model.history
    if run is None or history is None or not history.epoch:
        raise NotBuiltError("there is no run to report on: call fit first, for at least one epoch")
    if list(run.layers) != model.layers:
        raise NotBuiltError("the model has other layers than when it was fitted: fit it again")
    found = _measured(model, run, history, data)
    if path is not None:
        found.save_html(path)
    return found


def _measured(model: Model, run: Run, history: History, data: Any) -> RunReport:
    rows, measured = _rows(model, run, data)
    spec = TrainingSpec(run.loss.spec(), run.optimizer.spec(), model.seed)
    chosen = _chosen(model, run, spec) if data is None and run.test is not None else None
    machine = info(peak=True)
    return RunReport(
        model=model.name,
        engine=str(engines.name_of(model.engine)),
        started=f"{datetime.fromtimestamp(run.started, UTC):%Y-%m-%d %H:%M} UTC",
        history=_numbers(history),
        epochs=tuple(epoch + 1 for epoch in history.epoch),
        asked=run.epochs,
        kept=None if run.kept is None else run.kept + 1,
        rates=_rates(run, history),
        rows=run.rows,
        held_out=run.held_out,
        steps=run.steps,
        measured=measured,
        outcomes=outcomes(model, spec, rows),
        n_in=model.input_shape[1],
        features=() if model.table is None else tuple(model.table.feature_names),
        layers=tuple(_layers(model)),
        summary=model._repr_html_(),
        speed=_speed(model, run, history, machine),
        machine=machine,
        code=code(model, run),
        notes=_notes(model, run, history, given=data is not None),
        tested=0 if run.test is None else len(run.test[0]),
        chosen=chosen,
    )


def _rows(model: Model, run: Run, data: Any) -> tuple[Data, str]:
    """Return the rows to measure on, and which they are."""
    loss = run.loss.spec()
    if data is None and run.test is not None:
        rows = prepare(model, loss, *run.test)
        return rows, f"{count(len(rows), 'row')} held out for a test, which chose nothing"
    if data is None:
        rows = run.given.measured(model, loss)
        return rows, f"{count(len(rows), 'row')} {'held out' if run.held_out else 'trained on'}"
    if is_frame(data):
        if model.table is None:
            raise ValueError("the model has no table: give the rows as (X, y)")
        rows = prepare(model, loss, data, model.table.targets(data))
    elif isinstance(data, tuple | list) and len(data) == 2:
        X, y = data
        if is_frame(X) and model.table is not None and model.table.target is not None:
            y = model.table.targets({model.table.target.name: y})
        rows = prepare(model, loss, X, y)
    else:
        raise ValueError("data must be (X, y), or a data frame if the model has a table")
    return rows, f"{count(len(rows), 'row')} given for it"


def _chosen(model: Model, run: Run, spec: TrainingSpec) -> Measured | None:
    """Return the outcomes on the rows that chose the epoch."""
    if not run.held_out:
        return None
    rows = f"{count(run.held_out, 'row')} held out, which chose the epoch: too good for new rows"
    return Measured(rows, outcomes(model, spec, run.given.measured(model, spec.loss)))


def _numbers(history: History) -> dict[str, list[float]]:
    """Return the numbers that every epoch has."""
    return {
        name: [float(value) for value in values]
        for name, values in history.history.items()
        if len(values) == len(history.epoch) and all(isinstance(v, int | float | np.number) for v in values)
    }


def _rates(run: Run, history: History) -> tuple[float, ...]:
    """Return a schedule's learning rate at the start of each epoch."""
    if not callable(run.optimizer.learning_rate):
        return ()
    return tuple(float(run.optimizer.rates(step, 1)[0]) for step in history.begun)


def _layers(model: Model) -> Iterator[LayerShown]:
    for layer in model.layers:
        assert layer.n_units is not None
        g = getattr(layer, "activation", None)
        yield LayerShown(
            name=str(layer.name),
            kind=type(layer).__name__,
            units=layer.n_units,
            activation="linear" if g is None else g.name,
            W=layer.kernel if isinstance(layer, Dense) else None,
        )


def _speed(model: Model, run: Run, history: History, machine: Info) -> Speed:
    trained = sum(min(steps * run.batch_size, run.rows) for steps in history.steps)
    seconds = sum(history.seconds)
    gflops = trained * _operations(model) / seconds / 1e9
    share = None
    if engines.library_named(model.engine) is None and machine.peak_all_cores is not None:
        share = 100 * gflops / machine.peak_all_cores * (2 if model.dtype == "float64" else 1)
    X = np.random.default_rng(0).standard_normal((MANY, model.input_shape[1])).astype(model.dtype)
    return Speed(
        seconds=seconds,
        rows_per_second=trained / seconds,
        gflops=gflops,
        percent_of_peak=share,
        one_row=best_time(lambda: model.predict(X[:1]), SECONDS),
        many=MANY,
        of_many=best_time(lambda: model.predict(X), SECONDS) / MANY,
    )


def _operations(model: Model) -> int:
    """Return the operations per row, forward and back; the gradient of the inputs is not needed."""
    primitives = chain.from_iterable(model.network().lower(model.parameters()))
    counts = [primitive.operations for primitive in primitives if primitive.operations]
    return 3 * sum(counts) - sum(counts[:1])


def _notes(model: Model, run: Run, history: History, *, given: bool) -> tuple[str, ...]:
    notes = []
    if run.kept is not None and run.held_out and run.test is None and not given:
        notes.append(
            "The rows held out chose the epoch, so their numbers are too good for new rows. "
            "train_table(..., test=0.2), or --test 0.2 on the command line, holds out rows that choose "
            "nothing; report(data=...) takes others."
        )
    if model.table is not None and model.table.task == "regress":
        scale = model.table.target
        notes.append(f"The curves are of {scale.name!r} less {scale.mean:.6g}, over {scale.std:.6g}.")
    if history.epoch[-1] + 1 < run.epochs or history.steps[-1] < run.steps:
        within = "within" if history.steps[-1] < run.steps else "after"
        notes.append(f"Training ended {within} epoch {history.epoch[-1] + 1:,} of {run.epochs:,}.")
    if not run.held_out:
        notes.append("No rows were held out: numbers of rows that a model has seen flatter it.")
    if run.weighted:
        notes.append("Rows had weights in the run; here every row counts alike.")
    left_out = [name for name in history.history if name not in _numbers(history)]
    if left_out:
        notes.append(f"Not in every epoch, or no number, and not drawn: {', '.join(left_out)}.")
    notes += caveats(model, run)
    return tuple(notes)
