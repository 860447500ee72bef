"""The training loop: epochs of steps, run by an engine a stretch at a time, heard by callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastdense.engines import Batches, Parameters, Program, Slots
from fastdense.errors import NonFiniteLossError
from fastdense.streams import ORDER, generator
from fastdense.training.callbacks import CallbackList, TerminateOnNaN
from fastdense.training.callbacks.base import Logs
from fastdense.training.data import Data
from fastdense.training.metrics import Metric
from fastdense.training.model import Trainable
from fastdense.training.optimizers import Optimizer
from fastdense.training.progress import Display

__all__ = ["Learner", "fit_epochs", "measure", "run_steps"]

# Seconds of training between two looks at the progress bar: often enough to seem to move.
_REFRESH = 0.1
# Rows whose outputs are kept at a time for the metrics.
_ROWS = 65536


class Learner(Trainable, Protocol):
    """A model with an optimizer, in training."""

    optimizer: Optimizer
    stop_training: bool
    next_epoch: int

    def training_program(self) -> Program:
        """Return the program that trains, made anew where weights were replaced since its last step."""

    def keep(self, program: Program) -> None:
        """Take over the program's parameters and optimizer state."""

    def rewind(self, parameters: Parameters, slots: Slots) -> None:
        """Go back to parameters and optimizer state of before."""


def fit_epochs(
    model: Learner,
    data: Data,
    held_out: Data | None,
    epochs: int,
    batch_size: int,
    shuffle: bool,
    metrics: Metrics,
    callbacks: CallbackList,
    display: Display,
) -> None:
    """Train from ``model.next_epoch`` up to ``epochs``.

    Raises
    ------
    NonFiniteLossError
        A loss is NaN or infinite; the model keeps the weights of the last good step.
    """
    steps = math.ceil(len(data) / batch_size)
    while model.next_epoch < epochs and not model.stop_training:
        epoch = model.next_epoch
        display.epoch_begin(epoch, epochs, steps)
        callbacks.call("on_epoch_begin", epoch, {})
        first = model.optimizer.iterations
        order = (
            generator(model.seed, ORDER, first).permutation(len(data)) if shuffle else np.arange(len(data))
        )
        logs = _epoch(model, data, order, batch_size, epoch, metrics, callbacks, display)
        if held_out is not None and not model.stop_training:
            logs |= {f"val_{name}": value for name, value in measure(model, held_out, metrics).items()}
        model.next_epoch += 1
        callbacks.call("on_epoch_end", epoch, logs)
        display.epoch_end(logs)


class Metrics:
    """The metrics of one fit: plain ones, and ones that weigh rows as the loss does."""

    def __init__(self, plain: Sequence[Metric], weighted: Sequence[Metric]) -> None:
        self.plain, self.weighted = list(plain), list(weighted)

    def __bool__(self) -> bool:
        return bool(self.plain or self.weighted)

    def reset(self) -> None:
        """Forget all rows."""
        for metric in (*self.plain, *self.weighted):
            metric.reset_state()

    def add(self, y: Any, outputs: Any, weights: Any) -> None:
        """Add rows."""
        for metric in self.plain:
            metric.update_state(y, outputs)
        for metric in self.weighted:
            metric.update_state(y, outputs, weights)

    def results(self) -> Logs:
        """Return every metric's number by its name."""
        return {metric.name: metric.result() for metric in (*self.plain, *self.weighted)}


def measure(model: Learner, data: Data, metrics: Metrics) -> Logs:
    """Return the loss, penalties included, and the metrics of rows, dropout off."""
    program = model.training_program()
    metrics.reset()
    total = 0.0
    for begin in range(0, len(data), _ROWS):
        rows = slice(begin, begin + _ROWS)
        X, y = data.X[rows], data.y[rows]
        weights = None if data.weights is None else data.weights[rows]
        outputs = _buffer(model, len(X)) if metrics else None
        losses = program.losses(X, y, outputs)
        total += float(losses.sum() if weights is None else np.dot(losses, weights))
        metrics.add(y, outputs, weights)
    return {"loss": total / len(data) + program.penalty(), **metrics.results()}


def run_steps(
    model: Learner, data: Data, order: NDArray[np.int64], batch_size: int, metrics: Metrics
) -> NDArray[np.float64]:
    """Run the steps that ``order`` makes, keep what they changed, add to the metrics, return their losses.

    An interrupt leaves the model with the weights of the last whole step.
    """
    program, optimizer = model.training_program(), model.optimizer
    first, done = optimizer.iterations, program.steps
    rates = optimizer.rates(first, math.ceil(len(order) / batch_size))
    outputs = _buffer(model, len(order)) if metrics else None
    batches = Batches(data.X, data.y, data.weights, order, batch_size)
    try:
        losses = program.train(batches, rates, first, outputs)
    finally:
        optimizer.iterations = first + program.steps - done
        model.keep(program)
    if metrics:
        rows = order[: len(losses) * batch_size]
        weights = None if data.weights is None else data.weights[rows]
        assert outputs is not None
        metrics.add(data.y[rows], outputs[: len(rows)], weights)
    return losses


def _epoch(
    model: Learner,
    data: Data,
    order: NDArray[np.int64],
    batch_size: int,
    epoch: int,
    metrics: Metrics,
    callbacks: CallbackList,
    display: Display,
) -> Logs:
    """Run one epoch and return its numbers: the loss is the mean over rows, each at its own step."""
    metrics.reset()
    program = model.training_program()
    start = program.parameters(), program.slots()
    total, rows = 0.0, 0
    for begin, end in _stretches(
        len(order), batch_size, callbacks.wants_batches, display.live, bool(metrics)
    ):
        part = order[begin * batch_size : end * batch_size]
        callbacks.call("on_train_batch_begin", begin, {})
        losses = run_steps(model, data, part, batch_size, metrics)
        sizes = np.full(len(losses), batch_size)
        sizes[-1] = min(batch_size, len(part) - (len(losses) - 1) * batch_size)
        total, rows = total + float(np.dot(losses, sizes)), rows + int(sizes.sum())
        logs = {"loss": total / rows}
        if not math.isfinite(losses[-1]):
            _stop(model, start, epoch, begin + len(losses) - 1, float(losses[-1]), callbacks)
            break
        callbacks.call("on_train_batch_end", end - 1, logs)
        display.advance(end - begin, logs)
        if model.stop_training:
            break
    return {"loss": total / rows, **metrics.results()}


def _stretches(
    rows: int, batch_size: int, every_step: bool, live: bool, keeps_outputs: bool
) -> Iterator[tuple[int, int]]:
    """Yield the steps from one to another that the engine runs in one call.

    All of the epoch at once, but: one by one where a callback listens to steps; as many as take about
    `_REFRESH` seconds where progress is shown; and no more rows than outputs should be kept for.
    """
    steps = math.ceil(rows / batch_size)
    most = max(1, _ROWS // batch_size) if keeps_outputs else steps
    count = 1 if every_step or live else most
    begin = 0
    while begin < steps:
        end = min(begin + count, steps)
        clock = time.perf_counter()
        yield begin, end
        if live and not every_step:
            seconds = max(time.perf_counter() - clock, 1e-6)
            count = max(1, min(most, 2 * count, int((end - begin) * _REFRESH / seconds)))
        begin = end


def _stop(
    model: Learner,
    start: tuple[Parameters, Slots],
    epoch: int,
    step: int,
    loss: float,
    callbacks: CallbackList,
) -> None:
    """End training at a loss that is not finite, going back to ``start`` where the weights are not either."""
    finite = all(bool(np.isfinite(w).all()) for w in model.get_weights())
    if not finite:
        model.rewind(*start)
    cause = (
        "the outputs left the range where the loss is defined, or the inputs are too large"
        if finite
        else "the weights overflowed: the learning rate is too large, or the inputs are not scaled"
    )
    if any(isinstance(callback, TerminateOnNaN) for callback in callbacks.callbacks):
        print(f"Training ended: the loss is {loss} at epoch {epoch + 1}, step {step + 1}")
        model.stop_training = True
        return
    raise NonFiniteLossError(
        f"the loss is {loss} at epoch {epoch + 1}, step {step + 1}: {cause}. The model keeps its last good "
        f"weights. Lower the learning rate, scale the inputs (Normalization), or clip gradients (clipnorm=1)"
    )


def _buffer(model: Learner, rows: int) -> NDArray[Any]:
    return np.empty((rows, model.network().n_out), dtype=model.dtype)
