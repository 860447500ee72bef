"""What a solver is given: the rows, the network and the parameters of one fit."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from fastdense.core.spec import NetworkSpec
from fastdense.engines import Program
from fastdense.estimators.blueprint import network_spec
from fastdense.estimators.parameters import SharedParameters
from fastdense.estimators.rows import Rows

__all__ = ["NON_FINITE", "Problem", "check_held_out", "problem_of"]

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
    train : int64 array
        The numbers of the rows to train on.
    held_out : Rows or None
        The rows to validate on.
    network : NetworkSpec
        With whole penalties: each step divides them.
    seed : int
        The seed of the dropout masks.
    random_state : RandomState
        Where the orders of rows come from.
    deadline : float
        When to stop, by `time.monotonic`.
    once : bool
        Whether this is one epoch of `partial_fit`.
    """

    parameters: SharedParameters
    rows: Rows
    train: NDArray[np.int64]
    held_out: Rows | None
    network: NetworkSpec
    seed: int
    random_state: np.random.RandomState
    deadline: float
    once: bool

    def out_of_time(self) -> bool:
        """Return True if the deadline has passed."""
        return time.monotonic() > self.deadline

    def validate(self, program: Program) -> tuple[float, float]:
        """Return the loss and the score of the rows held out."""
        rows = self.held_out
        assert rows is not None
        outputs = np.empty((len(rows), rows.goal.n_outputs), rows.X.dtype)
        loss = rows.mean(program.losses(rows.X, rows.y, outputs))
        return loss, rows.goal.score(rows.y, outputs, rows.weights)


def problem_of(
    parameters: SharedParameters,
    rows: Rows,
    held_out: Rows | None,
    widths: list[int],
    random_state: np.random.RandomState,
    once: bool,
) -> Problem:
    """Return what the solvers are given: dropout's seed is drawn, and rows are held out if none are given."""
    p = parameters
    l2 = 0.5 * p.alpha * (rows.as_one_batch()[1] if p.solver == "lbfgs" else 1.0)
    network = network_spec(p, widths, rows.goal.curve, l2, str(rows.X.dtype))
    seed = int(random_state.randint(2**31)) if p.dropout else 0
    train = np.arange(len(rows))
    if held_out is not None:
        check_held_out(held_out, p.early_stopping)
    elif p.early_stopping and p.solver != "lbfgs":
        train, held = _split(rows, p.validation_fraction, random_state)
        held_out = rows.take(held)
        check_held_out(held_out, early_stopping=True)
    deadline = math.inf if p.max_time is None else time.monotonic() + p.max_time
    return Problem(p, rows, train, held_out, network, seed, random_state, deadline, once)


def _split(
    rows: Rows, fraction: float, random_state: np.random.RandomState
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the rows to train on and of those to validate on: scikit-learn's choice."""
    binary = rows.goal.loss.targets == "chances" and rows.goal.n_outputs == 1
    train, held = train_test_split(
        np.arange(len(rows)),
        random_state=random_state,
        test_size=fraction,
        stratify=rows.y.astype(bool) if binary else None,
    )
    return train, held


def check_held_out(rows: Rows, early_stopping: bool) -> None:
    """Raise ValueError if rows have no score: they are too few, or weigh nothing."""
    if early_stopping and len(rows) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
        )
    if rows.weights is not None and not rows.weights.sum() > 0:
        raise ValueError("the weights of the validation rows must have a sum above 0, with class_weight")
