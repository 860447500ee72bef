"""How much of training runs in one call: steps of an epoch, or several epochs."""

from __future__ import annotations

import time
from collections.abc import Iterator

__all__ = ["Pace", "most_epochs", "stretches"]

# Seconds of training between two looks at what is shown: often enough to seem to move.
_REFRESH = 0.1
# What a job of several epochs may hold and do: what is lost when Ctrl-C or a bad loss ends it is small.
_BYTES = 2**23
_OPERATIONS = 2**32  # about a tenth of a second of one core
_STEP = 2**17  # what a step takes beside its products, in such operations


class Pace:
    """Counts the steps or epochs that take about `_REFRESH` seconds, from one on.

    Attributes
    ----------
    count : int
        How many to run next.
    """

    def __init__(self) -> None:
        self.count = 1

    def took(self, count: int, seconds: float) -> None:
        """Learn how long some took."""
        self.count = max(1, min(2 * self.count, int(count * _REFRESH / max(seconds, 1e-6))))


def stretches(steps: int, every_step: bool, live: bool) -> Iterator[tuple[int, int]]:
    """Yield the steps from one to another that the engine runs in one call.

    All of the epoch at once, but one by one if a callback listens to steps, and as many as take about
    `_REFRESH` seconds if progress is shown.
    """
    pace, begin = Pace(), 0
    while begin < steps:
        end = min(begin + (pace.count if every_step or live else steps), steps)
        clock = time.perf_counter()
        yield begin, end
        if not every_step:
            pace.took(end - begin, time.perf_counter() - clock)
        begin = end


def most_epochs(values: int, operations: int, rows: int, steps: int) -> int:
    """Return how many epochs a job may have for its bounds.

    Parameters
    ----------
    values : int
        The bytes that the job returns for an epoch beside its losses.
    operations : int
        The floating-point operations of an epoch.
    rows, steps : int
        Those of an epoch: the job holds the order of the rows, and a rate and a loss for each step.
    """
    size, work = values + 8 * rows + 16 * steps, operations + _STEP * steps
    return max(1, min(_BYTES // size, _OPERATIONS // work))
