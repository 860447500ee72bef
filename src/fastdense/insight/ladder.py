"""The ladder: one dense layer computed in every way, from Python loops up, each checked and then timed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastdense.activations import ActivationFunction
from fastdense.core.checks import number, whole
from fastdense.engines.machine import Info, info
from fastdense.insight.agreement import define
from fastdense.insight.methods import METHODS, Method, Progress, announced
from fastdense.insight.notebook import shown
from fastdense.insight.plain import as_plain
from fastdense.insight.rungs import Rung, compare, measure
from fastdense.insight.wording import HEADINGS, cells, ladder_text, notes, title
from fastdense.insight.workload import Workload, random_workload

__all__ = ["Ladder", "climb", "ladder"]


@dataclass(frozen=True)
class Ladder:
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

    def __str__(self) -> str:
        return ladder_text(self)

    def _repr_html_(self) -> str:
        from fastdense.insight.chart import draw

        rows = [HEADINGS, *map(cells, self.rungs)]
        return shown(title(self), rows, notes(self), lambda: draw(self))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON holds: dicts, lists, strings, finite numbers and None."""
        return as_plain(self)

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the ladder as a chart, longer bars being faster, and save it.

        Parameters
        ----------
        path : path-like
            A name that ends in .png or .svg.

        Raises
        ------
        ValueError
            The name ends otherwise.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        from fastdense.insight.chart import save

        save(self, path)


def ladder(
    rows: int = 1024,
    inputs: int = 64,
    units: int = 64,
    activation: str = "sigmoid",
    seconds: float = 0.3,
    progress: Progress | None = None,
) -> Ladder:
    """Compute one dense layer in every way there is, check that all agree, and time them.

    From pure Python loops through one dot product a neuron, one column a unit and one matrix product a row to
    one a batch, and the same in TensorFlow, PyTorch, JAX, CuPy and ONNX Runtime where they are installed, on
    an accelerator too where there is one. A framework that is installed but does not work is shown with the
    reason.

    Parameters
    ----------
    rows : int, default 1024
        Examples in the batch.
    inputs, units : int, default 64
        The layer's size.
    activation : str, default "sigmoid"
    seconds : float, default 0.3
        How long to time each rung, about.
    progress : function of (int, int, str), optional
        Called before each rung with its number, from 1, how many there are, and its name.

    Returns
    -------
    ladder : Ladder

    Raises
    ------
    ValueError
        A size is not positive or too large, or there is no activation of that name.
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
