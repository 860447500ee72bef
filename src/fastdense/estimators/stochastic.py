"""Adam and gradient descent: scikit-learn's epochs, each of them as few calls of an engine as can be."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastdense.core.spec import NetworkSpec, TrainingSpec
from fastdense.engines import Batches, Program
from fastdense.estimators.listeners import Listeners
from fastdense.estimators.rows import Rows
from fastdense.training.loop import stretches

if TYPE_CHECKING:
    from fastdense.estimators.mlp import BaseMLP

__all__ = ["NON_FINITE", "Job", "compiled", "fit_stochastic", "validate"]

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)

Array = NDArray[Any]


@dataclass(frozen=True)
class Job:
    """What one call of `fit` or `partial_fit` trains on.

    Attributes
    ----------
    rows : Rows
    train : int64 array
        The numbers of the rows to train on.
    held_out : Rows or None
        The rows to validate on.
    network : NetworkSpec
        Penalties whole: each step divides them.
    seed : int
        Of the dropout masks.
    random_state : RandomState
        Where the orders of rows come from.
    deadline : float
        When to stop, by `time.monotonic`.
    once : bool
        Whether this is one epoch of `partial_fit`.
    """

    rows: Rows
    train: NDArray[np.int64]
    held_out: Rows | None
    network: NetworkSpec
    seed: int
    random_state: np.random.RandomState
    deadline: float
    once: bool

    def out_of_time(self) -> bool:
        """Say whether the deadline has passed."""
        return time.monotonic() > self.deadline


def compiled(estimator: BaseMLP, job: Job) -> Program:
    """Return the program that trains on from the estimator's weights."""
    training = TrainingSpec(job.rows.goal.loss, estimator._optimizer.spec, job.seed)
    weights = estimator.coefs_, estimator.intercepts_
    return estimator._optimizer.program(estimator.engine, job.network, training, weights)


def fit_stochastic(
    estimator: BaseMLP, job: Job, program: Program, size: int, listeners: Listeners | None
) -> None:
    """Train, so many rows a step, until there is no more progress, time or patience.

    Raises
    ------
    ValueError
        The loss is not finite any more and no weights were found good: the last finite ones are kept.
    """
    order, goes_on = job.train, True
    estimator.n_iter_ = 0
    try:
        while goes_on and estimator.n_iter_ < estimator.max_iter:
            if listeners:
                listeners.epoch_begins()
            if estimator.shuffle:
                order = order[_permutation(len(order), job.random_state)]
            _record(estimator, job, program, *_epoch(estimator, job, program, order, size))
            asked = bool(listeners and listeners.epoch_ended(estimator._as_of_now))
            goes_on = not (asked or _is_over(estimator, job))
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    finally:  # a callback's error loses nothing
        estimator.coefs_, estimator.intercepts_ = estimator._optimizer.weights()
    if estimator.early_stopping and (estimator.stopped_ or not job.once):
        estimator.coefs_, estimator.intercepts_ = estimator._best_coefs, estimator._best_intercepts


def _permutation(count: int, random_state: np.random.RandomState) -> NDArray[np.int64]:
    """Return what scikit-learn's `shuffle` takes rows by, from the same draws."""
    places = np.arange(count)
    random_state.shuffle(places)
    return places


def _epoch(
    estimator: BaseMLP, job: Job, program: Program, order: NDArray[np.int64], size: int
) -> tuple[float, int]:
    """Run one epoch; return the mean loss, as shown, of the rows, each at its own step; and how many."""
    optimizer, rows = estimator._optimizer, job.rows
    batches, shares = rows.batches(order, size)
    steps = math.ceil(len(order) / size)
    rates, counts = optimizer.rates(steps), np.diff(np.arange(0, steps * size, size), append=len(order))
    total = seen = 0.0
    for begin, end in stretches(steps, every_step=False, live=job.deadline < math.inf):
        before = program.steps
        try:
            losses = program.train(_part(batches, begin, end), rates[begin:end], optimizer.steps)
        finally:  # an interrupt leaves the steps before it taken
            optimizer.steps += program.steps - before
        total += float(losses @ counts[begin : begin + len(losses)])
        seen += float(counts[begin : begin + len(losses)].sum())
        if not math.isfinite(total) or job.out_of_time():
            break
    return (total / seen + rows.constant(order, shares)) / rows.goal.shares, int(seen)


def _part(batches: Batches, begin: int, end: int) -> Batches:
    """Return some of the batches."""
    assert batches.penalty_scale is not None
    order = batches.order[begin * batches.batch_size : end * batches.batch_size]
    return replace(batches, order=order, penalty_scale=batches.penalty_scale[begin:end])


def _record(estimator: BaseMLP, job: Job, program: Program, loss: float, rows: int) -> None:
    """Write the epoch down, and validate."""
    estimator.n_iter_ += 1
    estimator.t_ += rows
    estimator.loss_ = loss
    estimator.loss_curve_.append(loss)
    if estimator.verbose:
        print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
    if job.held_out is not None:
        validate(estimator, program, job.held_out, math.isfinite(loss))
    if estimator.early_stopping:
        estimator._better_score(estimator._optimizer.weights)
    else:
        estimator._better_loss()
    estimator._optimizer.epoch_ended(estimator.t_)


def validate(estimator: BaseMLP, program: Program, held_out: Rows, learns: bool = True) -> None:
    """Write down the loss and the score of the rows held out: NaN where training has gone astray."""
    loss = score = math.nan
    if learns:
        outputs = np.empty((len(held_out), held_out.goal.n_outputs), held_out.X.dtype)
        loss = held_out.mean(program.losses(held_out.X, held_out.y, outputs))
        score = held_out.goal.score(held_out.y, outputs, held_out.weights)
    estimator._record_validation(loss, score)
    if estimator.verbose:
        print(f"Validation score: {score:f}")


def _is_over(estimator: BaseMLP, job: Job) -> bool:
    """Say whether this was the last epoch, and warn where it came too soon."""
    if not math.isfinite(estimator.loss_):
        _diverged(estimator)
        return True
    stuck = estimator._why_stuck
    if stuck and estimator._optimizer.stops(stuck, estimator.verbose):
        estimator.stopped_ = estimator.early_stopping
        return True
    if stuck:
        estimator._no_improvement_count = 0
    if job.once:
        return True
    if job.out_of_time():
        _warn(f"Maximum time ({estimator.max_time:g} s) passed and the optimization hasn't converged yet.")
        return True
    if estimator.n_iter_ == estimator.max_iter:
        _warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization "
            f"hasn't converged yet."
        )
    return False


def _diverged(estimator: BaseMLP) -> None:
    """End training with the best weights of before, or raise."""
    where = f"The loss of epoch {estimator.n_iter_} is {estimator.loss_}"
    best = estimator.best_validation_score_
    if estimator.early_stopping and best is not None and math.isfinite(best):
        _warn(f"{where}: training went back to the weights of the best validation score and stopped.")
        estimator.stopped_ = True
        return
    raise ValueError(
        f"{NON_FINITE} {where}; no weights that are not finite are kept: scale X (StandardScaler), lower "
        "learning_rate_init or set global_clipnorm=1."
    )


def _warn(message: str) -> None:
    warnings.warn(message, ConvergenceWarning, stacklevel=2)
