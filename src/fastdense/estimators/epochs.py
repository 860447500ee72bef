"""The epochs of a training, planned some ahead: each one's rows in their order, weighed, and its rates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.engines import Batches
from fastdense.engines.jobs import Epoch
from fastdense.estimators.optimization import Optimization
from fastdense.estimators.problem import Problem

__all__ = ["Epochs", "part"]


class Epochs:
    """The epochs of a training, from the problem's rows, draws and schedule.

    Parameters
    ----------
    problem : Problem
    optimizer : Optimization
    size : int
        Rows per step.

    Attributes
    ----------
    counts : float64 array of shape (steps,)
        The rows of each step.
    seen : list of int
        The rows of all steps up to each.
    """

    def __init__(self, problem: Problem, optimizer: Optimization, size: int) -> None:
        rows = problem.rows
        counts = rows.counts(size)
        self.counts, self.seen = counts.astype(np.float64), counts.cumsum().tolist()
        self._rows, self._size, self._shuffles = rows, size, problem.parameters.shuffle
        self._orders, self._optimizer = problem.orders, optimizer
        self._alike = rows.batches(rows.numbers, size)[0] if rows.weights is None else None
        # Nobody else draws from a generator that comes of a seed: what it drew in vain is not missed.
        self._shared = not isinstance(problem.parameters.random_state, int | np.integer)
        self._before: tuple[NDArray[np.int64], Any] | None = None
        self._failed: BaseException | None = None

    def ahead(self, count: int, rows: int) -> tuple[list[Epoch], list[Array | None]]:
        """Plan up to ``count`` epochs, ``rows`` having been trained on in all.

        With each comes the share that every row has in its batch, None where all have the same.
        """
        schedule = self._schedule(count, rows)
        self._before = self._orders.state() if self._shared else None
        planned, all_shares = [], []
        for rates, decays in schedule:
            batches, shares = self._batches(self._next())
            if decays is not None:
                batches = batches._replace(weight_decay=decays)
            planned.append(Epoch(batches, rates))
            all_shares.append(shares)
        return planned, all_shares

    def begun(self, count: int) -> None:
        """Take note of how many of the epochs planned were begun: the others' draws are taken back."""
        if self._before is None:
            return
        self._orders.back_to(self._before)
        for _ in range(count):
            self._next()

    def _schedule(self, count: int, rows: int) -> list[tuple[NDArray[np.float64], Array | None]]:
        """Return the rates and weight decays of the next epochs.

        What goes wrong in a schedule of the caller's does so in its epoch: those before it are run first.
        """
        if self._failed is not None:
            raise self._failed
        found: list[tuple[NDArray[np.float64], Array | None]] = []
        first, steps = self._optimizer.steps, len(self.counts)
        for i in range(count):
            try:
                found.append(self._optimizer.plan(first + i * steps, steps, rows + i * len(self._rows)))
            except BaseException as error:
                if not found:
                    raise
                self._failed = error
                break
        return found

    def _next(self) -> NDArray[np.int64]:
        return self._orders.next() if self._shuffles else self._rows.numbers

    def _batches(self, order: NDArray[np.int64]) -> tuple[Batches, Array | None]:
        if self._alike is None:
            return self._rows.batches(order, self._size)
        one = self._alike  # whose _replace takes several times as long
        return Batches(one.X, one.y, one.sample_weight, order, one.batch_size, one.penalty_scale), None


def part(epoch: Epoch, begin: int, end: int) -> Epoch:
    """Return some of the steps of an epoch."""
    batches, rates = epoch
    assert batches.penalty_scale is not None
    order = batches.order[begin * batches.batch_size : end * batches.batch_size]
    decay = None if batches.weight_decay is None else batches.weight_decay[begin:end]
    scale = batches.penalty_scale[begin:end]
    some = batches._replace(order=order, penalty_scale=scale, weight_decay=decay)
    return Epoch(some, rates[begin:end])
