"""What a solver is given: the rows, the network and the parameters of one fit."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from fastdense.core.spec import NetworkSpec
from fastdense.engines.jobs import Watch, Watched
from fastdense.estimators.blueprint import network_spec
from fastdense.estimators.orders import Orders
from fastdense.estimators.parameters import SharedParameters
from fastdense.estimators.rows import Rows

__all__ = ["NON_FINITE", "Draws", "Problem", "check_held_out", "drawn", "problem_of"]

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)


@dataclass(frozen=True)
class Problem:
    """What one call of `fit` or `partial_fit` trains on.

    Attributes
    ----------
    parameters : SharedParameters
        The estimator's; solvers only read them.
    rows : Rows
        The rows to train on.
    held_out : Rows or None
        The rows to validate on.
    network : NetworkSpec
        With whole penalties: each step divides them.
    seed : int
        The seed of the dropout masks.
    orders : Orders
        In which the epochs take the rows.
    deadline : float
        When to stop, by `time.monotonic`.
    once : bool
        Whether this is one epoch of `partial_fit`.
    """

    parameters: SharedParameters
    rows: Rows
    held_out: Rows | None
    network: NetworkSpec
    seed: int
    orders: Orders
    deadline: float
    once: bool

    def out_of_time(self) -> bool:
        """Return True if the deadline has passed."""
        return time.monotonic() > self.deadline

    @cached_property
    def watch(self) -> Watch | None:
        """The rows held out, as what a job watches."""
        rows = self.held_out
        return None if rows is None else Watch(rows.X, rows.y, rows.numbers)

    def validated(self, watched: Watched | None) -> tuple[float, float] | None:
        """Return the loss and the score of the rows held out, None if there are none.

        ``watched`` is None where the weights are not finite.
        """
        if self.held_out is None:
            return None
        if watched is None:
            return math.nan, math.nan
        return self.held_out.mean(watched.losses), self.held_out.score(watched.outputs)


class Draws(NamedTuple):
    """What a fit draws after its first weights: the seed of dropout, the rows held out, and orders.

    Attributes
    ----------
    seed : int
    train : int64 array
        The numbers of the rows to train on.
    held : int64 array or None
        Those of the rows held out of them, if any are.
    orders : Orders
    """

    seed: int
    train: NDArray[np.int64]
    held: NDArray[np.int64] | None
    orders: Orders


def drawn(p: SharedParameters, rows: Rows, holds_out: bool, random_state: np.random.RandomState) -> Draws:
    """Draw in scikit-learn's order; ``holds_out`` if early stopping is given no rows of its own."""
    seed = int(random_state.randint(2**31)) if p.dropout else 0
    train, held = rows.numbers, None
    if holds_out and p.early_stopping and p.solver != "lbfgs":
        train, held = _split(rows, p.validation_fraction, random_state)
    return Draws(seed, train, held, Orders(train, random_state))


def problem_of(
    parameters: SharedParameters,
    rows: Rows,
    held_out: Rows | None,
    widths: list[int],
    draws: Draws,
    once: bool,
) -> Problem:
    """Return what the solvers are given."""
    p = parameters
    l2 = 0.5 * p.alpha * (rows.as_one_batch()[1] if p.solver == "lbfgs" else 1.0)
    network = network_spec(p, widths, rows.goal.curve, l2, str(rows.X.dtype))
    if draws.held is not None:
        rows, held_out = replace(rows, numbers=draws.train), replace(rows, numbers=draws.held)
    if held_out is not None:
        check_held_out(held_out, p.early_stopping)
    deadline = math.inf if p.max_time is None else time.monotonic() + p.max_time
    return Problem(p, rows, held_out, network, draws.seed, draws.orders, deadline, once)


def _split(
    rows: Rows, fraction: float, random_state: np.random.RandomState
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the rows to train on and of those to validate on: scikit-learn's choice."""
    binary = rows.goal.loss.targets == "chances" and rows.goal.n_outputs == 1
    train, held = train_test_split(
        np.arange(len(rows)),
        random_state=random_state,
        test_size=fraction,
        stratify=rows.targets.astype(bool) if binary else None,
    )
    return rows.numbers[train], rows.numbers[held]


def check_held_out(rows: Rows, early_stopping: bool) -> None:
    """Raise ValueError if rows have no score: they are too few, or weigh nothing."""
    if early_stopping and len(rows) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
        )
    if rows.own_weights is not None and not rows.own_weights.sum() > 0:
        raise ValueError("the weights of the validation rows must have a sum above 0, with class_weight")
