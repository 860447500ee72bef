"""What `fastdense train` came to, in plain words: the numbers, and of which rows they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastdense.models.sequential import Sequential
from fastdense.tabular import evaluate_test, kept_epoch
from fastdense.tabular.doubts import deciding_columns, leave_out

__all__ = ["columns_found", "perfect_notes", "results", "test_results"]

_SHOWN = 16  # columns
_TOO_GOOD = "too good for new rows"


def columns_found(model: Sequential) -> str:
    """Return what was found in the columns, cut short if there are many."""
    head, *lines = model.table.summary().splitlines()
    rest = [f"  ... and {len(lines) - _SHOWN} more columns"] if len(lines) > _SHOWN else []
    return "\n".join([head, *lines[:_SHOWN], *rest])


def results(model: Sequential) -> Iterator[str]:
    """Yield the numbers of the epoch that was kept, on the rows that chose it and on those for a test."""
    assert model.history is not None
    assert model.run is not None
    history, run, best = model.history.history, model.run, kept_epoch(model)
    yield f"Best epoch: {best + 1} of {len(history['loss'])}"
    prefix = "val_" if run.held_out else ""
    kept = {name: values[best] for name, values in history.items()}
    if model.table.task == "regress":
        rmse, scale = kept[f"{prefix}loss"] ** 0.5, model.table.target.std
        numbers = {"rmse": rmse * scale, "mae": kept[f"{prefix}mae"] * scale, "r2": 1.0 - rmse**2}
    else:
        numbers = {"accuracy": kept[f"{prefix}accuracy"]}
    if run.held_out:
        yield from _lines("Held-out", numbers, f"{run.held_out:,} rows, which chose the epoch: {_TOO_GOOD}")
    else:
        yield from _lines("Training", numbers, f"{run.rows:,} rows, which it was trained on: {_TOO_GOOD}")
    yield from test_results(model)


def test_results(model: Sequential) -> Iterator[str]:
    """Yield the numbers of the rows that chose nothing, or how to have some."""
    tested, run = evaluate_test(model), model.run
    if tested is None or run is None or run.test is None:
        yield "--test 0.2 holds out rows that choose nothing, for an honest number"
    else:
        yield from _lines("Test", tested, f"{len(run.test[0]):,} rows, which chose nothing")


def _lines(side: str, numbers: dict[str, float], rows: str) -> Iterator[str]:
    if "accuracy" in numbers:
        yield f"{side} accuracy: {numbers['accuracy']:.4f} ({rows})"
        return
    yield f"{side} RMSE: {numbers['rmse']:.6g}, MAE: {numbers['mae']:.6g} ({rows})"
    variance = "" if side == "Test" else " (of the training rows' variance)"
    yield f"{side} R2: {numbers['r2']:.4f}{variance}"


def perfect_notes(model: Sequential, frame: Any) -> list[str]:
    """Return a note for each column that may be why a model makes no mistakes on the rows held out."""
    assert model.history is not None
    accuracies = model.history.history.get("val_accuracy")
    if model.table.task == "classify" and (not accuracies or accuracies[kept_epoch(model)] < 1.0):
        return []
    target = model.table.target.name
    return [
        f"column {name!r} alone decides the target {target!r}: {leave_out(name)}"
        for name in deciding_columns(model.table, frame)
    ]
