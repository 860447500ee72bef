"""The rows of a table that are held out: of every class alike, drawn by the seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastdense.streams import HELD_OUT, generator
from fastdense.tables.frames import Frame
from fastdense.tables.targets import Task, learn_target

__all__ = ["split", "strata"]


def strata(frame: Frame, target: str, task: Task) -> NDArray[np.int64]:
    """Return the class of every row, all 0 where the task is to regress."""
    column = frame.column(target)
    learned = learn_target(column, task)
    values = learned.encode(column)
    return np.asarray(values if learned.task == "classify" else np.zeros(len(values)), dtype=np.int64)


def split(strata: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], ...]:
    """Return the rows to train on and those to hold out: of every stratum the same share, rounded."""
    order = generator(seed, HELD_OUT).permutation(len(strata))
    held = np.zeros(len(strata), dtype=bool)
    for stratum in np.unique(strata):
        rows = order[strata[order] == stratum]
        held[rows[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
