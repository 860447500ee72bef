"""What fastdense runs on here: versions, engine, instruction set, cores, measured ceiling."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import numpy as np

from fastdense import engines, native
from fastdense._version import __version__
from fastdense.core.columns import aligned

__all__ = ["Info", "info"]


@dataclass(frozen=True)
class Info:
    """What `info` found; printed as aligned lines.

    Attributes
    ----------
    version, python, numpy : str
        Versions of fastdense, Python and NumPy.
    engine : str
        The engine used if none is named.
    isa : str
        The build of the native kernels in use.
    instruction_sets : tuple of str
        The vector instruction sets found on this processor.
    cores : int
        The cores this process may use.
    threads : int
        How many threads the native engine may use.
    libraries : tuple of str
        The other array libraries that are installed: engines by these names.
    peak_one_core, peak_all_cores : float or None
        Measured float32 multiply-add rates, in GFLOP/s; None when not measured.
    """

    version: str
    python: str
    numpy: str
    engine: str
    isa: str
    instruction_sets: tuple[str, ...]
    cores: int
    threads: int
    libraries: tuple[str, ...] = ()
    peak_one_core: float | None = None
    peak_all_cores: float | None = None

    def __str__(self) -> str:
        lines = {
            "fastdense": self.version,
            "python": self.python,
            "numpy": self.numpy,
            "engine": self.engine,
            "kernels": self.isa,
            "processor offers": " ".join(self.instruction_sets)
            or "no vector instructions known to fastdense",
            "usable cores": str(self.cores),
            "threads": str(self.threads),
            "array libraries": " ".join(self.libraries) or "NumPy alone",
        }
        if self.peak_one_core is not None:
            lines["peak, one core"] = f"{self.peak_one_core:.1f} GFLOP/s (float32)"
        if self.peak_all_cores is not None:
            lines["peak, all cores"] = f"{self.peak_all_cores:.1f} GFLOP/s (float32)"
        return "\n".join(aligned([*lines.items()]))


def info(peak: bool = False) -> Info:
    """Describe what fastdense runs on here.

    Parameters
    ----------
    peak : bool, default False
        Also measure the multiply-add rates of one and of all cores, which takes about a tenth of a second.

    Returns
    -------
    info : Info

    Examples
    --------
    >>> print(info())
    fastdense         ...
    python            ...
    numpy             ...
    engine            ...
    kernels           ...
    processor offers  ...
    usable cores      ...
    threads           ...
    array libraries   ...
    """
    cores = native.usable_cores()
    return Info(
        version=__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        engine=str(engines.name_of()),
        libraries=engines.installed(),
        isa=native.isa_in_use(),
        instruction_sets=native.instruction_sets(),
        cores=cores,
        threads=native.get_threads(),
        peak_one_core=native.measure_peak(1) if peak else None,
        peak_all_cores=native.measure_peak(cores) if peak else None,
    )
