"""The ladder: one dense layer computed in every way, from Python loops up, each checked and then timed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from timeit import timeit
from typing import Any

from fastdense.checks import number, whole
from fastdense.errors import FastdenseError
from fastdense.insight.agreement import Definition, define, disagreement
from fastdense.insight.methods import METHODS, Method, Run
from fastdense.insight.timing import best_time
from fastdense.insight.wording import ladder_text
from fastdense.insight.workload import Workload, random_workload
from fastdense.machine import Info, info
from fastdense.network.activations import ActivationFunction

__all__ = ["Ladder", "Rung", "climb", "ladder"]


@dataclass(frozen=True)
class Rung:
    """One way to compute the layer, and how fast it is; the numbers are None where it has a problem.

    Attributes
    ----------
    name : str
    module : str or None
        The framework's module, None for fastdense's own rungs.
    cores : int
        The cores it may use.
    rows : int
        How many examples one call computed.
    seconds : float or None
        Time an example.
    gflops : float or None
        Billions of multiplications and additions a second, the activation's not counted.
    percent_of_peak : float or None
        Of the measured peak of the cores it may use.
    speedup : float or None
        Over the first rung.
    problem : str or None
        Why it was not timed: it could not be imported or run, or gave wrong numbers.
    """

    name: str
    module: str | None
    cores: int
    rows: int
    seconds: float | None = None
    gflops: float | None = None
    percent_of_peak: float | None = None
    speedup: float | None = None
    problem: str | None = None


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

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON holds: dicts, lists, strings, finite numbers and None."""
        result = asdict(self)
        result["machine"]["instruction_sets"] = list(self.machine.instruction_sets)
        result["rungs"] = list(result["rungs"])
        return result

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
    rows: int = 1024, inputs: int = 64, units: int = 64, activation: str = "sigmoid", seconds: float = 0.3
) -> Ladder:
    """Compute one dense layer in every way there is, check that all agree, and time them.

    From pure Python loops through one dot product a neuron, one column a unit and one matrix product a row to
    one a batch, and the same in TensorFlow, PyTorch, JAX and ONNX Runtime where they are installed. A
    framework that is installed but does not work is shown with the reason.

    Parameters
    ----------
    rows : int, default 1024
        Examples in the batch.
    inputs, units : int, default 64
        The layer's size.
    activation : str, default "sigmoid"
    seconds : float, default 0.3
        How long to time each rung, about.

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
    return climb(METHODS, work, seconds)


def climb(methods: Sequence[Method], work: Workload, seconds: float) -> Ladder:
    """Return the ladder of these methods, those whose framework is not installed left out."""
    before = info(peak=True)
    definition = define(work)
    rungs = [_measure(method, work, definition, before, seconds) for method in methods if method.installed]
    machine = _best_peaks(before, info(peak=True))
    compared = tuple(_compare(rung, rungs[0], machine) for rung in rungs)
    return Ladder(machine, work.rows, len(work.W), len(work.B), work.activation, compared)


def _best_peaks(*measured: Info) -> Info:
    """Return the machine with the highest peaks measured: another program's turn can only lower one."""
    one = max(machine.peak_one_core or 0.0 for machine in measured)
    return replace(
        measured[0],
        peak_one_core=one,
        peak_all_cores=max(one, *(machine.peak_all_cores or 0.0 for machine in measured)),
    )


def _compare(rung: Rung, first: Rung, machine: Info) -> Rung:
    """Return a timed rung with its share of the machine's peak and its speed-up over the first rung."""
    if rung.seconds is None or rung.gflops is None or first.seconds is None:
        return rung
    peak = machine.peak_one_core if rung.cores == 1 else machine.peak_all_cores
    assert peak is not None
    return replace(rung, percent_of_peak=100 * rung.gflops / peak, speedup=first.seconds / rung.seconds)


def _measure(method: Method, work: Workload, definition: Definition, machine: Info, seconds: float) -> Rung:
    """Check a method, then time it; a framework that fails becomes a rung that says why."""
    rung = Rung(method.name, method.module, machine.cores if method.cores == "all" else 1, work.rows)
    try:
        run, rows = _prepare(method, work, seconds)
        wrong = disagreement(run(), definition.first(rows))
    except Exception as error:
        if method.module is None:
            raise
        return replace(rung, name=_label(method), problem=_in_a_line(error))
    if wrong is not None and method.module is None:
        raise FastdenseError(f"{method.name}: {wrong}")
    rung = replace(rung, name=_label(method), rows=rows, problem=wrong)
    if wrong is not None:
        return rung
    each = best_time(run, seconds) / rows
    return replace(rung, seconds=each, gflops=work.flops / each / 1e9)


def _prepare(method: Method, work: Workload, seconds: float) -> tuple[Run, int]:
    """Return what is to be timed, and its rows: for loops, as few as take a tenth of the time."""
    rows = 1 if method.loops else work.rows
    while True:
        run = method.prepare(work.first(rows))
        if rows == work.rows or timeit(run, number=1) >= seconds / 10:
            return run, rows
        rows = min(4 * rows, work.rows)


def _label(method: Method) -> str:
    """Return the name, with the framework's version where it could be imported."""
    version = getattr(sys.modules.get(method.module or ""), "__version__", None)
    return method.name if version is None else f"{method.name} {version}"


def _in_a_line(error: Exception) -> str:
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first if len(first) <= 160 else first[:157] + '...'}"
