"""What this machine can do at most: its measured rate of arithmetic, and of reading for each size of data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from fastdense import native

__all__ = ["SIZES", "Roofs", "measure_roofs"]

Cores = Literal["one", "all"]

TRIES = 4
SIZES = tuple(2**power for power in range(12, 29, 2))
"""Bytes, from 4 KB, in every first-level cache, to 256 MB, in none but the largest servers' last ones."""


@dataclass(frozen=True)
class Roofs:
    """Measured ceilings.

    Attributes
    ----------
    cores : int
    peak_one_core, peak_all_cores : float
        Float32 multiply-adds, in GFLOP/s.
    sizes : tuple of int
        Bytes that each core reads again and again.
    bandwidth_one_core, bandwidth_all_cores : tuple of float
        How fast it does, in GB/s, for each of the sizes.
    """

    cores: int
    peak_one_core: float
    peak_all_cores: float
    sizes: tuple[int, ...]
    bandwidth_one_core: tuple[float, ...]
    bandwidth_all_cores: tuple[float, ...]

    def raised(self, one_core: float, all_cores: float) -> Roofs:
        """Return the roofs with peaks of at least these rates, in GFLOP/s, which were reached.

        Another program may have left less of the cores while the peaks were measured than later.
        """
        one = max(self.peak_one_core, one_core)
        return replace(self, peak_one_core=one, peak_all_cores=max(one, self.peak_all_cores, all_cores))

    def arithmetic(self, operations: float, cores: Cores, itemsize: int) -> float:
        """Return the seconds that ``operations`` take at least: twice as many in float64."""
        peak = self.peak_one_core if cores == "one" else self.peak_all_cores
        return operations * (itemsize / 4) / (peak * 1e9)

    def memory(self, traffic: float, held: float, cores: Cores) -> float:
        """Return the seconds that reading ``traffic`` bytes takes at least, out of ``held`` in use."""
        rates = self.bandwidth_one_core if cores == "one" else self.bandwidth_all_cores
        each = held if cores == "one" else held / self.cores
        # Between two sizes caches fill up gradually: along a line, both axes logarithmic.
        rate = np.exp(np.interp(np.log(each), np.log(self.sizes), np.log(rates)))
        return traffic / (float(rate) * 1e9)


def measure_roofs() -> Roofs:
    """Measure the machine, which takes a few seconds; once in a process, as long as its cores are the same.

    Each is the best of several tries: another program's turn can only lower one, and on a busy machine two
    threads may be given one core.
    """
    return _measured(native.usable_cores())


@cache
def _measured(cores: int) -> Roofs:

    def read(threads: int) -> tuple[float, ...]:
        return tuple(max(native.measure_bandwidth(size, threads) for _ in range(TRIES)) for size in SIZES)

    def peak(threads: int) -> float:
        return max(native.measure_peak(threads) for _ in range(TRIES))

    one, one_peak = read(1), peak(1)
    all_, all_peak = (one, one_peak) if cores == 1 else (read(cores), peak(cores))
    return Roofs(cores, one_peak, max(one_peak, all_peak), SIZES, one, tuple(map(max, one, all_)))
