"""The training loop: epochs of steps, run by an engine a stretch at a time, heard by callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks import CallbackList, TerminateOnNaN
from fastdense.callbacks.base import Logs
from fastdense.core.spec import loss_reads_logits
from fastdense.core.streams import ORDER, generator
from fastdense.engines import Batches
from fastdense.errors import NonFiniteLossError
from fastdense.layers import Dropout
from fastdense.losses import Poisson
from fastdense.training.data import Data
from fastdense.training.measuring import Metrics, measure
from fastdense.training.model import Learner
from fastdense.training.progress import Display
from fastdense.training.state import State

__all__ = ["Fit", "run", "stretches", "train_once"]

# Seconds of training between two looks at the progress bar: often enough to seem to move.
_REFRESH = 0.1


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


def run(model: Learner, fit: Fit) -> None:
    """Train from ``model.next_epoch`` up to ``fit.epochs``.

    Raises
    ------
    NonFiniteLossError
        The loss, the weights or the optimizer's state became NaN or infinite. The model is back where an
        epoch started whose first loss was finite.
    """
    try:
        with np.errstate(all="ignore"):  # what overflows shows in the loss, which is checked
            fit.callbacks.call("on_train_begin", {})
            good = model.state()
            while model.next_epoch < fit.epochs and not model.stop_training:
                good = _epoch(model, fit, good)
            fit.callbacks.call("on_train_end", {})
    finally:
        fit.display.close()


def _epoch(model: Learner, fit: Fit, good: State) -> State:
    """Run one epoch, validation and callbacks included, and return the state that it started from."""
    epoch = model.next_epoch
    fit.display.epoch_begin(epoch, fit.epochs, fit.steps)
    fit.callbacks.call("on_epoch_begin", epoch, {})
    start = model.state()
    logs = _train(model, fit, start, good)
    if fit.held_out is not None:
        held_out = measure(model, model.training_program(), fit.held_out, fit.metrics)
        logs |= {f"val_{name}": value for name, value in held_out.items()}
    model.next_epoch += 1
    fit.callbacks.call("on_epoch_end", epoch, logs)
    fit.display.epoch_end(logs)
    return start


def train_once(model: Learner, data: Data, metrics: Metrics) -> Logs:
    """Take one step on all rows; return their loss and metrics from before it.

    Raises
    ------
    NonFiniteLossError
        As in `run`; the model is as it was before the step.
    """
    start, order = model.state(), np.arange(len(data))
    outputs = metrics.buffer(model, len(data))
    loss = float(_run_steps(model, data, order, len(data), outputs)[0])
    if not (math.isfinite(loss) and model.state().is_finite()):
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
    batches = _scheduled(model, Batches(data.X, data.y, data.weights, order, batch_size), first)
    compiled = model.take_program()
    program, done = compiled.program, compiled.program.steps
    try:
        losses: NDArray[np.float64] = program.train(batches, rates, first, outputs)
        model.keep(compiled, first + program.steps - done)
    except BaseException:  # an interrupt can also come while the model keeps its weights
        model.keep(compiled, first + program.steps - done)
        raise
    return losses


def _scheduled(model: Learner, batches: Batches, first: int) -> Batches:
    """Return batches with the weight decays and dropout rates that their steps have, if those change."""
    steps = math.ceil(len(batches.order) / batches.batch_size)
    dropout = {
        place: layer.rates(first, steps)
        for place, layer in enumerate(model.layers)
        if isinstance(layer, Dropout) and callable(layer.rate)
    }
    return replace(batches, weight_decay=model.optimizer.weight_decays(first, steps), dropout=dropout)


def _train(model: Learner, fit: Fit, start: State, good: State) -> Logs:
    """Take an epoch's steps and return its numbers: the loss is the mean over rows, each at its own step.

    If it fails, the model goes back to ``start``, or to ``good`` if the first loss was a bad one already.

    No number depends on how the epoch is cut into stretches: losses are added one by one, and the metrics
    are those of all the epoch's outputs, kept until its end.
    """
    data, size = fit.data, fit.batch_size
    order = _order(model, len(data), fit.shuffle)
    outputs = fit.metrics.buffer(model, len(data))
    total, rows = 0.0, 0
    for begin, end in stretches(fit.steps, fit.callbacks.wants_batches, fit.display.live):
        part = slice(begin * size, end * size)
        fit.callbacks.call("on_train_batch_begin", begin, {})
        losses = _run_steps(model, data, order[part], size, None if outputs is None else outputs[part])
        for loss in losses.tolist():
            count = min(size, len(data) - rows)
            total, rows = total + loss * count, rows + count
        if not math.isfinite(loss) or (end == fit.steps and not model.state().is_finite()):
            step = begin + len(losses) - 1
            model.rewind(start if step else good)
            _stop(model, fit, _diagnosis(model, loss, f"epoch {model.next_epoch + 1}, step {step + 1}"))
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

    All of the epoch at once, but one by one if a callback listens to steps, and as many as take about
    `_REFRESH` seconds if progress is shown.
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


def _stop(model: Learner, fit: Fit, diagnosis: str) -> None:
    """End training, quietly if a callback asks for that."""
    if not any(isinstance(callback, TerminateOnNaN) for callback in fit.callbacks.callbacks):
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
    poisson = model.loss if math.isnan(loss) and isinstance(model.loss, Poisson) else None
    if poisson and not loss_reads_logits(model.network(), poisson.spec()):  # logarithms may be negative
        cause = (
            "an output is negative, where a Poisson loss is not defined: end the network in exponential or "
            "softplus"
        )
    return f"{what} at {place}. Most likely {cause}. The model is back at its last good weights"
