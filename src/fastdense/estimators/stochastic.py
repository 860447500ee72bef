"""Adam and gradient descent: scikit-learn's epochs, each of them as few calls of an engine as can be."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastdense.core.arrays import Array
from fastdense.core.spec import TrainingSpec
from fastdense.engines.jobs import Epoch, Fitting, Job, Passed, Watch, alone, watched_by
from fastdense.engines.programs import Programs
from fastdense.estimators.blueprint import Weights, ungrouped
from fastdense.estimators.epochs import Epochs, part
from fastdense.estimators.inference import ready
from fastdense.estimators.listeners import Listeners
from fastdense.estimators.optimization import Optimization
from fastdense.estimators.parameters import SharedParameters
from fastdense.estimators.problem import NON_FINITE, Problem
from fastdense.estimators.state import FitState
from fastdense.training.pace import stretches

__all__ = ["Training", "train"]


# The most bytes that a job of several epochs holds, and its most rows times weights: half a second or so; in
# `fit`, where Ctrl-C leaves its epochs without records, some hundredths of one.
_BYTES, _WORK, _WORK_IN_FIT = 2**23, 2e9, 1e8


class Training:
    """A training in epochs. It can pause after any of them, and goes on to the same bits.

    Parameters
    ----------
    problem : Problem
    state : FitState
        What it has come to so far.

    Attributes
    ----------
    over : bool
        Whether the last epoch was the last one for lack of progress or time.
    """

    def __init__(self, problem: Problem, state: FitState) -> None:
        p = problem.parameters
        self.problem, self.state = problem, state
        self.optimizer = state.optimizer = state.optimizer or Optimization(p)
        training = TrainingSpec(problem.rows.goal.loss, self.optimizer.spec, problem.seed)
        weights = state.coefs, state.intercepts
        self.program = self.optimizer.program(p.engine, problem.network, training, weights)
        self.epochs = Epochs(problem, self.optimizer, _batch_rows(p.batch_size, len(problem.rows)))
        self.over = False
        self._paused: float | None = None
        self._size = sum(array.size for group in weights for array in group)
        self._programs = Programs()

    @property
    def ended(self) -> bool:
        """Whether it came to its own end."""
        return self.over or self.state.n_iter >= self.problem.parameters.max_iter

    def go_on(self, epochs: float, listeners: Listeners | None = None, work: float = _WORK) -> Fitting[None]:
        """Train until ``epochs`` in all, or until progress or time runs out.

        A job of several epochs has at most as much ``work``, in rows times weights.

        Raises
        ------
        ValueError
            The loss is not finite. The best weights so far are kept, or else the last finite ones.
        """
        state = self.state
        epochs = min(epochs, self.problem.parameters.max_iter)
        most = _epochs_in_a_job(self.problem, self._size, work)
        self._clock_runs()
        try:
            while not self.over and state.n_iter < epochs:
                if listeners:
                    listeners.epoch_begins()
                planned, shares = self.epochs.ahead(min(most, self._certain(epochs, listeners)), state.t)
                if self.problem.deadline < math.inf:
                    came = [(yield from self._in_stretches(planned[0]))]
                else:
                    came = yield from self._run(planned, self.problem.watch)
                for (batches, _), own, passed in zip(planned, shares, came, strict=False):
                    self._passed(batches.order, own, passed, listeners)
        finally:  # a callback's error loses nothing
            state.coefs, state.intercepts = self.optimizer.weights()
            self._paused = time.monotonic()

    def _clock_runs(self) -> None:
        """Move the deadline by as long as training paused."""
        if self._paused is not None and self.problem.deadline < math.inf:
            deadline = self.problem.deadline + time.monotonic() - self._paused
            self.problem = replace(self.problem, deadline=deadline)

    def outputs(self, X: Any) -> Array:
        """Return the network's outputs for rows, by the weights that the state has."""
        if self.state.coefs is self.state.best_coefs:  # which the program has left behind
            p, weights = self.problem.parameters, (self.state.coefs, self.state.intercepts)
            return ready(self._programs, p, X.shape[1], weights, self.state.goal).run(X)
        found: Array = self.program.predict(X)
        return found

    def finish(self) -> None:
        """Go back to the best weights, with early stopping."""
        state, problem = self.state, self.problem
        if problem.parameters.early_stopping and (state.stopped or not problem.once):
            state.coefs, state.intercepts = state.best_coefs, state.best_intercepts

    def _certain(self, epochs: float, listeners: Listeners | None) -> int:
        """Return how many epochs run whatever they come to."""
        p = self.problem.parameters
        if p.verbose or self.problem.deadline < math.inf or (listeners and listeners.any):
            return 1
        patience = p.n_iter_no_change + 1 - self.state.no_improvement_count
        return int(max(1, min(patience, epochs - self.state.n_iter)))

    def _run(self, epochs: list[Epoch], watch: Watch | None) -> Fitting[list[Passed]]:
        """Run epochs, or steps of one, as one job."""
        optimizer, program, begun = self.optimizer, self.program, len(epochs)
        keep = watch is not None and self.problem.parameters.early_stopping
        before = program.steps
        try:
            came = yield Job(program, epochs, optimizer.steps, watch, keep=keep)
            begun = len(came)
        except BaseException:
            begun = min(begun, (program.steps - before) // len(self.epochs.counts) + 1)
            raise
        finally:  # an interrupt leaves the steps before it taken
            optimizer.steps += program.steps - before
            if begun < len(epochs):
                self.epochs.begun(begun)
        return came

    def _in_stretches(self, epoch: Epoch) -> Fitting[Passed]:
        """Run an epoch in parts that take a moment each, until time runs out."""
        losses: list[NDArray[np.float64]] = []
        for begin, end in stretches(len(self.epochs.counts), every_step=False, live=True):
            (came,) = yield from self._run([part(epoch, begin, end)], None)
            losses.append(came.losses)
            if not math.isfinite(came.losses[-1]) or self.problem.out_of_time():
                break
        watch = self.problem.watch if math.isfinite(losses[-1][-1]) else None
        watched = None if watch is None else watched_by(self.program, watch)
        return Passed(np.concatenate(losses), watched=watched)

    def _passed(
        self, order: NDArray[np.int64], shares: Array | None, passed: Passed, listeners: Listeners | None
    ) -> None:
        """Write an epoch down, judge it, and find whether it was the last one.

        Its loss is the mean loss, as shown, of its rows, each at its own step.
        """
        problem, state, p = self.problem, self.state, self.problem.parameters
        rows, losses, steps = problem.rows, passed.losses, len(passed.losses)
        seen = self.epochs.seen[steps - 1]
        loss = float(losses.dot(self.epochs.counts[:steps])) / seen
        if rows.constants is not None:
            loss += rows.constant(order, shares)
        state.t += seen
        state.record(loss / rows.goal.shares, problem.validated(passed.watched), p.verbose)
        state.judge(p.early_stopping, p.tol, partial(self._weights, passed))
        self.optimizer.epoch_ended(state.t)
        asked = bool(listeners and listeners.epoch_ended(state, self.optimizer.weights))
        self.over = asked or _is_over(problem, state, self.optimizer)

    def _weights(self, passed: Passed) -> Weights:
        """Return the weights after an epoch."""
        if passed.parameters is None:
            return self.optimizer.weights()
        return ungrouped(self.problem.network, passed.parameters)


def train(training: Training, listeners: Listeners | None) -> None:
    """Train to the end; an interrupt is one, with a warning."""
    p = training.problem.parameters
    try:
        alone(training.go_on(1 if training.problem.once else p.max_iter, listeners, _WORK_IN_FIT))
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    training.finish()


def _epochs_in_a_job(problem: Problem, weights: int, work: float) -> int:
    """Return the most epochs of a job, by what they hold and how much work they are."""
    rows, held = len(problem.rows), 0 if problem.held_out is None else len(problem.held_out)
    size = 8 * (rows + held * (1 + problem.network.n_out))
    size += 8 * weights if problem.parameters.early_stopping else 0
    size += 0 if problem.rows.weights is None else 16 * len(problem.rows.y)
    return int(max(1, min(_BYTES / size, work / (rows * weights))))


def _batch_rows(given: int | str, count: int) -> int:
    """Return the rows of a step, for ``count`` rows to train on."""
    if isinstance(given, str):  # "auto"
        return min(200, count)
    if given > count:
        warnings.warn(
            f"Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: from "
            f"{given} to {count}",
            stacklevel=2,
        )
    return int(min(given, count))


def _is_over(problem: Problem, state: FitState, optimizer: Optimization) -> bool:
    """Return True if this was the last epoch, and warn if it came too soon."""
    p, loss = problem.parameters, state.loss_curve[-1]
    if not math.isfinite(loss):
        _diverged(state, p.early_stopping)
        return True
    if state.no_improvement_count > p.n_iter_no_change:
        if optimizer.stops(_why_stuck(p), p.verbose):
            state.stopped = p.early_stopping
            return True
        state.no_improvement_count = 0
    if problem.once:
        return True
    if problem.out_of_time():
        _warn(f"Maximum time ({p.max_time:g} s) passed and the optimization hasn't converged yet.")
        return True
    if state.n_iter == p.max_iter:
        _warn(
            f"Stochastic Optimizer: Maximum iterations ({p.max_iter}) reached and the optimization "
            f"hasn't converged yet."
        )
    return False


def _why_stuck(p: SharedParameters) -> str:
    """Return why training should stop."""
    what = "Validation score" if p.early_stopping else "Training loss"
    patience = f"{p.n_iter_no_change} consecutive epochs"
    return f"{what} did not improve more than tol={p.tol:f} for {patience}."


def _diverged(state: FitState, early_stopping: bool) -> None:
    """End training with the best weights of before, or raise."""
    where = f"The loss of epoch {state.n_iter} is {state.loss}"
    best = state.best_validation_score
    if early_stopping and best is not None and math.isfinite(best):
        _warn(f"{where}: training went back to the weights of the best validation score and stopped.")
        state.stopped = True
        return
    raise ValueError(
        f"{NON_FINITE} {where}; no weights that are not finite are kept: scale X (StandardScaler), lower "
        "learning_rate_init or set global_clipnorm=1."
    )


def _warn(message: str) -> None:
    warnings.warn(message, ConvergenceWarning, stacklevel=2)
