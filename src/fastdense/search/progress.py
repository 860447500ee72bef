"""How a search shows its progress: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from importlib.util import find_spec
from typing import Any, Self

from fastdense.search.evaluation import Outcome
from fastdense.training.progress import is_interactive

__all__ = ["Progress"]

_LINES = 20  # at most so many


class Progress:
    """Shows how many fits have ended and the best score of one; a ``with`` block holds what is on screen.

    Parameters
    ----------
    title : str
    fits : int
        How many there will be at most.
    verbose : int
        0 shows nothing.
    """

    def __init__(self, title: str, fits: int, verbose: int) -> None:
        self._title, self._fits, self._verbose = title, fits, verbose
        self._done, self._best, self._start = 0, -math.inf, time.perf_counter()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._verbose and is_interactive() and find_spec("rich") is not None:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            text = TextColumn("{task.description}", markup=False)
            self._bar = Progress(text, BarColumn(), TimeRemainingColumn())
            self._bar.start()
            self._bar.add_task(self._title, total=self._fits)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def ended(self, place: tuple[int, int], outcome: Outcome) -> None:
        """Be told that a candidate has been scored on a split."""
        if not self._verbose:
            return
        self._done += 1
        score = outcome.test_scores
        if isinstance(score, float | int) and score > self._best:
            self._best = float(score)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done, description=self._text())
        elif self._done * _LINES // self._fits > (self._done - 1) * _LINES // self._fits:
            print(f"{self._text()} - {time.perf_counter() - self._start:.1f}s", flush=True)

    def _text(self) -> str:
        best = "" if self._best == -math.inf else f" - best score of a split: {self._best:.4f}"
        return f"{self._title}: {self._done} of {self._fits} fits{best}"
