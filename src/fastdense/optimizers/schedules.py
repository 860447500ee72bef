"""Learning rates as functions of the step, with Keras' names and formulas.

Weight decays and dropout rates can follow the same functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from fastdense.core.checks import above_zero, flag, from_one, from_zero, number, optional, whole
from fastdense.core.config import Configurable, Family
from fastdense.core.parameters import Converted, parameter

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]


class LearningRateSchedule(Configurable):
    """Base of the schedules: ``schedule(step)`` is the learning rate of a step, counted from 0."""

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        raise TypeError(f"{type(self).__name__} does not define a rate: use one of its subclasses")


FAMILY: Family[LearningRateSchedule] = Family("learning-rate schedule")

STAIRCASE = parameter(flag, "Keep the rate for ``decay_steps`` steps, then drop it at once.", default=False)


@FAMILY.add()
class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``; ``staircase`` floors the exponent.

    Examples
    --------
    >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
    0.025
    """

    initial_learning_rate: float = parameter(from_zero, "The rate of the first step, at least 0.")
    decay_steps: int = parameter(from_one, "At least 1: this many steps multiply the rate by ``decay_rate``.")
    decay_rate: float = parameter(above_zero, "Above 0.")
    staircase: bool = STAIRCASE

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        exponent = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**exponent)


@FAMILY.add()
class InverseTimeDecay(LearningRateSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; ``staircase`` floors the fraction.

    Examples
    --------
    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)
    0.05
    """

    initial_learning_rate: float = parameter(from_zero, "The rate of the first step, at least 0.")
    decay_steps: int = parameter(from_one, "At least 1: this many steps add ``decay_rate`` to the divisor.")
    decay_rate: float = parameter(from_zero, "At least 0.")
    staircase: bool = STAIRCASE

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        time = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * time)


@FAMILY.add()
class CosineDecay(LearningRateSchedule):
    """Half a cosine down to ``alpha`` times the start, after an optional straight climb (warm-up).

    Examples
    --------
    >>> schedule = CosineDecay(0.0, decay_steps=100, warmup_target=0.1, warmup_steps=10)
    >>> [round(schedule(step), 3) for step in (0, 5, 10, 60, 110)]
    [0.0, 0.05, 0.1, 0.05, 0.0]

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    initial_learning_rate: float = parameter(
        from_zero, "Where the decay starts; with a warm-up, where the climb starts. At least 0."
    )
    decay_steps: int = parameter(from_one, "At least 1: the steps that the decay takes.")
    alpha: float = parameter(from_zero, "The last rate as a fraction of the decay's first.", default=0.0)
    warmup_target: float | None = parameter(
        optional(from_zero), "The rate after the climb, where the decay then starts.", default=None
    )
    warmup_steps: int = parameter(whole, "The steps of the climb.", default=0)

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, step = self.warmup_target, step - self.warmup_steps
        cosine = 0.5 * (1.0 + math.cos(math.pi * min(step, self.decay_steps) / self.decay_steps))
        return top * ((1.0 - self.alpha) * cosine + self.alpha)


@FAMILY.add()
class CosineDecayRestarts(LearningRateSchedule):
    """`CosineDecay` again and again, each time longer and from lower.

    Examples
    --------
    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10, t_mul=2.0, m_mul=0.5)
    >>> [round(schedule(step), 3) for step in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.05, 0.025, 0.025]

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    initial_learning_rate: float = parameter(from_zero, "The rate of the first step, at least 0.")
    first_decay_steps: int = parameter(from_one, "At least 1: the steps of the first decay.")
    t_mul: float = parameter(
        partial(number, minimum=1.0),
        "At least 1: each decay has this many times the steps of the one before.",
        default=2.0,
    )
    m_mul: float = parameter(
        from_zero, "At least 0: each falls from this many times the height of the one before.", default=1.0
    )
    alpha: float = parameter(
        from_zero, "The last rate of each decay as a fraction of the initial one.", default=0.0
    )

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        left, length, top = float(step), float(self.first_decay_steps), 1.0
        if self.t_mul == 1.0:
            restarts = left // length
            left, top = left - restarts * length, top * self.m_mul**restarts
        while left >= length:
            left, length, top = left - length, length * self.t_mul, top * self.m_mul
        cosine = 0.5 * (1.0 + math.cos(math.pi * left / length))
        return self.initial_learning_rate * ((1.0 - self.alpha) * top * cosine + self.alpha)


@FAMILY.add()
class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[0]`` up to and at step ``boundaries[0]``, ``values[1]`` up to the next, and so on.

    Raises
    ------
    ValueError
        The boundaries do not ascend, or the values are not one more.

    Examples
    --------
    >>> schedule = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])
    >>> [schedule(step) for step in (10, 11, 21)]
    [1.0, 0.5, 0.1]
    """

    boundaries: Converted[Sequence[int], list[int]] = parameter(
        lambda name, values: [whole("a boundary", each) for each in values],
        "Steps in ascending order.",
        kind="sequence of int",
    )
    values: Converted[Sequence[float], list[float]] = parameter(
        lambda name, values: [from_zero("a value", each) for each in values],
        "Rates of at least 0, one more than there are boundaries.",
        kind="sequence of float",
    )

    def __post_init__(self) -> None:
        needed = len(self.boundaries) + 1
        if len(self.values) != needed:
            raise ValueError(f"{needed - 1} boundaries need {needed} values, got {len(self.values)}")
        if sorted(self.boundaries) != self.boundaries:
            raise ValueError(f"boundaries must increase, got {self.boundaries}")

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        passed = sum(step > boundary for boundary in self.boundaries)
        return self.values[passed]


@FAMILY.add()
class PolynomialDecay(LearningRateSchedule):
    """``(initial - end) * (1 - step / decay_steps) ** power + end``.

    Examples
    --------
    >>> PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)(4)
    0.6
    """

    initial_learning_rate: float = parameter(from_zero, "The rate of the first step, at least 0.")
    decay_steps: int = parameter(from_one, "At least 1: the steps that the decay takes.")
    end_learning_rate: float = parameter(from_zero, "The rate of the last step, at least 0.", default=0.0001)
    power: float = parameter(above_zero, "Above 0; 1 is a straight line.", default=1.0)
    cycle: bool = parameter(
        flag,
        "Past ``decay_steps``, stretch the decay to the next multiple of it instead of staying at the end.",
        default=False,
    )

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        steps = self.decay_steps * (max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1)
        left = 1.0 - min(step, steps) / steps
        span = self.initial_learning_rate - self.end_learning_rate
        return float(span * left**self.power + self.end_learning_rate)
