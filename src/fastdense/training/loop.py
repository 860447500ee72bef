"""The training loop: a fitting of epochs, several in one job where no callback could act before the last."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks import CallbackList, TerminateOnNaN
from fastdense.callbacks.base import Logs, Moment
from fastdense.engines.jobs import Fitting, Passed, Watch, Watched
from fastdense.errors import NonFiniteLossError
from fastdense.training.data import Data
from fastdense.training.measuring import Metrics, measure, measured, watch
from fastdense.training.model import Learner
from fastdense.training.non_finite import diagnosis
from fastdense.training.options import Options
from fastdense.training.pace import Pace, most_epochs, stretches
from fastdense.training.progress import Display
from fastdense.training.state import State
from fastdense.training.steps import are_known_ahead, order_of, take

__all__ = ["Course", "Fit", "run"]


@dataclass(frozen=True)
class Fit:
    """One call of `fit`: what it trains on, how, and who hears of it."""

    data: Data
    held_out: Data | None
    options: Options
    metrics: Metrics
    callbacks: CallbackList
    display: Display

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return math.ceil(len(self.data) / self.options.batch_size)


class _Good(NamedTuple):
    """Where an epoch goes back to whose first loss is bad: the start of the epoch before it.

    Attributes
    ----------
    state : State
    ahead : int
        The epochs that are trained from it again, to be there.
    """

    state: State
    ahead: int


def run(model: Learner, fit: Fit) -> Fitting[None]:
    """Train from ``model.next_epoch`` up to ``fit.options.epochs`` epochs in all.

    Raises
    ------
    NonFiniteLossError
        The loss, the weights or the optimizer's state became NaN or infinite. The model is back where an
        epoch started whose first loss was finite.
    """
    try:
        course = Course(model, fit)
        course.begin()
        yield from course.go_on(fit.options.epochs)
        course.end()
    finally:
        fit.display.close()


class Course:
    """A fit under way, which can pause after any epoch.

    Epochs that are certain to run before a callback could act are one job, and are reported after it. No
    number depends on how epochs are put into jobs, or an epoch cut into stretches: losses are added one by
    one, and metrics are those of all the epoch's outputs.
    """

    def __init__(self, model: Learner, fit: Fit) -> None:
        self.model, self.fit = model, fit
        self._watch, self._pace = watch(model, fit.held_out), Pace()
        self._most = self._most_epochs()
        self._singly = 0  # epochs before this one are jobs of their own
        self._good: _Good | None = None

    def begin(self) -> None:
        """Call the hooks of the start."""
        self.fit.callbacks.call("on_train_begin", {})

    def go_on(self, epochs: int) -> Fitting[None]:
        """Train until there are so many epochs in all, or training is stopped; `run` says what it raises."""
        self._good = self._good or _Good(self.model.state(), 0)
        while self.model.next_epoch < epochs and not self.model.stop_training:
            self._announce()
            count, start = self._certain(epochs), self.model.state()
            if not (count > 1 and (yield from self._together(start, count))):
                yield from self._one(start)

    def end(self) -> None:
        """Call the hooks of the end."""
        self.fit.callbacks.call("on_train_end", {})

    def _certain(self, epochs: int) -> int:
        """Return how many epochs to train in one job."""
        at = self.model.next_epoch
        if at < self._singly or not are_known_ahead(self.model):
            return 1
        shown = self._pace.count if self.fit.display.shown else math.inf
        return int(min(self.fit.callbacks.certain_epochs(), epochs - at, self._most, shown))

    def _most_epochs(self) -> int:
        """Return how many epochs of these rows a job may have."""
        fit, size = self.fit, np.dtype(self.model.dtype).itemsize
        watched = 0 if fit.held_out is None else len(fit.held_out)
        if watched and self._watch is None:
            return 1
        weights = sum(array.size for array in self.model.weights)
        outputs = watched + len(fit.data) * bool(fit.metrics.all)
        numbers = outputs * self.model.output_shape[1] + weights * fit.callbacks.wants_weights
        return most_epochs(
            size * numbers + 8 * watched,
            2 * weights * (3 * len(fit.data) + watched),
            len(fit.data),
            fit.steps,
        )

    def _together(self, start: State, count: int) -> Fitting[bool]:
        """Train epochs as one job and report them; return False with the model at their start if one failed.

        Which one did is found by training them one by one. What is not finite stays so: weights and the
        optimizer's state that are finite after the last epoch were so after each.
        """
        model, fit, clock = self.model, self.fit, time.perf_counter()
        at = model.next_epoch
        orders = [self._order(start.iterations + i * fit.steps) for i in range(count)]
        try:
            passed = yield from self._take(orders, self._watch, fit.callbacks.wants_weights)
        except BaseException:
            model.next_epoch = at + (model.optimizer.iterations - start.iterations) // fit.steps
            raise
        if not (math.isfinite(passed[-1].losses[-1]) and model.state().is_finite()):
            model.rewind(start)
            self._singly = at + count
            return False
        seconds = time.perf_counter() - clock
        self._pace.took(count, seconds)
        self._good = _Good(start, count - 1)
        try:
            for i, (order, each) in enumerate(zip(orders, passed, strict=True)):
                if i:
                    self._announce()
                self._stand_at(start, i + 1, clock + seconds * (i + 1) / count, each)
                loss = _Loss(fit).plus(each.losses)
                fit.display.advance(fit.steps)
                self._report(self._logs(order, loss, each.outputs, each.watched), seconds / count)
        finally:  # an interrupt amid the reports finds the model at the end of the job
            model.next_epoch = at + count
            fit.callbacks.stand_at(None)
        return True

    def _stand_at(self, start: State, count: int, seconds: float, passed: Passed) -> None:
        """Tell callbacks where training stood when so many epochs from a start had passed."""
        arrays = passed.parameters
        weights = None if arrays is None else start.snapshot.weights(arrays)
        steps = start.iterations + count * self.fit.steps
        self.fit.callbacks.stand_at(Moment(seconds, steps, weights))

    def _one(self, start: State) -> Fitting[None]:
        """Train one epoch, by stretches if its steps are listened to or shown, and report it."""
        model, fit, clock = self.model, self.fit, time.perf_counter()
        order, size, loss = self._order(start.iterations), fit.options.batch_size, _Loss(fit)
        outputs: list[NDArray[Any]] = []
        whole = not (fit.callbacks.wants_batches or fit.display.live)
        for begin, end in stretches(fit.steps, fit.callbacks.wants_batches, fit.display.live):
            fit.callbacks.call("on_train_batch_begin", begin, {})
            part = order[begin * size : end * size]
            [passed] = yield from self._take([part], self._watch if whole else None)
            watched = passed.watched
            outputs += [] if passed.outputs is None else [passed.outputs]
            loss.plus(passed.losses)
            if not math.isfinite(loss.last) or (end == fit.steps and not model.state().is_finite()):
                yield from self._go_back(start, loss)
                watched = None
                break
            fit.callbacks.call("on_train_batch_end", end - 1, {"loss": loss.mean})
            fit.display.advance(end - begin)
            if model.stop_training:
                break
        self._pace.took(1, time.perf_counter() - clock)
        joined = np.concatenate(outputs) if outputs else None
        self._report(self._logs(order, loss, joined, watched), time.perf_counter() - clock)
        self._good = _Good(start, 0)

    def _take(
        self, orders: Sequence[NDArray[np.int64]], watch: Watch | None = None, keep: bool = False
    ) -> Fitting[list[Passed]]:
        fit = self.fit
        return take(self.model, fit.data, orders, fit.options.batch_size, watch, bool(fit.metrics.all), keep)

    def _order(self, first: int) -> NDArray[np.int64]:
        return order_of(self.model, self.fit.data, self.fit.options.shuffle, first)

    def _go_back(self, start: State, loss: _Loss) -> Fitting[None]:
        """Go back to the start of an epoch, or of the one before it if the first loss was bad, and stop.

        Raises
        ------
        NonFiniteLossError
            No callback asks to end quietly.
        """
        model, fit = self.model, self.fit
        place = f"epoch {model.next_epoch + 1}, step {loss.steps}"
        state, ahead = (start, 0) if loss.steps > 1 or self._good is None else self._good
        found = diagnosis(model, loss.last, place)
        model.rewind(state)
        if ahead:
            yield from self._take([self._order(state.iterations + i * fit.steps) for i in range(ahead)])
        if not any(isinstance(callback, TerminateOnNaN) for callback in fit.callbacks.callbacks):
            raise NonFiniteLossError(found)
        print(f"Training ended: {found}")
        model.stop_training = True

    def _logs(
        self, order: NDArray[np.int64], loss: _Loss, outputs: NDArray[Any] | None, watched: Watched | None
    ) -> Logs:
        """Return an epoch's numbers: its loss is the mean over rows, each at its own step."""
        fit = self.fit
        logs = {"loss": loss.mean, **fit.metrics.measure(fit.data, order[: loss.rows], outputs)}
        if fit.held_out is not None:
            held_out = (
                measure(self.model, self.model.training_program(), fit.held_out, fit.metrics)
                if watched is None
                else measured(watched, fit.held_out, fit.metrics)
            )
            logs |= {f"val_{name}": value for name, value in held_out.items()}
        return logs

    def _announce(self) -> None:
        """Tell of the start of an epoch."""
        epoch, fit = self.model.next_epoch, self.fit
        fit.display.epoch_begin(epoch, fit.options.epochs, fit.steps)
        fit.callbacks.call("on_epoch_begin", epoch, {})

    def _report(self, logs: Logs, seconds: float) -> None:
        """Tell of the end of an epoch."""
        epoch = self.model.next_epoch
        self.model.next_epoch += 1
        self.fit.callbacks.call("on_epoch_end", epoch, logs)
        self.fit.display.epoch_end(logs, seconds)


class _Loss:
    """The mean loss of the rows of an epoch so far, and the last step's."""

    def __init__(self, fit: Fit) -> None:
        self._fit = fit
        self.last, self.rows, self.steps, self._total = 0.0, 0, 0, 0.0

    def plus(self, losses: NDArray[np.float64]) -> Self:
        """Add the losses of more steps, one by one."""
        size, left = self._fit.options.batch_size, len(self._fit.data) - self.rows
        sums = np.append(self._total, losses * size)
        if left < size * len(losses):
            sums[-1] = losses[-1] * (left - size * (len(losses) - 1))
        self._total, self.last = float(np.add.accumulate(sums)[-1]), float(losses[-1])
        self.rows += min(size * len(losses), left)
        self.steps += len(losses)
        return self

    @property
    def mean(self) -> float:
        """The mean so far."""
        return self._total / self.rows
