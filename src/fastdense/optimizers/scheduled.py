"""Numbers that may change from step to step: the learning rate, the weight decay, a dropout's rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.optimizers.schedules import FAMILY, LearningRateSchedule

__all__ = ["Scheduled", "at_steps", "known_ahead", "scheduled"]

Check = Callable[[str, Any], float]
Scheduled = float | LearningRateSchedule | Callable[[int], float]
"""A number for every step, or the function that gives it."""


def scheduled(check: Check) -> Callable[[str, Any], Scheduled]:
    """Return the check of a number that may change: a schedule, its description or a function passes."""

    def checked(name: str, value: Any) -> Scheduled:
        if isinstance(value, dict):
            value = FAMILY.restore(value)
        return value if callable(value) else check(name, value)

    return checked


def known_ahead(value: Scheduled | None) -> bool:
    """Return False for a function of the user's, which may look at anything that changes meanwhile."""
    return not callable(value) or isinstance(value, LearningRateSchedule)


def at_steps(name: str, value: Scheduled, check: Check, first: int, count: int) -> NDArray[np.float64]:
    """Return the numbers of ``count`` steps from ``first`` on.

    Raises
    ------
    ValueError
        The schedule gives a number that does not pass the check.
    """
    if not callable(value):
        return np.full(count, value)
    return np.array([_at(name, value, check, step) for step in range(first, first + count)])


def _at(name: str, schedule: Callable[[int], float], check: Check, step: int) -> float:
    try:
        value = schedule(step)
    except OverflowError:
        value = math.inf
    return check(f"{name} of step {step}", value)
