"""Jobs of small networks of one shape, run in the lanes of vectors, each with the bits of its own run."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any, Protocol, TypeGuard

from fastdense.core.spec import DenseSpec, NetworkSpec
from fastdense.engines.jobs import Crew, Job, Passed, passed, run

__all__ = ["MOST_WEIGHTS", "LaneCrew", "RunsInLanes", "kind_of", "run_together"]

# Of a layer. `benchmarks/lanes.py` on AVX2, 8 lanes of float32, batches of 32: against one by one, a network
# 8-8-1 trains 2.8 times as fast in lanes, 20-16-1 2.2 times, 20-32-32-3 1.3 times, and 20-64-64-3, whose
# weights times 8 leave the nearest cache, as fast. With an order of rows for each lane 8-8-1 trains 1.8 times
# as fast, 20-16-1 1.3 times, and 20-32-32-3 no faster.
MOST_WEIGHTS, MOST_WEIGHTS_APART = 32 * 32, 20 * 16


class RunsInLanes(Protocol):
    """A program that trains beside others of its kind, one in each lane of a vector.

    Every program ends with the bits that its own run gives it, and sees nothing of the others.
    """

    @property
    def network(self) -> NetworkSpec:
        """The network that it was compiled from."""

    @property
    def lanes(self) -> int:
        """How many share a vector."""

    @property
    def kind(self) -> Hashable:
        """What programs have in common that can share lanes; None for one that can share with none."""

    def run_in_lanes(self, jobs: Sequence[Job]) -> list[list[tuple[Any, ...]]]:
        """Run jobs of different programs of one `kind_of`, at most as many as `lanes`, on this thread."""


def _runs_in_lanes(program: Any) -> TypeGuard[RunsInLanes]:
    return hasattr(program, "run_in_lanes")


def kind_of(job: Job) -> Hashable:
    """Return what jobs have in common that are faster in lanes, None for one that runs alone.

    Theirs are small networks of one shape, loss and kind of optimizer, and as many epochs, rows, steps and
    rows per batch. Weights, penalties, learning rates, decays and seeds may differ. The rows and their order
    may differ too for the smallest of them; the others share the same arrays.
    """
    program = job.program
    if not _runs_in_lanes(program) or program.lanes == 1:
        return None
    dense = [layer for layer in program.network.layers if isinstance(layer, DenseSpec)]
    most = max((layer.n_in * layer.n_units for layer in dense), default=0)
    if most > MOST_WEIGHTS or any(hasattr(batches.X, "indptr") for batches, _ in job.epochs):
        return None
    kind = program.kind
    sizes = tuple((len(b.order), b.batch_size, len(rates)) for b, rates in job.epochs)
    shared = (
        [array for b, _ in job.epochs for array in (b.X, b.y, b.order)] if most > MOST_WEIGHTS_APART else []
    )
    return None if kind is None else (kind, sizes, tuple(map(id, shared)))


def run_together(jobs: Sequence[Job]) -> list[list[Passed]]:
    """Run jobs of different programs on this thread, in lanes where they are of one kind.

    Parameters
    ----------
    jobs : sequence of Job

    Returns
    -------
    passed : list of list of Passed
        What `fastdense.engines.jobs.run` gives for each, bit for bit.
    """
    found: dict[int, list[Passed]] = {}
    pool = _Pool()
    for job in jobs:
        if not pool.add(job):
            found[id(job)] = run(job)
    while group := pool.take():
        first: Any = group[0].program
        came = first.run_in_lanes(group) if len(group) > 1 else [first.run(group[0])]
        found.update((id(job), passed(epochs)) for job, epochs in zip(group, came, strict=True))
    return [found[id(job)] for job in jobs]


class _Pool:
    """Jobs that wait for others of their kind."""

    def __init__(self) -> None:
        self._by_kind: dict[Hashable, deque[Job]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, job: Job) -> bool:
        """Take a job in; return False for one that runs alone."""
        kind = kind_of(job)
        if kind is not None:
            self._by_kind.setdefault(kind, deque()).append(job)
            self._count += 1
        return kind is not None

    def take(self) -> list[Job]:
        """Return jobs that fill the most lanes; one if they would leave more than half of them empty."""
        if not self._count:
            return []
        kind, jobs = max(self._by_kind.items(), key=lambda item: len(item[1]))
        program: Any = jobs[0].program
        group = [jobs.popleft() for _ in range(min(len(jobs), program.lanes))]
        if 2 * len(group) < program.lanes:
            jobs.extendleft(reversed(group[1:]))
            group = group[:1]
        if not jobs:
            del self._by_kind[kind]
        self._count -= len(group)
        return group


class LaneCrew(Crew):
    """A crew that gathers jobs of one kind and runs them in lanes: `together`'s ``crew``.

    Parameters
    ----------
    threads : int, optional
        As many as the engine has, if None.

    Attributes
    ----------
    shared : int
        The jobs so far that shared lanes with others.

    Examples
    --------
    ::

        for place, result in together(fittings, crew=LaneCrew()):
            ...
    """

    def __init__(self, threads: int | None = None) -> None:
        super().__init__(threads)
        self._pool, self._ready = _Pool(), deque[tuple[Job, list[Passed] | Exception]]()
        self._lanes, self.shared = 1, 0

    @property
    def has_room(self) -> bool:
        """True if another job would fill a lane, or would not wait for long."""
        gathered = len(self._pool) + len(self._ready)
        if not gathered:
            return super().has_room
        return gathered < self._lanes * (1 if self._crew is None else self._crew.threads)

    def submit(self, job: Job) -> None:
        """Add a job. Those of a kind wait for one another until a thread is free."""
        if self._pool.add(job):
            self._lanes = getattr(job.program, "lanes", 1)
        else:
            super().submit(job)

    def collect(self, until: float = math.inf) -> tuple[Job, list[Passed] | Exception] | None:
        """Return a job that has ended, as `Crew.collect` does, with those gathered so far under way."""
        while not self._ready:
            self._begin()
            if self._refused or self._waiting or not self._under_way:
                return super().collect(until)
            found = self._crew.collect(until - time.monotonic())
            if found is None:
                return None
            self._under_way -= 1
            self._take(*found)
        return self._ready.popleft()

    def _begin(self) -> None:
        """Hand over what was gathered, as far as threads will soon be free for it."""
        while len(self._pool) and super().has_room:
            group = self._pool.take()
            if len(group) == 1:
                super().submit(group[0])
                continue
            first: Any = group[0].program
            try:
                self._open(first).submit_in_lanes(group)
            except Exception:  # noqa: BLE001  (that of one of them, which alone is refused by it)
                for job in group:
                    super().submit(job)
            else:
                self._under_way += 1
                self.shared += len(group)

    def _take(self, ended: Job | Sequence[Job], came: Any) -> None:
        """Take what a job, or several that ran as one, came to."""
        if isinstance(ended, Job):
            self._ready.append((ended, came if isinstance(came, Exception) else passed(came)))
            return
        for i, job in enumerate(ended):
            self._ready.append((job, came if isinstance(came, Exception) else passed(came[i])))
