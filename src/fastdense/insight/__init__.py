"""Seeing what runs: the ladder from loops to hardware speed, what limits it, and loops left in source.

Each of its tools loads when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastdense.insight.ladders import Ladder, ladder
    from fastdense.insight.loops import Report, vectorize
    from fastdense.insight.sweeps import Sweep, sweep
    from fastdense.insight.timing import best_time

# No module here has the name of a function: once loaded, it would stand in the function's place.
_HOMES = {
    "Ladder": "ladders",
    "Report": "loops",
    "Sweep": "sweeps",
    "best_time": "timing",
    "ladder": "ladders",
    "sweep": "sweeps",
    "vectorize": "loops",
}

__all__ = ["Ladder", "Report", "Sweep", "best_time", "ladder", "sweep", "vectorize"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
