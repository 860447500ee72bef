"""One way to compute the layer, for few rows to many: its times, and what limits each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fastdense.engines.machine import Info
from fastdense.insight.agreement import define
from fastdense.insight.limits import Limited
from fastdense.insight.methods import Method
from fastdense.insight.roofs import Roofs
from fastdense.insight.rungs import Rung, measure
from fastdense.insight.workload import Workload, random_workload

__all__ = ["Point", "Way", "measure_way", "numbers"]


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


def measure_way(
    method: Method, work: Workload, counts: tuple[int, ...], roofs: Roofs, machine: Info, seconds: float
) -> Way:
    """Measure a method for each number of rows; a framework that fails becomes a way that says why."""
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
    held = method.itemsize * numbers(**sizes)
    return Point(
        rows=rung.rows,
        seconds=took,
        gflops=rung.gflops,
        calls=min(took, _calls(method, sizes, work.activation, machine, seconds)),
        memory=roofs.memory(turns * method.itemsize * numbers(**inner), held, method.cores),
        arithmetic=roofs.arithmetic(work.flops * rung.rows, method.cores, method.itemsize),
    )


def _calls(method: Method, sizes: dict[str, int], activation: str, machine: Info, seconds: float) -> float:
    """Return the seconds of a method's calls: of as many as for a layer of these sizes, on single numbers."""
    small = {name: size if name in method.over else 1 for name, size in sizes.items()}
    work = random_workload(small["rows"], small["inputs"], small["units"], activation)
    rung = measure(method, work, define(work), machine, seconds)
    return math.inf if rung.seconds is None else rung.seconds * small["rows"]


def numbers(rows: float, inputs: int, units: int) -> float:
    """Return how many numbers a layer reads and writes."""
    return rows * inputs + inputs * units + units + rows * units
