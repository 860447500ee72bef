"""The optimizers: their constants, their learning rate and how many steps they have taken.

The updates themselves are the engines'; `fastdense.array.optimizers` writes each formula in a line or two.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.absent import Absent, stand_in
from fastdense.core.checks import flag, fraction, number, whole
from fastdense.core.config import Configurable, Family
from fastdense.core.sharing import Change
from fastdense.core.spec import OptimizerSpec
from fastdense.optimizers import schedules
from fastdense.optimizers.schedules import LearningRateSchedule

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]

MOST_STEPS = 2**53
"""The most steps that are counted: float64, which schedules compute in, has gaps beyond."""


class _Rate(float):
    """An optimizer's learning rate: a float that can also be set as Keras' variable is, by `assign`."""

    _optimizer: Optimizer

    def assign(self, value: Any) -> None:
        """Set the rate of the optimizer that this was read from."""
        self._optimizer.learning_rate = value

    def numpy(self) -> float:
        """Return the number."""
        return float(self)

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        """Copy as the number alone."""
        return float, (float(self),)


Rate = float | LearningRateSchedule | Callable[[int], float]


class Optimizer(Configurable):
    """Base of the optimizers.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or function of the step
    weight_decay : float, optional
        Decoupled: every step first takes ``learning_rate * weight_decay * w`` from every weight ``w``.
    clipnorm : float, optional
        Scale down each gradient array whose Euclidean norm exceeds this.
    clipvalue : float, optional
        Limit each gradient's number to this, either way.
    global_clipnorm : float, optional
        Scale down all gradients together when their common norm exceeds this.

    Attributes
    ----------
    iterations : int
        Steps taken so far, at most ``2**53``.
    """

    name: str

    def __init__(
        self,
        learning_rate: Rate,
        weight_decay: float | None,
        clipnorm: float | None,
        clipvalue: float | None,
        global_clipnorm: float | None,
    ) -> None:
        self.learning_rate = learning_rate
        self.weight_decay = _optional("weight_decay", weight_decay, minimum=0.0)
        self.clipnorm = _optional("clipnorm", clipnorm, above=0.0)
        self.clipvalue = _optional("clipvalue", clipvalue, above=0.0)
        self.global_clipnorm = _optional("global_clipnorm", global_clipnorm, above=0.0)
        if sum(limit is not None for limit in (self.clipnorm, self.clipvalue, self.global_clipnorm)) > 1:
            raise ValueError(f"{type(self).__name__}: give one of clipnorm, clipvalue and global_clipnorm")
        self.iterations = 0
        self._owner: weakref.ref[object] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out which model it trains: a copy is free to train another."""
        return {**self.__dict__, "_owner": None}

    def belonging_to(self, model: object) -> list[Change]:
        """Return what makes it the optimizer of ``model``, no steps taken, for `core.sharing.replace`.

        Raises
        ------
        ValueError
            It trains another model: the steps counted here would be the sum of both.
        """
        owner = self._owner() if self._owner is not None else None
        if owner not in (None, model):
            raise ValueError(
                f"this {type(self).__name__} trains another model already: give each model its own"
            )
        return [(self, "_owner", weakref.ref(model)), (self, "iterations", 0)]

    @property
    def iterations(self) -> int:
        """The steps taken so far."""
        return self._iterations

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self._iterations = whole("iterations", value, 0, MOST_STEPS)

    @property
    def learning_rate(self) -> Rate:
        """The rate, or the schedule or function it comes from; a number can be set at any time.

        As of Keras' variable, ``learning_rate.assign(0.1)`` sets it too.
        """
        found: Rate = self._learning_rate
        if not callable(found):
            found = _Rate(found)
            found._optimizer = self
        return found

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, dict):
            value = schedules.FAMILY.restore(value)
        self._learning_rate = value if callable(value) else number("learning_rate", value, minimum=0.0)

    def rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return the learning rates of ``steps`` steps from ``first_step`` on.

        Raises
        ------
        ValueError
            The schedule gives a rate that is negative or not finite.
        """
        rate = self._learning_rate
        if not callable(rate):
            return np.full(steps, rate)
        return np.array([_rate(rate, step) for step in range(first_step, first_step + steps)])

    def spec(self) -> OptimizerSpec:
        """Return what the engines are told."""
        return OptimizerSpec(self.name, **self._constants(), **self._common())

    def _constants(self) -> dict[str, Any]:
        return {}

    def _common(self) -> dict[str, Any]:
        return {
            "weight_decay": self.weight_decay or 0.0,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
        }


FAMILY: Family[Optimizer] = Family("optimizer")
get = FAMILY.get


@FAMILY.add("sgd")
class SGD(Optimizer):
    """Gradient descent, with momentum (Polyak, 1964) or Nesterov's (1983) where given.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or function of the step
    momentum : float
        At least 0 and below 1.
    nesterov : bool
    weight_decay, clipnorm, clipvalue, global_clipnorm : float, optional
        See `Optimizer`.
    """

    name = "sgd"

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.momentum = fraction("momentum", momentum)
        self.nesterov = flag("nesterov", nesterov)

    def _constants(self) -> dict[str, Any]:
        return {"momentum": self.momentum, "nesterov": self.nesterov}


@FAMILY.add("rmsprop")
class RMSprop(Optimizer):
    """Each gradient divided by a running root mean square of itself (Tieleman and Hinton, 2012).

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or function of the step
    rho : float
        The running mean's memory.
    momentum : float
    epsilon : float
        Added under the root.
    centered : bool
        Take the running mean's square off first: a variance in place of a mean square.
    weight_decay, clipnorm, clipvalue, global_clipnorm : float, optional
        See `Optimizer`.
    """

    name = "rmsprop"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.rho = fraction("rho", rho)
        self.momentum = fraction("momentum", momentum)
        self.epsilon = number("epsilon", epsilon, above=0.0)
        self.centered = flag("centered", centered)

    def _constants(self) -> dict[str, Any]:
        return {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


@FAMILY.add("adagrad")
class Adagrad(Optimizer):
    """Each gradient divided by the root of the sum of its squares so far (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or function of the step
    initial_accumulator_value : float
        What the sums start from.
    epsilon : float
        Added under the root.
    weight_decay, clipnorm, clipvalue, global_clipnorm : float, optional
        See `Optimizer`.
    """

    name = "adagrad"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.initial_accumulator_value = number("initial_accumulator_value", initial_accumulator_value, 0.0)
        self.epsilon = number("epsilon", epsilon, above=0.0)

    def _constants(self) -> dict[str, Any]:
        return {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}


@FAMILY.add("adam")
class Adam(Optimizer):
    """Momentum divided by a running root mean square, both corrected for their start (Kingma and Ba, 2015).

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or function of the step
    beta_1, beta_2 : float
        Memories of the gradient's running mean and of its square's.
    epsilon : float
        Added to the root.
    amsgrad : bool
        Divide by the root of the largest mean square so far (Reddi, Kale and Kumar, 2018).
    weight_decay, clipnorm, clipvalue, global_clipnorm : float, optional
        See `Optimizer`.
    """

    name = "adam"
    _later = frozenset({"amsgrad"})

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.beta_1, self.beta_2 = fraction("beta_1", beta_1), fraction("beta_2", beta_2)
        self.epsilon = number("epsilon", epsilon, above=0.0)
        self.amsgrad = flag("amsgrad", amsgrad)

    def _constants(self) -> dict[str, Any]:
        constants = ("beta_1", "beta_2", "epsilon", "amsgrad")
        return {name: getattr(self, name) for name in constants}


@FAMILY.add("adamw")
class AdamW(Adam):
    """`Adam` with decoupled weight decay.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or function of the step
    weight_decay : float, default 0.004
        At least 0: every step first takes ``learning_rate * weight_decay * w`` from every weight ``w``, the
        biases' too.
    beta_1, beta_2 : float
        Memories of the gradient's running mean and of its square's.
    epsilon : float
        Added to the root.
    amsgrad : bool
        As of `Adam`.
    clipnorm, clipvalue, global_clipnorm : float, optional
        See `Optimizer`.

    References
    ----------
    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        moments = (beta_1, beta_2, epsilon, amsgrad)
        super().__init__(learning_rate, *moments, weight_decay, clipnorm, clipvalue, global_clipnorm)


def _rate(schedule: Callable[[int], float], step: int) -> float:
    try:
        rate = schedule(step)
    except OverflowError:
        rate = math.inf
    return number(f"the learning rate of step {step}", rate, minimum=0.0)


def _optional(name: str, value: float | None, **limits: float) -> float | None:
    return None if value is None else number(name, value, **limits)


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
