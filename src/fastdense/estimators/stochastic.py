"""Adam and gradient descent: scikit-learn's epochs, each of them as few calls of an engine as can be."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastdense.core.spec import TrainingSpec
from fastdense.engines import Batches, Program
from fastdense.estimators.listeners import Listeners
from fastdense.estimators.optimization import Optimization
from fastdense.estimators.parameters import SharedParameters
from fastdense.estimators.problem import NON_FINITE, Problem
from fastdense.estimators.state import FitState
from fastdense.training.loop import stretches

__all__ = ["stochastic"]


def stochastic(problem: Problem, state: FitState) -> Callable[[Listeners | None], None]:
    """Return what trains, compiled, with the optimizer that the state has for `partial_fit`, or a new one."""
    p = problem.parameters
    if not problem.once or state.optimizer is None:
        state.optimizer = Optimization(p)
    optimizer = state.optimizer
    training = TrainingSpec(problem.rows.goal.loss, optimizer.spec, problem.seed)
    program = optimizer.program(p.engine, problem.network, training, (state.coefs, state.intercepts))
    size = _batch_rows(p.batch_size, len(problem.train))
    return partial(_train, problem, state, optimizer, program, size)


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


def _train(
    problem: Problem,
    state: FitState,
    optimizer: Optimization,
    program: Program,
    size: int,
    listeners: Listeners | None,
) -> None:
    """Train with ``size`` rows per step until progress, time or epochs run out.

    Raises
    ------
    ValueError
        The loss is not finite. The best weights so far are kept, or else the last finite ones.
    """
    p, order, goes_on = problem.parameters, problem.train, True
    state.n_iter = 0
    try:
        while goes_on and state.n_iter < p.max_iter:
            if listeners:
                listeners.epoch_begins()
            if p.shuffle:
                order = order[_permutation(len(order), problem.random_state)]
            loss, rows = _epoch(problem, optimizer, program, order, size)
            state.t += rows
            state.record(problem, program, loss)
            state.judge(p.early_stopping, p.tol, optimizer.weights)
            optimizer.epoch_ended(state.t)
            asked = bool(listeners and listeners.epoch_ended(state, optimizer.weights))
            goes_on = not (asked or _is_over(problem, state, optimizer))
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    finally:  # a callback's error loses nothing
        state.coefs, state.intercepts = optimizer.weights()
    if p.early_stopping and (state.stopped or not problem.once):
        state.coefs, state.intercepts = state.best_coefs, state.best_intercepts


def _permutation(count: int, random_state: np.random.RandomState) -> NDArray[np.int64]:
    """Return what scikit-learn's `shuffle` takes rows by, from the same draws."""
    places = np.arange(count)
    random_state.shuffle(places)
    return places


def _epoch(
    problem: Problem, optimizer: Optimization, program: Program, order: NDArray[np.int64], size: int
) -> tuple[float, int]:
    """Run one epoch; return the mean loss, as shown, of the rows, each at its own step; and how many."""
    rows = problem.rows
    batches, shares = rows.batches(order, size)
    steps = math.ceil(len(order) / size)
    batches = replace(batches, weight_decay=optimizer.weight_decays(steps))
    rates, counts = optimizer.rates(steps), np.diff(np.arange(0, steps * size, size), append=len(order))
    total = seen = 0.0
    for begin, end in stretches(steps, every_step=False, live=problem.deadline < math.inf):
        before = program.steps
        try:
            losses = program.train(_part(batches, begin, end), rates[begin:end], optimizer.steps)
        finally:  # an interrupt leaves the steps before it taken
            optimizer.steps += program.steps - before
        total += float(losses @ counts[begin : begin + len(losses)])
        seen += float(counts[begin : begin + len(losses)].sum())
        if not math.isfinite(total) or problem.out_of_time():
            break
    return (total / seen + rows.constant(order, shares)) / rows.goal.shares, int(seen)


def _part(batches: Batches, begin: int, end: int) -> Batches:
    """Return some of the batches."""
    assert batches.penalty_scale is not None
    order = batches.order[begin * batches.batch_size : end * batches.batch_size]
    decay = None if batches.weight_decay is None else batches.weight_decay[begin:end]
    return replace(batches, order=order, penalty_scale=batches.penalty_scale[begin:end], weight_decay=decay)


def _is_over(problem: Problem, state: FitState, optimizer: Optimization) -> bool:
    """Return True if this was the last epoch, and warn if it came too soon."""
    p, loss = problem.parameters, state.loss_curve[-1]
    if not math.isfinite(loss):
        _diverged(state, p.early_stopping)
        return True
    stuck = _why_stuck(p, state.no_improvement_count)
    if stuck and optimizer.stops(stuck, p.verbose):
        state.stopped = p.early_stopping
        return True
    if stuck:
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


def _why_stuck(p: SharedParameters, no_improvement_count: int) -> str | None:
    """Return why training should stop, or None."""
    if no_improvement_count <= p.n_iter_no_change:
        return None
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
