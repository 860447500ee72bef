"""The optimizers: their constants, their learning rate and how many steps they have taken.

The updates themselves are the engines'; `fastdense.array.optimizers` writes each formula in a line or two.
"""

from __future__ import annotations

import weakref
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastdense.core.absent import Absent, stand_in
from fastdense.core.checks import above_zero, flag, fraction, from_zero, optional, whole
from fastdense.core.config import Configurable, Family
from fastdense.core.parameters import parameter
from fastdense.core.sharing import Change
from fastdense.core.spec import OPTIMIZERS, OptimizerSpec
from fastdense.optimizers import schedules
from fastdense.optimizers.scheduled import Scheduled, at_steps, scheduled

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Lion", "Optimizer", "RMSprop", "get", "schedules"]

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


class Optimizer(Configurable):
    """Base of the optimizers.

    Attributes
    ----------
    iterations : int
        Steps taken so far, at most ``2**53``.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__} is a base: make one of {', '.join(FAMILY.names())}")

    def __post_init__(self) -> None:
        limits = ("clipnorm", "clipvalue", "global_clipnorm")
        if sum(getattr(self, limit, None) is not None for limit in limits) > 1:
            raise ValueError(f"{type(self).__name__}: give one of clipnorm, clipvalue and global_clipnorm")
        self.iterations = 0
        self._owner: weakref.ref[object] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out which model it trains: a copy is free to train another."""
        return {**self.__dict__, "_owner": None}

    def belonging_to(self, model: object) -> list[Change]:
        """Return what makes it the optimizer of ``model``, no steps taken, for ``core.sharing.replace``.

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
    def learning_rate(self) -> Scheduled:
        """The rate, or the schedule or function it comes from; a number can be set at any time.

        As with Keras' variable, ``learning_rate.assign(0.1)`` sets it too.
        """
        found: Scheduled = self._learning_rate
        if not callable(found):
            found = _Rate(found)
            found._optimizer = self
        return found

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate = scheduled(from_zero)("learning_rate", value)

    @property
    def scheduled(self) -> tuple[Scheduled | None, ...]:
        """What the learning rate and the weight decay come from."""
        return self._learning_rate, vars(self)["weight_decay"]

    def rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return the learning rates of ``steps`` steps from ``first_step`` on.

        Raises
        ------
        ValueError
            The schedule gives a rate that is negative or not finite.
        """
        return at_steps("the learning rate", self._learning_rate, from_zero, first_step, steps)

    def weight_decays(self, first_step: int, steps: int) -> NDArray[np.float64] | None:
        """Return the weight decays of these steps, None if it is one number, which `spec` has.

        Raises
        ------
        ValueError
            The schedule gives one that is negative or not finite.
        """
        decay: Scheduled | None = vars(self)["weight_decay"]
        return at_steps("the weight decay", decay, from_zero, first_step, steps) if callable(decay) else None

    def spec(self) -> OptimizerSpec:
        """Return the update as the engines compute it."""
        settings = {name: getattr(self, name) for name in self.declared if name != "learning_rate"}
        decay = settings["weight_decay"]
        settings["weight_decay"] = 0.0 if decay is None or callable(decay) else decay
        found: OptimizerSpec = OPTIMIZERS[self.name](**settings)
        return found


FAMILY: Family[Optimizer] = Family("optimizer")
get = FAMILY.get


def _learning_rate(default: float) -> Any:
    return parameter(
        scheduled(from_zero),
        "At least 0. A function is called with the step, counted from 0.",
        default=default,
        kind="float, LearningRateSchedule or function of the step",
    )


MOMENTUM = parameter(
    fraction, "At least 0 and below 1: the share of the last step that the next one repeats.", default=0.0
)
EPSILON = parameter(above_zero, "Added under the root, above 0.", default=1e-7)
WEIGHT_DECAY = parameter(
    optional(scheduled(from_zero)),
    """Decoupled: every step first takes ``learning_rate * weight_decay * w`` from every weight ``w``, the
    biases' too unless their layer's ``bias_decay_factor`` says otherwise. A function is called with the step,
    counted from 0.""",
    default=None,
    kind="float, LearningRateSchedule or function of the step",
)
CLIPNORM = parameter(
    optional(above_zero), "Scale down each gradient array whose Euclidean norm exceeds this.", default=None
)
CLIPVALUE = parameter(
    optional(above_zero), "Limit each number of the gradients to this, either way.", default=None
)
GLOBAL_CLIPNORM = parameter(
    optional(above_zero),
    "Scale down all gradients together if their common norm exceeds this.",
    default=None,
)


@FAMILY.add("sgd")
class SGD(Optimizer):
    """Gradient descent, with momentum (Polyak, 1964) or Nesterov's (1983) if given."""

    name = "sgd"

    learning_rate: Scheduled = _learning_rate(0.01)
    momentum: float = MOMENTUM
    nesterov: bool = parameter(flag, "Take the gradient's step ahead of the momentum's.", default=False)
    weight_decay: Scheduled | None = WEIGHT_DECAY
    clipnorm: float | None = CLIPNORM
    clipvalue: float | None = CLIPVALUE
    global_clipnorm: float | None = GLOBAL_CLIPNORM


@FAMILY.add("rmsprop")
class RMSprop(Optimizer):
    """Each gradient divided by a running root mean square of itself (Tieleman and Hinton, 2012)."""

    name = "rmsprop"

    learning_rate: Scheduled = _learning_rate(0.001)
    rho: float = parameter(fraction, "The running mean's memory, at least 0 and below 1.", default=0.9)
    momentum: float = MOMENTUM
    epsilon: float = EPSILON
    centered: bool = parameter(
        flag, "Subtract the running mean's square: a variance in place of a mean square.", default=False
    )
    weight_decay: Scheduled | None = WEIGHT_DECAY
    clipnorm: float | None = CLIPNORM
    clipvalue: float | None = CLIPVALUE
    global_clipnorm: float | None = GLOBAL_CLIPNORM


@FAMILY.add("adagrad")
class Adagrad(Optimizer):
    """Each gradient divided by the root of the sum of its squares so far (Duchi, Hazan and Singer, 2011)."""

    name = "adagrad"

    learning_rate: Scheduled = _learning_rate(0.001)
    initial_accumulator_value: float = parameter(from_zero, "What the sums start from.", default=0.1)
    epsilon: float = EPSILON
    weight_decay: Scheduled | None = WEIGHT_DECAY
    clipnorm: float | None = CLIPNORM
    clipvalue: float | None = CLIPVALUE
    global_clipnorm: float | None = GLOBAL_CLIPNORM


@FAMILY.add("adam")
class Adam(Optimizer):
    """Momentum by a running root mean square, both corrected for their start (Kingma and Ba, 2015)."""

    name = "adam"

    learning_rate: Scheduled = _learning_rate(0.001)
    beta_1: float = parameter(
        fraction, "The memory of the gradient's running mean, at least 0 and below 1.", default=0.9
    )
    beta_2: float = parameter(
        fraction, "The memory of its square's running mean, at least 0 and below 1.", default=0.999
    )
    epsilon: float = parameter(above_zero, "Added to the root, above 0.", default=1e-7)
    amsgrad: bool = parameter(
        flag,
        "Divide by the root of the largest mean square so far (Reddi, Kale and Kumar, 2018).",
        default=False,
        later=True,
    )
    weight_decay: Scheduled | None = WEIGHT_DECAY
    clipnorm: float | None = CLIPNORM
    clipvalue: float | None = CLIPVALUE
    global_clipnorm: float | None = GLOBAL_CLIPNORM


@FAMILY.add("adamw")
class AdamW(Adam):
    """`Adam` with decoupled weight decay.

    References
    ----------
    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    def __init__(
        self,
        learning_rate: Scheduled = 0.001,
        weight_decay: Scheduled = 0.004,
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


@FAMILY.add("lion")
class Lion(Optimizer):
    """Steps of one length, by the sign of a momentum (Chen et al., 2023).

    The learning rate is the length of every step: a third to a tenth of `Adam`'s does as well, with three to
    ten times `AdamW`'s weight decay.

    References
    ----------
    Chen et al., "Symbolic discovery of optimization algorithms", 2023.
    """

    name = "lion"

    learning_rate: Scheduled = _learning_rate(0.001)
    beta_1: float = parameter(
        fraction, "The share of the momentum in the number whose sign is taken, below 1.", default=0.9
    )
    beta_2: float = parameter(
        fraction, "The momentum's memory of the gradients, at least 0 and below 1.", default=0.99
    )
    weight_decay: Scheduled | None = WEIGHT_DECAY
    clipnorm: float | None = CLIPNORM
    clipvalue: float | None = CLIPVALUE
    global_clipnorm: float | None = GLOBAL_CLIPNORM


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
