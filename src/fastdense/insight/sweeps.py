"""The ladder at many sizes: what limits each way of computing, calls, memory or arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastdense.activations import ActivationFunction
from fastdense.core.checks import number, whole
from fastdense.engines.machine import Info, info
from fastdense.insight.limits import KEY
from fastdense.insight.methods import METHODS, Method, Progress, announced
from fastdense.insight.roofline import draw
from fastdense.insight.roofs import Cores, Roofs, measure_roofs
from fastdense.insight.tabulated import Charted
from fastdense.insight.units import duration, size_text
from fastdense.insight.ways import Way, measure_way, numbers
from fastdense.insight.workload import Workload, layer_text, random_workload

__all__ = ["Sweep", "climb_all", "sweep"]

CALLS = "calls: the same on a layer of one input and one unit; loops end where more rows only take longer"


@dataclass(frozen=True)
class Sweep(Charted):
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

    @property
    def title(self) -> str:
        """What was computed, in one line."""
        layer = layer_text(self.inputs, self.units, self.activation)
        return f"{layer}: the time per row, and what limits it"

    @property
    def table(self) -> list[tuple[str, ...]]:
        """The headings, one for each number of rows, and one row per way."""
        table = [("rows per call", *(f"{rows:,}" for rows in self.rows))]
        for way in self.ways:
            found = {p.rows: f"{duration(p.seconds / p.rows)} {p.letter}" for p in way.points}
            table.append((way.name, *(found.get(rows, "") for rows in self.rows)))
        return table

    @property
    def notes(self) -> list[str]:
        """What a reader of the table should know, in lines."""
        roofs = self.roofs
        read = list(zip(roofs.sizes, roofs.bandwidth_one_core, strict=True))[1::3]
        speeds = ", ".join(f"{rate:,.0f} of {size_text(size)}" for size, rate in read)
        peaks = (
            f"{roofs.peak_one_core:.0f} GFLOP/s on one core, {roofs.peak_all_cores:.0f} on all {roofs.cores}"
        )
        return [
            KEY,
            CALLS,
            f"measured: {peaks}; one core reads, in GB/s: {speeds}",
            *(f"{way.name} was not timed: {way.problem}" for way in self.ways if way.problem),
        ]

    def intensity(self, rows: float) -> float:
        """Return the operations per byte of the layer's arrays, each counted once."""
        return 2 * rows * self.inputs * self.units / numbers(rows, self.inputs, self.units) / 4

    def draw(self) -> Any:
        """Return the chart as a figure of matplotlib's: the ways under the machine's roofs."""
        return draw(self.title, self.ways, self.rows, self.roofs, self.intensity)


def sweep(
    rows: int | Sequence[int] = 4096,
    inputs: int = 64,
    units: int = 64,
    activation: str = "relu",
    seconds: float = 0.05,
    progress: Progress | None = None,
) -> Sweep:
    """Time one dense layer in every way there is, for few rows to many, and find what limits each.

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
        About how long to time each.
    progress : function of (int, int, str), optional
        Called before each way with its number, from 1, the number of ways, and its name.

    Returns
    -------
    Sweep

    Raises
    ------
    ValueError
        A size is not positive or too large, ``rows`` is empty, or the activation is unknown.
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
    ways = tuple(
        measure_way(method, work, counts, roofs, machine, seconds) for method in announced(ours, progress)
    )
    one, every = (_reached(ours, ways, cores) for cores in ("one", "all"))
    roofs = roofs.raised(one, every)
    return Sweep(machine, roofs, len(work.W), len(work.B), work.activation, counts, ways)


def _reached(methods: Sequence[Method], ways: Sequence[Way], cores: Cores) -> float:
    """Return the highest rate of the methods that use these cores, 0 if there are none."""
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
