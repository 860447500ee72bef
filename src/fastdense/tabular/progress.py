"""What is shown while the networks of a table train."""

from __future__ import annotations

import time
from typing import Final

from fastdense.tabular.fitting import Course
from fastdense.training.progress import Verbose, display_for

__all__ = ["Progress"]

_LINES: Final = 20
"""The most lines that a training prints, unless one per epoch is asked for."""


class Progress:
    """Shows the epochs of all networks as one count, with the numbers of the one that was heard last.

    Parameters
    ----------
    verbose : "auto", 0, 1 or 2
    metric : str
    epochs : int
        Of all networks.
    """

    def __init__(self, verbose: Verbose, metric: str, epochs: int) -> None:
        self._display, self._metric, self._epochs = display_for(verbose), metric, epochs
        self._every = 1 if verbose == 2 or self._display.live else max(1, epochs // _LINES)
        self._done, self._clock = 0, time.perf_counter()

    def heard(self, course: Course) -> None:
        """Show an epoch that has ended."""
        self._done += 1
        if self._done % self._every and self._done < self._epochs:
            return
        now = time.perf_counter()
        logs = {"loss": course.losses[-1]}
        if len(course.part.held_out):
            scores = course.choice.scores
            logs |= {f"val_{self._metric}": scores[-1], "best": scores[course.choice.best]}
        self._display.epoch_begin(self._done - 1, max(self._epochs, self._done), 1)
        self._display.advance(self._every)
        self._display.epoch_end(logs, now - self._clock)
        self._clock = now

    def close(self) -> None:
        """End what is shown."""
        self._display.close()
