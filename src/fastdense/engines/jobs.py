"""Epochs as jobs: some of one program's in one call, and those of many programs side by side."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, Self, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.engines import Batches, Program

__all__ = [
    "Crew",
    "Epoch",
    "Fitting",
    "Job",
    "Passed",
    "Watch",
    "Watched",
    "alone",
    "in_turn",
    "passed",
    "run",
    "together",
    "watched_by",
]


class Epoch(NamedTuple):
    """The steps of an epoch.

    Attributes
    ----------
    batches : Batches
        Jobs may share all arrays of it: folds, bootstraps and seeds are other row numbers in ``order``.
    learning_rates : float64 array of shape (steps,)
    """

    batches: Batches
    learning_rates: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Watch:
    """Rows whose losses and outputs are computed after every epoch, dropout off.

    Attributes
    ----------
    X, y : array
        As in `Batches`; shared, never copied.
    rows : int64 array of shape (m,), or None for all rows of ``X``
    """

    X: Array
    y: Array
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return self.X.shape[0] if self.rows is None else len(self.rows)


@dataclass(frozen=True, eq=False)
class Job:
    """Epochs of one program that run one after another, with no decision between them.

    Attributes
    ----------
    program : Program
        Compiled for training. Nothing else may train it meanwhile.
    epochs : sequence of Epoch
    first_step : int
        The number of the first step since training began, from 0.
    watch : Watch or None
    outputs : bool
        True to return the outputs that the steps' losses were taken from.
    keep : bool
        True to return the parameters after every epoch.
    """

    program: Program
    epochs: Sequence[Epoch]
    first_step: int
    watch: Watch | None = None
    outputs: bool = False
    keep: bool = False


class Watched(NamedTuple):
    """What rows that are watched came to after an epoch.

    Attributes
    ----------
    losses : float64 array of shape (m,)
        Unweighted and without penalties.
    outputs : array of shape (m, n_out)
    penalty : float
        The network's, to be added to their mean.
    """

    losses: NDArray[np.float64]
    outputs: Array
    penalty: float


class Passed(NamedTuple):
    """What an epoch of a job came to.

    Attributes
    ----------
    losses : float64 array of shape (steps,)
        Each step's, as `Program.train` returns them. A loss that is not finite ends the job: it is the last
        one of the last epoch, which has no ``watched`` and no ``parameters``.
    outputs : array of shape (len(order), n_out), or None
        Rows of steps that were not begun hold anything.
    watched : Watched or None
    parameters : list of tuples of array, or None
    """

    losses: NDArray[np.float64]
    outputs: Array | None = None
    watched: Watched | None = None
    parameters: list[tuple[Array, ...]] | None = None


T = TypeVar("T")
Fitting = Generator[Job, list[Passed], T]
"""Training that yields its jobs, is sent what each came to, and returns its result.

It holds no context that is the thread's own across a ``yield``: many of them take turns on one thread.
"""


def in_turn(job: Job) -> list[Passed]:
    """Run a job as calls of its program: what every other way comes to, bit for bit."""
    program, watch, step = job.program, job.watch, job.first_step
    passed: list[Passed] = []
    for batches, rates in job.epochs:
        outputs = _room(program, len(batches.order)) if job.outputs else None
        losses = program.train(batches, rates, step, outputs)
        step += len(losses)
        if not math.isfinite(losses[-1]):
            return [*passed, Passed(losses, outputs)]
        watched = None if watch is None else watched_by(program, watch)
        passed.append(Passed(losses, outputs, watched, program.parameters() if job.keep else None))
    return passed


def watched_by(program: Program, watch: Watch) -> Watched:
    """Compute what watched rows come to now."""
    X, y = (each if watch.rows is None else each[watch.rows] for each in (watch.X, watch.y))
    outputs = _room(program, len(watch))
    return Watched(program.losses(X, y, outputs), outputs, program.penalty())


def _room(program: Program, rows: int) -> Array:
    return np.empty((rows, program.network.n_out), program.network.dtype)


class RunsJobs(Protocol):
    """A program that runs a job in one call, and has threads that run many.

    Both give tuples with the fields of `Passed`; ``watched`` is one with those of `Watched`.
    """

    def run(self, job: Job) -> list[tuple[Any, ...]]:
        """Run a job on this thread."""

    def crew(self, threads: int | None) -> Any:
        """Return threads that run jobs, each from start to end by one of them; see `Crew`.

        A ``with`` block holds them, and leaving it stops what is at work. Its ``threads`` says how many,
        ``submit(job)`` adds a job, and ``collect(seconds)`` returns ``(job, results or error)`` of one that
        has ended, None if none has after as many seconds.
        """


def _runs_jobs(program: Any) -> TypeGuard[RunsJobs]:
    return hasattr(
        program, "crew"
    )  # an instance's check against a protocol takes as long as the job's layout


def run(job: Job) -> list[Passed]:
    """Run a job on this thread, in one call if its program can."""
    if _runs_jobs(job.program):
        return passed(job.program.run(job))
    return in_turn(job)


def passed(epochs: list[tuple[Any, ...]]) -> list[Passed]:
    """Name the fields that an engine returns."""
    return [
        Passed(losses, outputs, watched and Watched(*watched), parameters)
        for losses, outputs, watched, parameters in epochs
    ]


class Crew:
    """Runs jobs: those of engines with threads of their own side by side, others when they are collected.

    A ``with`` block holds the threads. Leaving it stops what is at work after the steps that it is at.

    Parameters
    ----------
    threads : int, optional
        As many as the engine has, if None.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads, self._under_way = threads, 0
        self._crew: Any = None
        self._waiting: deque[Job] = deque()
        self._refused: deque[tuple[Job, Exception]] = deque()
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    @property
    def has_room(self) -> bool:
        """True if another job would not wait for long: as many wait as are at work."""
        if self._crew is None:
            return not self._waiting
        return bool(self._under_way < 2 * self._crew.threads)

    def submit(self, job: Job) -> None:
        """Add a job. Jobs are begun in the order that they are added in."""
        if not _runs_jobs(job.program):
            self._waiting.append(job)
            return
        crew = self._open(job.program)
        try:
            crew.submit(job)
        except Exception as error:  # noqa: BLE001  (it is the job's, as one that it ends by)
            self._refused.append((job, error))
        else:
            self._under_way += 1

    def _open(self, program: RunsJobs) -> Any:
        """Return the threads, those of the first program's engine."""
        if self._crew is None:
            self._crew = self._held.enter_context(program.crew(self._threads))
        return self._crew

    def collect(self, until: float = math.inf) -> tuple[Job, list[Passed] | Exception] | None:
        """Wait for a job that has ended; return it with its epochs, or with the error that it ended by.

        None if no job is left, or if none has ended ``until`` a time of `time.monotonic`.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C was pressed.
        """
        if self._refused:
            return self._refused.popleft()
        if self._waiting and time.monotonic() < until:
            job = self._waiting.popleft()
            try:
                return job, in_turn(job)
            except Exception as error:  # noqa: BLE001  (it is the job's, and the other jobs go on)
                return job, error
        if self._crew is None or not self._under_way:
            return None
        found = self._crew.collect(until - time.monotonic())
        if found is None:
            return None
        self._under_way -= 1
        job, came = found
        return job, came if isinstance(came, Exception) else passed(came)


def alone(fitting: Fitting[T]) -> T:
    """Run the jobs of one fitting on this thread and return its result."""
    go_on = partial(next, fitting)
    try:
        with np.errstate(all="ignore"):  # what overflows shows in the loss, which fittings check
            while True:
                try:
                    job = go_on()
                except StopIteration as end:
                    result: T = end.value
                    return result
                try:
                    go_on = partial(fitting.send, run(job))
                except BaseException as error:  # noqa: BLE001  (the fitting decides)
                    go_on = partial(fitting.throw, error)
    finally:
        fitting.close()  # where Ctrl-C came between two jobs


def together(
    fittings: Iterable[Fitting[T]],
    threads: int | None = None,
    until: float = math.inf,
    crew: Crew | None = None,
) -> Iterator[tuple[int, T | Exception]]:
    """Run many fittings side by side; yield each one's place and its result, or its error, as they end.

    Each result is the one that `alone` gives, bit for bit, for any number of threads; only the order in which
    they end may differ. A fitting is asked for when a thread will soon be free for it, so that an iterable
    that makes them on demand never has more than a few under way: give the longest first.

    Parameters
    ----------
    fittings : iterable of Fitting
    threads : int, optional
        As many as the engine has, if None.
    until : float
        When to stop, by `time.monotonic`. What is under way then is closed, and not yielded.
    crew : Crew, optional
        What runs the jobs, in place of a crew of ``threads``: `fastdense.engines.lanes.LaneCrew` for many
        small networks of one shape. It is closed at the end.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C was pressed. What is under way is closed.
    """
    fresh = enumerate(fittings)
    with _Driver(crew or Crew(threads)) as driver:
        while time.monotonic() < until:  # asked each time: there may always be a job that has ended
            if driver.crew.has_room and (new := next(fresh, None)) is not None:
                ended = driver.begin(*new)
            elif (found := driver.crew.collect(until)) is not None:
                ended = driver.go_on(*found)
            else:
                return
            if ended is not None:
                yield ended


class _Driver:
    """The fittings under way, and the crew that their jobs are with, which stops before any is closed."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self._fittings: dict[int, tuple[int, Fitting[Any]]] = {}  # by the id of the job

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.crew.__exit__(*error)
        for _, fitting in self._fittings.values():
            fitting.close()

    def begin(self, place: int, fitting: Fitting[T]) -> tuple[int, T | Exception] | None:
        """Submit a fitting's first job; return its place and what it ended with if there is none."""
        return self._step(place, fitting, partial(next, fitting))

    def go_on(self, job: Job, came: list[Passed] | Exception) -> tuple[int, Any] | None:
        """Hand over what a job came to, and submit the next one as `begin` does."""
        place, fitting = self._fittings.pop(id(job))
        if isinstance(came, Exception):
            return self._step(place, fitting, partial(fitting.throw, came))
        return self._step(place, fitting, partial(fitting.send, came))

    def _step(self, place: int, fitting: Fitting[Any], step: Callable[[], Job]) -> tuple[int, Any] | None:
        try:
            with np.errstate(all="ignore"):
                job = step()
        except StopIteration as end:
            return place, end.value
        except Exception as error:  # noqa: BLE001  (that of one among many: the others go on)
            return place, error
        self._fittings[id(job)] = place, fitting
        self.crew.submit(job)
        return None
