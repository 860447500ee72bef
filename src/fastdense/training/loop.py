"""The training loop: epochs of steps, run by an engine a stretch at a time, heard by callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks import CallbackList, TerminateOnNaN
from fastdense.callbacks.base import Logs
from fastdense.core.spec import TrainingSpec, loss_reads_logits
from fastdense.core.streams import ORDER, generator
from fastdense.engines import Batches, Program, Slots
from fastdense.errors import NonFiniteLossError
from fastdense.losses import Loss, Poisson
from fastdense.metrics import Metric, names
from fastdense.optimizers import Optimizer
from fastdense.training.data import Data
from fastdense.training.model import Trainable
from fastdense.training.progress import Display

__all__ = ["Fit", "Learner", "Live", "Metrics", "State", "fit_epochs", "measure"]
__all__ += ["outputs_of", "stretches", "train_once"]

# Seconds of training between two looks at the progress bar: often enough to seem to move.
_REFRESH = 0.1
# Rows whose losses and metrics are worked out at a time.
_ROWS = 65536


class State(NamedTuple):
    """All that steps change, and what they were compiled with, as it is at one moment.

    Attributes
    ----------
    moment : Moment
        The layers with their arrays, which nothing writes to.
    slots : the optimizer's arrays, None before its first step
    iterations : int
    settings : dict of str to Any
        What `compile` sets: attributes of the model.
    """

    moment: Any
    slots: Slots | None
    iterations: int
    settings: dict[str, Any]


class Live(NamedTuple):
    """A program in training, the settings it was compiled with, and the weights it stands for."""

    program: Program
    spec: TrainingSpec
    stamps: tuple[object, ...]


class Learner(Trainable, Protocol):
    """A model with an optimizer, in training."""

    loss: Loss | None
    optimizer: Optimizer
    stop_training: bool
    next_epoch: int

    @property
    def compiled_metrics(self) -> tuple[Sequence[object], Sequence[object]]:
        """The metrics and the weighted metrics as `compile` was given them."""

    def live(self) -> Live:
        """Return the program that trains, compiled again if weights were replaced since its last step."""

    def take_live(self) -> Live:
        """Return the same, which is the model's no more until `keep` hands it back."""

    def keep(self, live: Live, iterations: int) -> None:
        """Take over the program's parameters and optimizer state after ``iterations`` steps in all."""

    def state(self) -> State:
        """Return what steps change, as it is now."""

    def rewind(self, state: State) -> None:
        """Go back to an earlier state."""


class Metrics:
    """The metrics of one fit: plain ones, and ones that weigh rows as the loss does."""

    def __init__(self, plain: Sequence[Metric], weighted: Sequence[Metric]) -> None:
        self.plain, self.weighted = list(plain), list(weighted)
        self.names = names(self.plain, self.weighted)

    def __bool__(self) -> bool:
        return bool(self.plain or self.weighted)

    def modes(self) -> dict[str, Literal["min", "max"] | None]:
        """Return by every metric's name whether small or large numbers are good."""
        return {name: m.mode for name, m in zip(self.names, (*self.plain, *self.weighted), strict=True)}

    def reset(self) -> None:
        """Forget all rows."""
        for metric in (*self.plain, *self.weighted):
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
        for part in _stretches(len(order) if self else 0):
            self.add(data, order[part], outputs[part])
        return self.results()

    def results(self) -> Logs:
        """Return every metric's number by its name."""
        found = (*self.plain, *self.weighted)
        return {name: metric.result() for name, metric in zip(self.names, found, strict=True)}


@dataclass(frozen=True)
class Fit:
    """One call of `fit`: what it trains on, how, and who hears of it."""

    data: Data
    held_out: Data | None
    epochs: int
    batch_size: int
    shuffle: bool
    metrics: Metrics
    callbacks: CallbackList
    display: Display

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return math.ceil(len(self.data) / self.batch_size)


def fit_epochs(model: Learner, fit: Fit) -> None:
    """Train from ``model.next_epoch`` up to ``fit.epochs``.

    Raises
    ------
    NonFiniteLossError
        The loss, the weights or the optimizer's state became NaN or infinite. The model is back where an
        epoch started whose first loss was finite.
    """
    good = model.state()
    while model.next_epoch < fit.epochs and not model.stop_training:
        epoch = model.next_epoch
        fit.display.epoch_begin(epoch, fit.epochs, fit.steps)
        fit.callbacks.call("on_epoch_begin", epoch, {})
        start = model.state()
        logs = _epoch(model, fit, epoch, start, good)
        if fit.held_out is not None:
            held_out = measure(model, model.live().program, fit.held_out, fit.metrics)
            logs |= {f"val_{name}": value for name, value in held_out.items()}
        good = start
        model.next_epoch += 1
        fit.callbacks.call("on_epoch_end", epoch, logs)
        fit.display.epoch_end(logs)


def measure(model: Learner, program: Program, data: Data, metrics: Metrics) -> Logs:
    """Return the loss, penalties included, and the metrics of rows, dropout off.

    ``program`` is the model's, and nothing may train it meanwhile.
    """
    metrics.reset()
    total = 0.0
    for rows in _stretches(len(data)):
        X, y = data.X[rows], data.y[rows]
        outputs = _buffer(model, metrics, len(X))
        losses = program.losses(X, y, outputs)
        total += float(losses.sum() if data.weights is None else np.dot(losses, data.weights[rows]))
        if outputs is not None:
            metrics.add(data, rows, outputs)
    return {"loss": total / len(data) + program.penalty(), **metrics.results()}


def outputs_of(
    model: Trainable, training: TrainingSpec, data: Data
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the outputs of all rows, of shape (m, n_out), and their losses, in main memory, dropout off."""
    program = model.program(training, None)
    outputs = np.empty((len(data), model.network().n_out), dtype=model.dtype)
    losses = np.empty(len(data))
    for rows in _stretches(len(data)):
        losses[rows] = program.losses(data.X[rows], data.y[rows], outputs[rows])
    return outputs, losses


def train_once(model: Learner, data: Data, metrics: Metrics) -> Logs:
    """Take one step on all rows; return their loss and metrics from before it.

    Raises
    ------
    NonFiniteLossError
        As in `fit_epochs`; the model is as it was before the step.
    """
    start, order = model.state(), np.arange(len(data))
    outputs = _buffer(model, metrics, len(data))
    loss = float(_run_steps(model, data, order, len(data), outputs)[0])
    if not (math.isfinite(loss) and _is_finite(model.state())):
        model.rewind(start)
        raise NonFiniteLossError(_diagnosis(model, loss, f"step {start.iterations + 1}"))
    return {"loss": loss, **metrics.measure(data, order, outputs)}


def _run_steps(
    model: Learner, data: Data, order: NDArray[np.int64], batch_size: int, outputs: NDArray[Any] | None
) -> NDArray[np.float64]:
    """Run the steps that ``order`` makes, keep what they changed, return their losses.

    An interrupt leaves the model with the weights of the last whole step. If memory runs out while it keeps
    them, it is as it was before: the program, which is ahead of it, is dropped.
    """
    optimizer = model.optimizer
    first = optimizer.iterations
    rates = optimizer.rates(first, math.ceil(len(order) / batch_size))
    batches = Batches(data.X, data.y, data.weights, order, batch_size)
    live = model.take_live()
    program, done = live.program, live.program.steps
    try:
        losses = program.train(batches, rates, first, outputs)
        model.keep(live, first + program.steps - done)
    except BaseException:  # an interrupt can also come while the model keeps its weights
        model.keep(live, first + program.steps - done)
        raise
    return losses


def _epoch(model: Learner, fit: Fit, epoch: int, start: State, good: State) -> Logs:
    """Run one epoch and return its numbers: the loss is the mean over rows, each at its own step.

    Where it fails, the model goes back to ``start``, or to ``good`` if the first loss was a bad one already.

    No number depends on how the epoch is cut into stretches: losses are added one by one, and the metrics
    are those of all the epoch's outputs, kept until its end.
    """
    data, size = fit.data, fit.batch_size
    order = _order(model, len(data), fit.shuffle)
    outputs = _buffer(model, fit.metrics, len(data))
    total, rows = 0.0, 0
    for begin, end in stretches(fit.steps, fit.callbacks.wants_batches, fit.display.live):
        part = slice(begin * size, end * size)
        fit.callbacks.call("on_train_batch_begin", begin, {})
        losses = _run_steps(model, data, order[part], size, None if outputs is None else outputs[part])
        for loss in losses.tolist():
            count = min(size, len(data) - rows)
            total, rows = total + loss * count, rows + count
        if not math.isfinite(loss) or (end == fit.steps and not _is_finite(model.state())):
            step = begin + len(losses) - 1
            model.rewind(start if step else good)
            _stop(model, _diagnosis(model, loss, f"epoch {epoch + 1}, step {step + 1}"), fit.callbacks)
            break
        fit.callbacks.call("on_train_batch_end", end - 1, {"loss": total / rows})
        fit.display.advance(end - begin)
        if model.stop_training:
            break
    return {"loss": total / rows, **fit.metrics.measure(data, order[:rows], outputs)}


def _order(model: Learner, rows: int, shuffle: bool) -> NDArray[np.int64]:
    if not shuffle:
        return np.arange(rows)
    return generator(model.seed, ORDER, model.optimizer.iterations).permutation(rows)


def stretches(steps: int, every_step: bool, live: bool) -> Iterator[tuple[int, int]]:
    """Yield the steps from one to another that the engine runs in one call.

    All of the epoch at once, but one by one where a callback listens to steps, and as many as take about
    `_REFRESH` seconds where progress is shown.
    """
    count = 1 if every_step or live else steps
    begin = 0
    while begin < steps:
        end = min(begin + count, steps)
        clock = time.perf_counter()
        yield begin, end
        if live and not every_step:
            seconds = max(time.perf_counter() - clock, 1e-6)
            count = max(1, min(2 * count, int((end - begin) * _REFRESH / seconds)))
        begin = end


def _stop(model: Learner, diagnosis: str, callbacks: CallbackList) -> None:
    """End training: quietly where a callback asks for it."""
    if not any(isinstance(callback, TerminateOnNaN) for callback in callbacks.callbacks):
        raise NonFiniteLossError(diagnosis)
    print(f"Training ended: {diagnosis}")
    model.stop_training = True


def _diagnosis(model: Learner, loss: float, place: str) -> str:
    """Return what went wrong and where, with its likely cause."""
    overflowed = "the weights or the optimizer's state overflowed"
    what = overflowed if math.isfinite(loss) else f"the loss is {loss}"
    cause = (
        "the learning rate is too large, or the inputs or targets are not scaled: lower it, scale them "
        "(Normalization), or clip gradients (clipnorm=1)"
    )
    if math.isnan(loss) and isinstance(model.loss, Poisson) and not _is_log_link(model):
        cause = (
            "an output is negative, where a Poisson loss is not defined: end the network in exponential or "
            "softplus"
        )
    return f"{what} at {place}. Most likely {cause}. The model is back at its last good weights"


def _is_log_link(model: Learner) -> bool:
    """Say whether the loss reads logarithms, which may be negative."""
    return model.loss is not None and loss_reads_logits(model.network(), model.loss.spec())


def _is_finite(state: State) -> bool:
    groups = (*state.moment.arrays, *(state.slots or ()))
    return all(bool(np.isfinite(array).all()) for group in groups for array in group)


def _stretches(rows: int) -> Iterator[slice]:
    """Yield the rows from one to another that are worked out at a time."""
    return (slice(begin, min(begin + _ROWS, rows)) for begin in range(0, rows, _ROWS))


def _buffer(model: Learner, metrics: Metrics, rows: int) -> NDArray[Any] | None:
    """Return room for the outputs of so many rows, None where no metric wants them."""
    return np.empty((rows, model.network().n_out), dtype=model.dtype) if metrics else None
