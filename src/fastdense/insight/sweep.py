"""The ladder at many sizes: what limits each way of computing, calls, memory or arithmetic."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastdense.activations import ActivationFunction
from fastdense.core.checks import number, whole
from fastdense.engines.machine import Info, info
from fastdense.insight.agreement import define
from fastdense.insight.limits import Limited
from fastdense.insight.methods import METHODS, Method, Progress, announced
from fastdense.insight.notebook import shown
from fastdense.insight.plain import as_plain
from fastdense.insight.roofs import Cores, Roofs, measure_roofs
from fastdense.insight.rungs import Rung, measure
from fastdense.insight.wording import sweep_notes, sweep_rows, sweep_text, sweep_title
from fastdense.insight.workload import Workload, random_workload

__all__ = ["Point", "Sweep", "climb_all", "sweep"]


@dataclass(frozen=True, kw_only=True)
class Point(Limited):
    """One way to compute the layer, for one number of rows, and what limits it; see `Limited`.

    Attributes
    ----------
    rows : int
        Of one call, whose time ``seconds`` is.
    gflops : float
    """

    rows: int
    gflops: float


@dataclass(frozen=True)
class Way:
    """The points of one way of computing, or why there are none.

    Attributes
    ----------
    name : str
    module : str or None
        The framework's module, None for fastdense's own.
    points : tuple of Point
        From few rows to many. Loops over rows end where more rows would only take longer.
    problem : str or None
    """

    name: str
    module: str | None
    points: tuple[Point, ...]
    problem: str | None = None


@dataclass(frozen=True)
class Sweep:
    """What `sweep` measured; printed as a table.

    Attributes
    ----------
    machine : Info
    roofs : Roofs
    inputs, units : int
    activation : str
    rows : tuple of int
    ways : tuple of Way
    """

    machine: Info
    roofs: Roofs
    inputs: int
    units: int
    activation: str
    rows: tuple[int, ...]
    ways: tuple[Way, ...]

    def __str__(self) -> str:
        return sweep_text(self)

    def _repr_html_(self) -> str:
        from fastdense.insight.roofline import draw

        return shown(sweep_title(self), sweep_rows(self), sweep_notes(self), lambda: draw(self))

    def intensity(self, rows: float) -> float:
        """Return the operations a byte of the layer's arrays, each counted once."""
        return 2 * rows * self.inputs * self.units / _numbers(rows, self.inputs, self.units) / 4

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON holds."""
        return as_plain(self)

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the ways under the machine's roofs, and save the chart; see `Ladder.plot`."""
        from fastdense.insight.roofline import save

        save(self, path)


def sweep(
    rows: int | Sequence[int] = 4096,
    inputs: int = 64,
    units: int = 64,
    activation: str = "relu",
    seconds: float = 0.05,
    progress: Progress | None = None,
) -> Sweep:
    """Time one dense layer in every way there is, for few rows to many, and tell what limits each.

    A way of computing takes at least as long as its calls, as reading its numbers, and as its arithmetic. All
    three are measured here: the machine's roofs (Williams, Waterman and Patterson, "Roofline: an insightful
    visual performance model", 2009), and the same calls on a layer of one input and one unit.

    Parameters
    ----------
    rows : int or sequence of int, default 4096
        Numbers of rows; of one number all from 1 to it, each four times the one before.
    inputs, units : int, default 64
    activation : str, default "relu"
    seconds : float, default 0.05
        How long to time each, about.
    progress : function of (int, int, str), optional
        Called before each way with its number, from 1, how many there are, and its name.

    Returns
    -------
    Sweep

    Raises
    ------
    ValueError
        A size is not positive or too large, there is no number of rows, or no activation of that name.
    FastdenseError
        One of fastdense's own ways gave wrong numbers.

    Examples
    --------
    >>> import fastdense as fd
    >>> found = fd.insight.sweep(rows=[1, 8], inputs=4, units=2, seconds=0.001)
    >>> [way.points[0].rows for way in found.ways][:2]
    [1, 1]
    """
    counts = _counts(rows)
    inputs, units = whole("inputs", inputs, 1), whole("units", units, 1)
    seconds = number("seconds", seconds, above=0.0)
    work = random_workload(counts[-1], inputs, units, ActivationFunction(activation).name)
    return climb_all(METHODS, work, counts, seconds, progress)


def climb_all(
    methods: Sequence[Method],
    work: Workload,
    counts: tuple[int, ...],
    seconds: float,
    progress: Progress | None = None,
) -> Sweep:
    """Return the sweep of these methods, those whose framework is not installed left out."""
    roofs = measure_roofs()
    machine = info()
    ours = [method for method in methods if method.installed]
    ways = tuple(_way(method, work, counts, roofs, machine, seconds) for method in announced(ours, progress))
    one, every = (_reached(ours, ways, cores) for cores in ("one", "all"))
    roofs = roofs.raised(one, every)
    return Sweep(machine, roofs, len(work.W), len(work.B), work.activation, counts, ways)


def _reached(methods: Sequence[Method], ways: Sequence[Way], cores: Cores) -> float:
    """Return the highest rate of the methods that use so many cores, 0 for none."""
    used = (w for m, w in zip(methods, ways, strict=True) if m.cores == cores and not m.accelerated)
    return max((point.gflops for way in used for point in way.points), default=0.0)


def _counts(rows: int | Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of rows, few to many."""
    if isinstance(rows, Sequence):
        if not rows:
            raise ValueError("rows holds no number: name one at least, such as [1, 64, 4096]")
        return tuple(sorted({whole("rows", each, 1) for each in rows}))
    most = whole("rows", rows, 1)
    return tuple(sorted({4**power for power in range(16) if 4**power < most} | {most}))


def _way(
    method: Method, work: Workload, counts: tuple[int, ...], roofs: Roofs, machine: Info, seconds: float
) -> Way:
    points: list[Point] = []
    rung = Rung(method.name, method.module, None, 0)
    for rows in counts:
        part = work.first(rows)
        rung = measure(method, part, define(part), machine, seconds)
        if rung.seconds is None or rung.gflops is None:
            return Way(rung.name, method.module, (), rung.problem)
        if points and rung.rows < rows:  # a loop, of which fewer rows tell as much
            break
        points.append(_point(method, rung, part, roofs, machine, seconds))
    return Way(rung.name, method.module, tuple(points))


def _point(method: Method, rung: Rung, work: Workload, roofs: Roofs, machine: Info, seconds: float) -> Point:
    """Return a rung's time beside what it takes at least."""
    assert rung.seconds is not None
    assert rung.gflops is not None
    took = rung.seconds * rung.rows
    if method.accelerated:
        return Point(rows=rung.rows, seconds=took, gflops=rung.gflops)
    sizes = {"rows": rung.rows, "inputs": len(work.W), "units": len(work.B)}
    inner = {name: 1 if name in method.over else size for name, size in sizes.items()}
    turns = math.prod(sizes[name] for name in method.over)
    held = method.itemsize * _numbers(**sizes)
    return Point(
        rows=rung.rows,
        seconds=took,
        gflops=rung.gflops,
        calls=min(took, _calls(method, sizes, work.activation, machine, seconds)),
        memory=roofs.memory(turns * method.itemsize * _numbers(**inner), held, method.cores),
        arithmetic=roofs.arithmetic(work.flops * rung.rows, method.cores, method.itemsize),
    )


def _calls(method: Method, sizes: dict[str, int], activation: str, machine: Info, seconds: float) -> float:
    """Return the seconds of a method's calls: of as many as for a layer of these sizes, on single numbers."""
    small = {name: size if name in method.over else 1 for name, size in sizes.items()}
    work = random_workload(small["rows"], small["inputs"], small["units"], activation)
    rung = measure(method, work, define(work), machine, seconds)
    return math.inf if rung.seconds is None else rung.seconds * small["rows"]


def _numbers(rows: float, inputs: int, units: int) -> float:
    """Return how many numbers a layer reads and writes."""
    return rows * inputs + inputs * units + units + rows * units
