"""Losses, metrics and outputs of many rows, a stretch of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks.base import Logs
from fastdense.core.spec import TrainingSpec
from fastdense.engines import Program
from fastdense.engines.jobs import Watch, Watched
from fastdense.metrics import Metric, names
from fastdense.training.data import Data
from fastdense.training.model import Trainable

__all__ = ["Metrics", "measure", "measured", "outputs_of", "watch"]

_ROWS = 65536
"""Rows whose losses and metrics are computed at a time."""
_OUTPUTS = 2**20
"""The outputs of watched rows, in numbers: a job holds those of every epoch."""


class Metrics:
    """The metrics of one fit: plain ones, and ones that weigh rows as the loss does."""

    def __init__(self, plain: Sequence[Metric], weighted: Sequence[Metric]) -> None:
        self.plain, self.weighted, self.all = plain, weighted, [*plain, *weighted]
        self.names = names(self.plain, self.weighted)

    def modes(self) -> dict[str, Literal["min", "max"] | None]:
        """Return by every metric's name whether small or large numbers are good."""
        return {name: metric.mode for name, metric in zip(self.names, self.all, strict=True)}

    def reset(self) -> None:
        """Forget all rows."""
        for metric in self.all:
            metric.reset_state()

    def add(self, data: Data, rows: NDArray[np.int64] | slice, outputs: Any) -> None:
        """Add rows of the data and their outputs."""
        y, weights = data.y[rows], None if data.weights is None else data.weights[rows]
        for metric in self.plain:
            metric.update_state(y, outputs)
        for metric in self.weighted:
            metric.update_state(y, outputs, weights)

    def measure(self, data: Data, order: NDArray[np.int64], outputs: Any) -> Logs:
        """Return every metric of the rows that ``order`` names, which have these outputs."""
        self.reset()
        for part in _parts(len(order) if self.all else 0):
            self.add(data, order[part], outputs[part])
        return self.results()

    def results(self) -> Logs:
        """Return every metric's number by its name."""
        return {name: metric.result() for name, metric in zip(self.names, self.all, strict=True)}

    def buffer(self, model: Trainable, rows: int) -> NDArray[Any] | None:
        """Return an array for the outputs of ``rows`` rows, None if no metric needs them."""
        return np.empty((rows, model.output_shape[1]), dtype=model.dtype) if self.all else None


def measure(model: Trainable, program: Program, data: Data, metrics: Metrics) -> Logs:
    """Return the loss, penalties included, and the metrics of rows, dropout off.

    ``program`` is the model's, and nothing may train it meanwhile.
    """
    metrics.reset()
    total = 0.0
    for part in _parts(len(data)):
        rows = data.numbers(part)
        X, y = data.X[rows], data.y[rows]
        outputs = metrics.buffer(model, len(X))
        losses = program.losses(X, y, outputs)
        total += _sum(losses, data, rows)
        if outputs is not None:
            metrics.add(data, rows, outputs)
    return {"loss": total / len(data) + program.penalty(), **metrics.results()}


def watch(model: Trainable, data: Data | None) -> Watch | None:
    """Return what makes a job watch rows; None where `measure` would take more than one part for them."""
    if data is None or len(data) > _ROWS or len(data) * model.output_shape[1] > _OUTPUTS:
        return None
    return Watch(data.X, data.y, data.rows)


def measured(watched: Watched, data: Data, metrics: Metrics) -> Logs:
    """Return what `measure` does, of rows that a job has watched."""
    metrics.reset()
    rows = data.numbers(slice(0, len(data)))
    if metrics.all:
        metrics.add(data, rows, watched.outputs)
    loss = _sum(watched.losses, data, rows) / len(data) + watched.penalty
    return {"loss": loss, **metrics.results()}


def _sum(losses: NDArray[np.float64], data: Data, rows: NDArray[np.int64] | slice) -> float:
    return float(losses.sum() if data.weights is None else np.dot(losses, data.weights[rows]))


def outputs_of(
    model: Trainable, training: TrainingSpec, data: Data
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the outputs of all rows, of shape (m, n_out), and their losses, in main memory, dropout off."""
    program = model.program(training)
    outputs = np.empty((len(data), model.output_shape[1]), dtype=model.dtype)
    losses = np.empty(len(data))
    for part in _parts(len(data)):
        rows = data.numbers(part)
        losses[part] = program.losses(data.X[rows], data.y[rows], outputs[part])
    return outputs, losses


def _parts(rows: int) -> Iterator[slice]:
    return (slice(begin, min(begin + _ROWS, rows)) for begin in range(0, rows, _ROWS))
