"""The ladder: one dense layer computed in every way, from Python loops up, each checked and then timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastdense.activations import ActivationFunction
from fastdense.core.checks import number, whole
from fastdense.engines.machine import Info, info
from fastdense.insight.agreement import define
from fastdense.insight.chart import draw
from fastdense.insight.methods import METHODS, Method, Progress, announced
from fastdense.insight.rungs import Rung, compare, measure
from fastdense.insight.tabulated import Charted
from fastdense.insight.units import count, digits, duration, ratio
from fastdense.insight.workload import Workload, layer_text, random_workload

__all__ = ["Ladder", "climb", "ladder"]


HEADINGS = ("rung", "rows", "time/row", "GFLOP/s", "of peak", "cores", "speed-up")
NOTES = (
    "every rung gave the definition's numbers before it was timed; the first three work in float64",
    "rows: how many one call computed; loops over rows are given only as many as their time needs",
    "of peak: of the cores that the rung may use; a multiply-add counts as two, the activation as none",
)


@dataclass(frozen=True)
class Ladder(Charted):
    """What `ladder` measured; printed as a table.

    Attributes
    ----------
    machine : Info
        With its measured peaks.
    rows, inputs, units : int
    activation : str
    rungs : tuple of Rung
    """

    machine: Info
    rows: int
    inputs: int
    units: int
    activation: str
    rungs: tuple[Rung, ...]

    @property
    def title(self) -> str:
        """What was computed, in one line."""
        return f"{layer_text(self.inputs, self.units, self.activation)}, float32, {count(self.rows, 'row')}"

    @property
    def table(self) -> list[tuple[str, ...]]:
        """The headings, and one row per rung."""
        return [HEADINGS, *map(_cells, self.rungs)]

    @property
    def notes(self) -> list[str]:
        """What a reader of the table should know, in lines."""
        lines = [f"measured peak: {_peak(self.machine)}", *NOTES]
        if any(rung.cores is None for rung in self.rungs):
            lines.append("GPU: data and weights lie there before the clock starts; its peak is not measured")
        return lines + [f"{rung.name} was not timed: {rung.problem}" for rung in self.rungs if rung.problem]

    def draw(self) -> Any:
        """Return the chart as a figure of matplotlib's: one bar per rung, longer is faster."""
        return draw(self.title, self.rungs, self.machine.peak_all_cores or 1.0)


def _cells(rung: Rung) -> tuple[str, ...]:
    """Return a rung's entries under `HEADINGS`."""
    if rung.seconds is None or rung.gflops is None or rung.speedup is None:
        return (rung.name, *["-"] * (len(HEADINGS) - 1))
    return (
        rung.name,
        f"{rung.rows:,}",
        duration(rung.seconds),
        digits(rung.gflops),
        "-" if rung.percent_of_peak is None else f"{digits(rung.percent_of_peak)} %",
        "-" if rung.cores is None else str(rung.cores),
        ratio(rung.speedup),
    )


def _peak(machine: Info) -> str:
    one = f"{machine.peak_one_core:.1f} GFLOP/s on one core"
    return one if machine.cores == 1 else f"{one}, {machine.peak_all_cores:.1f} on all {machine.cores}"


def ladder(
    rows: int = 1024,
    inputs: int = 64,
    units: int = 64,
    activation: str = "sigmoid",
    seconds: float = 0.3,
    progress: Progress | None = None,
) -> Ladder:
    """Compute one dense layer in every way there is, check that all agree, and time them.

    From pure Python loops through one dot product per neuron, one column per unit and one matrix product per
    row to one per batch, and the same in TensorFlow, PyTorch, JAX, CuPy and ONNX Runtime if they are
    installed, on an accelerator too if there is one. A framework that is installed but does not work is shown
    with the reason.

    Parameters
    ----------
    rows : int, default 1024
        Examples in the batch.
    inputs, units : int, default 64
        The layer's size.
    activation : str, default "sigmoid"
    seconds : float, default 0.3
        About how long to time each rung.
    progress : function of (int, int, str), optional
        Called before each rung with its number, from 1, the number of rungs, and its name.

    Returns
    -------
    ladder : Ladder

    Raises
    ------
    ValueError
        A size is not positive or too large, or the activation is unknown.
    FastdenseError
        One of fastdense's own rungs gave wrong numbers.

    Examples
    --------
    >>> import fastdense as fd
    >>> found = fd.insight.ladder(rows=8, inputs=4, units=2, seconds=0.001)
    >>> [rung.name for rung in found.rungs][:2]
    ['pure Python loops', 'one dot product a neuron']
    >>> found.rungs[0].speedup
    1.0
    """
    rows, inputs, units = whole("rows", rows, 1), whole("inputs", inputs, 1), whole("units", units, 1)
    seconds = number("seconds", seconds, above=0.0)
    work = random_workload(rows, inputs, units, ActivationFunction(activation).name)
    return climb(METHODS, work, seconds, progress)


def climb(
    methods: Sequence[Method], work: Workload, seconds: float, progress: Progress | None = None
) -> Ladder:
    """Return the ladder of these methods, those whose framework is not installed left out."""
    before = info(peak=True)
    definition = define(work)
    ours = announced([method for method in methods if method.installed], progress)
    rungs = [measure(method, work, definition, before, seconds) for method in ours]
    machine = _best_peaks([before, info(peak=True)], rungs)
    compared = tuple(compare(rung, rungs[0], machine) for rung in rungs)
    return Ladder(machine, work.rows, len(work.W), len(work.B), work.activation, compared)


def _best_peaks(measured: Sequence[Info], rungs: Sequence[Rung]) -> Info:
    """Return the machine with the highest peaks: another program's turn can only lower one.

    A rung that was timed while the others slept may have been faster than the peak was when they did not.
    """
    timed = [(rung.cores, rung.gflops) for rung in rungs if rung.cores and rung.gflops]
    one = max(
        [machine.peak_one_core or 0.0 for machine in measured] + [rate for cores, rate in timed if cores == 1]
    )
    every = [machine.peak_all_cores or 0.0 for machine in measured] + [rate for _, rate in timed]
    return replace(measured[0], peak_one_core=one, peak_all_cores=max(one, *every))
