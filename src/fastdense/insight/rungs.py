"""One rung: a method's outputs checked against the definition, then its time."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from timeit import timeit
from typing import Any

from fastdense.engines.machine import Info
from fastdense.errors import FastdenseError
from fastdense.insight.agreement import Definition, disagreement
from fastdense.insight.methods import Method, Run
from fastdense.insight.timing import best_time
from fastdense.insight.workload import Workload
from fastdense.libraries import Library, backend_of, library_of

__all__ = ["Rung", "compare", "in_memory", "measure"]


@dataclass(frozen=True)
class Rung:
    """One way to compute the layer, and how fast it is; the numbers are None if it has a problem.

    Attributes
    ----------
    name : str
    module : str or None
        The framework's module, None for fastdense's own rungs.
    cores : int or None
        The processor's cores that it may use, None on an accelerator.
    rows : int
        The number of examples that one call computed.
    seconds : float or None
        Time per example.
    gflops : float or None
        Billions of multiplications and additions per second, without the activation's.
    percent_of_peak : float or None
        Of the measured peak of the cores it may use; an accelerator's peak is not measured.
    speedup : float or None
        Over the first rung.
    problem : str or None
        Why it was not timed: it could not be imported or run, or gave wrong numbers.
    """

    name: str
    module: str | None
    cores: int | None
    rows: int
    seconds: float | None = None
    gflops: float | None = None
    percent_of_peak: float | None = None
    speedup: float | None = None
    problem: str | None = None


def measure(method: Method, work: Workload, definition: Definition, machine: Info, seconds: float) -> Rung:
    """Check a method, then time it; a framework that fails becomes a rung that says why."""
    cores = machine.cores if method.cores == "all" else 1
    rung = Rung(method.name, method.module, None if method.accelerated else cores, work.rows)
    try:
        run, rows = _prepare(method, work, seconds)
        wrong = disagreement(in_memory(run()), definition.first(rows))
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
    """Return the name, with the framework's version if it could be imported."""
    version = getattr(sys.modules.get(method.module or ""), "__version__", None)
    name = method.name if version is None else f"{method.name} {version}"
    return f"{name}, GPU" if method.accelerated else name


def in_memory(outputs: Any) -> Any:
    """Return outputs as NumPy takes them, fetched from an accelerator if they lie there."""
    library = library_of(outputs)
    return outputs if library is None else backend_of(Library(library)).fetch(outputs)


def _in_a_line(error: Exception) -> str:
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first if len(first) <= 160 else first[:157] + '...'}"


def compare(rung: Rung, first: Rung, machine: Info) -> Rung:
    """Return a timed rung with its share of the machine's peak and its speed-up over the first rung."""
    if rung.seconds is None or rung.gflops is None or first.seconds is None:
        return rung
    speedup = first.seconds / rung.seconds
    if rung.cores is None:
        return replace(rung, speedup=speedup)
    peak = machine.peak_one_core if rung.cores == 1 else machine.peak_all_cores
    assert peak is not None
    return replace(rung, percent_of_peak=100 * rung.gflops / peak, speedup=speedup)
