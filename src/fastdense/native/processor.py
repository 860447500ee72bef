"""What this processor offers: instruction sets, cores, and its measured ceiling."""

from __future__ import annotations

import operator
import os

from fastdense.errors import DtypeError
from fastdense.native import _core
from fastdense.native.threads import MOST_THREADS

LARGEST_READ = 2**32
"""Bytes for each thread: more than any cache has."""


def instruction_sets() -> tuple[str, ...]:
    """Return the names of the vector instruction sets found on this processor.

    Only those that the kernels can use are named, as Linux names them: ``"sse2"``, ``"avx2"``,
    ``"fma"``, ``"avx512f"``...; ``"neon"`` on 64-bit ARM.

    Returns
    -------
    names : tuple of str
    """
    return tuple(_core.instruction_sets())


def best_isa() -> str:
    """Return the name of the fastest build of the kernels that runs on this processor.

    Returns
    -------
    isa : {"avx512", "avx2", "sse2", "neon", "scalar"}
        ``"avx2"`` needs FMA too; ``"avx512"`` needs its F, BW, DQ and VL parts.
    """
    return runnable_isas()[0]


def isa_in_use() -> str:
    """Return the name of the build of the kernels that is used by default.

    Returns
    -------
    isa : str
        What the environment variable ``FASTDENSE_ISA`` names, or else `best_isa`.

    Raises
    ------
    ValueError
        The variable names no build that runs on this processor.
    """
    wanted = os.environ.get("FASTDENSE_ISA")
    if not wanted:
        return best_isa()
    if wanted not in runnable_isas():
        names = ", ".join(runnable_isas())
        raise ValueError(f"FASTDENSE_ISA={wanted!r} does not run on this processor; it runs {names}")
    return wanted


def runnable_isas() -> tuple[str, ...]:
    """Return the names of all builds of the kernels that run on this processor, fastest first.

    Returns
    -------
    isas : tuple of str
    """
    return tuple(_core.runnable_isas())


def usable_cores() -> int:
    """Return how many cores this process may use.

    Returns
    -------
    cores : int
        The processors of the affinity mask, or the CPU quota of its control groups (a container's
        limit) rounded up, whichever is fewer; at least 1.
    """
    return _core.usable_cores()


def measure_peak(threads: int = 1, dtype: str = "float32", isa: str | None = None) -> float:
    """Measure the multiply-add rate that no kernel on this machine can exceed.

    Every thread runs a loop of independent fused multiply-adds in registers; the best of several
    runs of a few milliseconds counts.

    Parameters
    ----------
    threads : int, default 1
        Threads running at the same time, each on its own core if there are enough.
    dtype : {"float32", "float64"}, default "float32"
        The type of the numbers.
    isa : str, optional
        The build of the loop to run; that of `best_isa` if not given.

    Returns
    -------
    gflops : float
        Billions of operations a second, all threads together; a multiply-add is two.

    Raises
    ------
    ValueError
        ``threads`` is out of range, or ``isa`` doesn't run on this processor.
    DtypeError
        ``dtype`` is another type.
    """
    count = _thread_count(threads)
    if dtype not in {"float32", "float64"}:
        raise DtypeError(f'dtype must be "float32" or "float64", not {dtype!r}')
    return _core.measure_peak(count, dtype == "float64", isa or best_isa()) / 1e9


def measure_bandwidth(size: int, threads: int = 1, isa: str | None = None) -> float:
    """Measure how fast memory is read: the caches' as the size lets them, or main memory's.

    Every thread adds up its own numbers again and again; the best of several runs of a few milliseconds
    counts.

    Parameters
    ----------
    size : int
        Bytes that each thread reads in turn, from 1024 on. What fits a cache is read from it.
    threads : int, default 1
        Threads running at the same time, each on its own core if there are enough.
    isa : str, optional
        The build of the loop to run; that of `best_isa` if not given.

    Returns
    -------
    bandwidth : float
        Billions of bytes a second, all threads together.

    Raises
    ------
    ValueError
        ``size`` or ``threads`` is out of range, or ``isa`` doesn't run on this processor.
    MemoryError
        There is not so much memory.
    """
    count, size = _thread_count(threads), operator.index(size)
    if not 1024 <= size <= LARGEST_READ:
        raise ValueError(f"size must be from 1024 to {LARGEST_READ} bytes, not {size}")
    return _core.measure_bandwidth(size, count, isa or best_isa()) / 1e9


def _thread_count(threads: int) -> int:
    count = operator.index(threads)
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"threads must be from 1 to {MOST_THREADS}, not {count}")
    return count


def measure_round_trip() -> float:
    """Measure how long a message takes from one core to another and back.

    Threads that share a step of training send some each step. Cores under one cache answer in a tenth of a
    microsecond, distant ones in several; on a virtual machine it may change while a program runs.

    Returns
    -------
    seconds : float
        The best of some thousand; with a single usable core, what taking turns on it costs.
    """
    return _core.measure_round_trip()
