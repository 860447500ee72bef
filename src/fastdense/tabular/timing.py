"""How many epochs of how many networks a time limit has room for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from fastdense.tabular.fitting import Plan

__all__ = ["Pace", "fitted", "measured"]

_FEWEST: Final = 32
"""Epochs of the recipe's schedule that another network is not worth going below."""
_TRIED: Final = 0.02
"""The share of the time that is spent on measuring."""
_SURE: Final = 0.9
"""The share of the rest that is planned for: the machine may slow down."""


class Pace(NamedTuple):
    """What training takes: seconds of an epoch beside its steps, and of a step."""

    epoch: float
    step: float

    def of(self, steps: int) -> float:
        """Return the seconds of an epoch."""
        return self.epoch + self.step * steps


def measured(took_by: Callable[[int], float], most: int, seconds: float) -> Pace:
    """Find what training takes from epochs of a few steps, more of them until the clock can tell.

    Parameters
    ----------
    took_by : function of a number of steps
        Returns the seconds that an epoch of that many steps takes.
    most : int
        The steps of a whole epoch.
    seconds : float
        What there is in all.
    """
    end = time.monotonic() + _TRIED * seconds
    one = took_by(1)
    steps, took = 1, one
    while steps < most and time.monotonic() + 2.0 * took < end:
        steps = min(most, 4 * steps)
        took = took_by(steps)
    return Pace(one, max(0.0, took - one) / max(1, steps - 1))


def fitted(pace: Pace, whole: Plan, networks: int, threads: int, seconds: float) -> tuple[int, Plan]:
    """Return how many networks to train, and for how long each.

    Parameters
    ----------
    pace : Pace
    whole : Plan
        What the recipe asks for.
    networks, threads : int
    seconds : float
        What is left.

    Returns
    -------
    networks : int
        At least 1; fewer than asked for if there is no time for a fair number of epochs of each.
    plan : Plan
        Fewer epochs, and of fewer steps if not even these would do.
    """
    seconds *= _SURE
    fewest = min(_FEWEST, whole.epochs)
    while networks > 1 and _share(seconds, networks, threads) < fewest * pace.of(whole.steps):
        networks -= 1
    own = _share(seconds, networks, threads)
    if own >= fewest * pace.of(whole.steps):
        return networks, whole._replace(epochs=min(whole.epochs, int(own / pace.of(whole.steps))))
    epochs = max(1, min(fewest, int(own / (2.0 * pace.epoch))))
    steps = int((own / epochs - pace.epoch) / pace.step) if pace.step else whole.steps
    return networks, Plan(epochs, max(1, min(whole.steps, steps)), whole.most)


def _share(seconds: float, networks: int, threads: int) -> float:
    """Return the seconds that each of some networks has, side by side."""
    return seconds * min(1.0, threads / networks)
