"""Learning rates as functions of the step, with Keras' names and formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fastdense.core.checks import flag, number, whole
from fastdense.core.config import Configurable, Family

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
        raise TypeError(f"{type(self).__name__} does not say what the rate is: use one of its subclasses")


FAMILY: Family[LearningRateSchedule] = Family("learning-rate schedule")


@FAMILY.add()
class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``; ``staircase`` floors the exponent.

    Parameters
    ----------
    initial_learning_rate : float
        At least 0.
    decay_steps : int
        At least 1: as many steps multiply the rate by ``decay_rate``.
    decay_rate : float
        Above 0.
    staircase : bool
        Keep the rate for ``decay_steps`` steps, then drop it at once.

    Examples
    --------
    >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
    0.025
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, minimum=0.0)
        self.decay_steps = whole("decay_steps", decay_steps, 1)
        self.decay_rate = number("decay_rate", decay_rate, above=0.0)
        self.staircase = flag("staircase", staircase)

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        exponent = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**exponent)


@FAMILY.add()
class InverseTimeDecay(LearningRateSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; ``staircase`` floors the fraction.

    Parameters
    ----------
    initial_learning_rate : float
        At least 0.
    decay_steps : int
        At least 1.
    decay_rate : float
        At least 0.
    staircase : bool
        Keep the rate for ``decay_steps`` steps, then drop it at once.

    Examples
    --------
    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)
    0.05
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, minimum=0.0)
        self.decay_steps = whole("decay_steps", decay_steps, 1)
        self.decay_rate = number("decay_rate", decay_rate, minimum=0.0)
        self.staircase = flag("staircase", staircase)

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        time = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * time)


@FAMILY.add()
class CosineDecay(LearningRateSchedule):
    """Half a cosine down to ``alpha`` times the start, after an optional straight climb (warm-up).

    Parameters
    ----------
    initial_learning_rate : float
        Where the decay starts; with a warm-up, where the climb starts.
    decay_steps : int
    alpha : float
        The last rate as a fraction of the decay's first.
    warmup_target : float, optional
        The rate after the climb; the decay then starts there.
    warmup_steps : int

    Examples
    --------
    >>> schedule = CosineDecay(0.0, decay_steps=100, warmup_target=0.1, warmup_steps=10)
    >>> [round(schedule(step), 3) for step in (0, 5, 10, 60, 110)]
    [0.0, 0.05, 0.1, 0.05, 0.0]

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, minimum=0.0)
        self.decay_steps = whole("decay_steps", decay_steps, 1)
        self.alpha = number("alpha", alpha, minimum=0.0)
        self.warmup_target = None if warmup_target is None else number("warmup_target", warmup_target, 0.0)
        self.warmup_steps = whole("warmup_steps", warmup_steps)

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

    Parameters
    ----------
    initial_learning_rate : float
        Where the first decay starts.
    first_decay_steps : int
        At least 1: the steps of the first decay.
    t_mul : float
        At least 1: each decay has this many times the steps of the one before.
    m_mul : float
        At least 0: each falls from this many times the height of the one before.
    alpha : float
        The last rate of each decay as a fraction of the initial one.

    Examples
    --------
    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10, t_mul=2.0, m_mul=0.5)
    >>> [round(schedule(step), 3) for step in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.05, 0.025, 0.025]

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, minimum=0.0)
        self.first_decay_steps = whole("first_decay_steps", first_decay_steps, 1)
        self.t_mul = number("t_mul", t_mul, minimum=1.0)
        self.m_mul = number("m_mul", m_mul, minimum=0.0)
        self.alpha = number("alpha", alpha, minimum=0.0)

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

    Parameters
    ----------
    boundaries : sequence of int
        Steps in ascending order.
    values : sequence of float
        Rates of at least 0, one more than there are boundaries.

    Raises
    ------
    ValueError
        The boundaries are in no such order, or the values are not one more.

    Examples
    --------
    >>> schedule = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])
    >>> [schedule(step) for step in (10, 11, 21)]
    [1.0, 0.5, 0.1]
    """

    def __init__(self, boundaries: Sequence[int], values: Sequence[float]) -> None:
        self.boundaries = [whole("a boundary", b) for b in boundaries]
        self.values = [number("a value", v, minimum=0.0) for v in values]
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"{len(boundaries)} boundaries need {len(boundaries) + 1} values, got {len(values)}"
            )
        if sorted(self.boundaries) != self.boundaries:
            raise ValueError(f"boundaries must increase, got {self.boundaries}")

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        passed = sum(step > boundary for boundary in self.boundaries)
        return self.values[passed]


@FAMILY.add()
class PolynomialDecay(LearningRateSchedule):
    """``(initial - end) * (1 - step / decay_steps) ** power + end``.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    end_learning_rate : float
    power : float
    cycle : bool
        Past ``decay_steps``, stretch the decay to the next multiple of it instead of staying at the end.

    Examples
    --------
    >>> PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)(4)
    0.6
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, minimum=0.0)
        self.decay_steps = whole("decay_steps", decay_steps, 1)
        self.end_learning_rate = number("end_learning_rate", end_learning_rate, minimum=0.0)
        self.power = number("power", power, above=0.0)
        self.cycle = flag("cycle", cycle)

    def __call__(self, step: int) -> float:
        """Return the learning rate of one step."""
        steps = self.decay_steps * (max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1)
        left = 1.0 - min(step, steps) / steps
        span = self.initial_learning_rate - self.end_learning_rate
        return float(span * left**self.power + self.end_learning_rate)
