"""Timing a function: the best of several repeats, each of many calls."""

from __future__ import annotations

from collections.abc import Callable
from timeit import timeit
from typing import Any

__all__ = ["best_time"]

# Many short repeats, not a few long ones: on a busy machine some of them fall between the others' turns.
REPEATS = 50
FEWEST = 3


def best_time(run: Callable[[], Any], seconds: float) -> float:
    """Return the seconds that one call takes, undisturbed; garbage is not collected meanwhile.

    Parameters
    ----------
    run : function
        Called once first, to find how many calls fill a repeat.
    seconds : float
        How long to measure; a slow function is measured three times, however long that takes.

    Returns
    -------
    float
        Of the quickest repeat, so that other programs' turns count as little as they can.

    Examples
    --------
    >>> best_time(lambda: sum(range(100)), seconds=0.001) > 0
    True
    """
    calls = max(1, int(seconds / REPEATS / max(timeit(run, number=1), 1e-9)))
    times = [timeit(run, number=calls)]
    while len(times) < FEWEST or sum(times) < seconds:
        times.append(timeit(run, number=calls))
    return min(times) / calls
