"""Jobs for compiled code, all epochs in one call, and the threads that run many of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.spec import NetworkSpec
from fastdense.native import _core
from fastdense.native._arguments import order_of, source, steps, targets, weights
from fastdense.native.threads import count_of

__all__ = ["Crew", "LanePlan", "Plan"]

_LANES: dict[str, Any] = {"float32": _core.Lanes32, "float64": _core.Lanes64}


class Plan:
    """A job as compiled code takes it, with room for what its epochs come to.

    Parameters
    ----------
    job : Job
    network : NetworkSpec
    core : compiled job
        To be run by ``core.run()``, or by a crew.
    trained : list of int
        The layers that train.
    unfilled : function
        Makes parameters whose trained arrays are to be filled.
    """

    def __init__(
        self,
        job: Any,
        network: NetworkSpec,
        core: Any,
        trained: list[int],
        unfilled: Callable[[], list[tuple[Array, ...]]],
    ) -> None:
        self.job, self.core = job, core
        self._network, self._trained, self._unfilled = network, trained, unfilled
        self._n_out, self._dtype = network.n_out, np.dtype(network.dtype)
        self._penalties = np.empty(len(job.epochs))
        if job.watch is not None:
            X, y, rows = job.watch.X, job.watch.y, job.watch.rows
            rows = None if rows is None else np.ascontiguousarray(rows, dtype=np.int64)
            core.watch(source(X, network.n_in), targets(y), rows, self._penalties)
        self._rooms = self._add_epochs()

    def _add_epochs(self) -> list[tuple[Any, ...]]:
        """Hand the epochs over; return the arrays that each will fill.

        What an epoch shares with the one before it is checked and laid out once.
        """
        rooms: list[tuple[Any, ...]] = []
        data = others = None
        taken: tuple[Any, ...] = ()
        for batches, rates in self.job.epochs:
            X, y, sample_weight, order, *own = batches
            if data != (data := (id(X), id(y), id(sample_weight))):
                self.core.rows(source(X, self._network.n_in), targets(y), weights(sample_weight))
            if others != (others := (len(order), id(rates), *map(id, own))):
                taken = steps(self._network, batches, rates)
            losses, outputs, watched, parameters = room = self._room(len(rates), len(order))
            filled = [(i, parameters[i]) for i in self._trained] if parameters else ()
            self.core.epoch(order_of(order), *taken, losses, outputs, watched, filled)
            rooms.append(room)
        return rooms

    def _room(self, count: int, rows: int) -> tuple[Any, ...]:
        """Return arrays for an epoch's losses, its outputs, what is watched, and its parameters."""
        job, empty = self.job, np.empty
        outputs = empty((rows, self._n_out), self._dtype) if job.outputs else None
        watched = None
        if job.watch is not None:
            watched = empty(len(job.watch)), empty((len(job.watch), self._n_out), self._dtype)
        return empty(count), outputs, watched, self._unfilled() if job.keep else None

    def passed(self) -> list[tuple[Any, ...]]:
        """Return what the epochs came to, or raise what the job ended by."""
        whole, losses = self.core.trained
        penalties = self._penalties.tolist()
        passed = [
            (room[0], room[1], room[2] and (*room[2], penalty), room[3])
            for room, penalty in zip(self._rooms[:whole], penalties, strict=False)
        ]
        if whole < len(self._rooms):
            room = self._rooms[whole]
            passed.append((room[0][:losses], room[1], None, None))
        return passed


class LanePlan:
    """Plans of programs of one kind, run as one: each program in a lane of a vector.

    Parameters
    ----------
    plans : sequence of Plan
        At most as many as there are lanes, with as many epochs, and epochs of as many rows and steps.

    Raises
    ------
    ValueError
        By `passed`: the programs or their jobs differ in more than they may.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.job, self._plans = [plan.job for plan in plans], plans
        self.core = _LANES[plans[0].job.program.network.dtype]([plan.core for plan in plans])

    def passed(self) -> list[list[tuple[Any, ...]]]:
        """Return what the epochs of each job came to, or raise what all ended by."""
        self.core.trained  # noqa: B018  (raises)
        return [plan.passed() for plan in self._plans]


class Crew:
    """Threads that each run a job from start to end, one job at a time.

    They are apart from the threads that share one program's work, and never wait for one another. They start
    as jobs come, and sleep while there are none.

    Parameters
    ----------
    threads : int, optional
        At least 1; `get_threads` if None.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._core = _core.Crew(count_of(threads) or _core.max_threads())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._core.stop()

    @property
    def threads(self) -> int:
        """How many jobs run side by side, at most."""
        return self._core.threads

    def submit(self, job: Any) -> None:
        """Add a job of a native program; it is kept alive until it is collected, and begun in turn."""
        plan = job.program.plan(job)
        self._core.submit(plan.core, plan)

    def submit_in_lanes(self, jobs: Sequence[Any]) -> None:
        """Add jobs to be run as one; `collect` returns the sequence, with the epochs of each."""
        plan = LanePlan([job.program.plan(job) for job in jobs])
        self._core.submit(plan.core, plan)

    def collect(self, seconds: float) -> tuple[Any, list[tuple[Any, ...]] | Exception] | None:
        """Return a job that has ended and its epochs, or the error that it ended by.

        None if none has after as many seconds, or if there is none to wait for. Ctrl-C is looked for.
        """
        plan: Any = self._core.collect(seconds)
        if plan is None:
            return None
        try:
            return plan.job, plan.passed()
        except Exception as error:  # noqa: BLE001  (it is the job's, and the other jobs go on)
            return plan.job, error
