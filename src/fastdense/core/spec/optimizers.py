"""The optimizers: each with its constants, and the arrays that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, get_args

__all__ = ["OPTIMIZERS", "AdagradSpec", "AdamSpec", "LionSpec", "OptimizerSpec", "RMSpropSpec", "SGDSpec"]


@dataclass(frozen=True, kw_only=True)
class _Optimizer:
    """What all optimizers have; the learning rate comes with every step.

    ``weight_decay`` is decoupled: ``w -= learning_rate * weight_decay * w`` before the update, for every
    trained parameter, each of which may multiply both by `Factors` of its own. At most one of the three
    clippings is set.
    """

    name: ClassVar[str]
    weight_decay: float = 0.0
    clipvalue: float | None = None
    clipnorm: float | None = None
    global_clipnorm: float | None = None


@dataclass(frozen=True, kw_only=True)
class SGDSpec(_Optimizer):
    """Gradient descent, with momentum or Nesterov's."""

    name = "sgd"
    momentum: float = 0.0
    nesterov: bool = False

    @property
    def slots(self) -> dict[str, float]:
        """The arrays kept for each trained parameter, in order, and the number that fills each at first."""
        return {"momentum": 0.0} if self.momentum > 0 else {}


@dataclass(frozen=True, kw_only=True)
class RMSpropSpec(_Optimizer):
    """Gradients divided by a running root mean square."""

    name = "rmsprop"
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    @property
    def slots(self) -> dict[str, float]:
        """As of `SGDSpec`."""
        kept = {"velocity": True, "average": self.centered, "momentum": self.momentum > 0}
        return {name: 0.0 for name, is_kept in kept.items() if is_kept}


@dataclass(frozen=True, kw_only=True)
class AdagradSpec(_Optimizer):
    """Gradients divided by the root of the sum of their squares so far."""

    name = "adagrad"
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    @property
    def slots(self) -> dict[str, float]:
        """As of `SGDSpec`."""
        return {"accumulator": self.initial_accumulator_value}


@dataclass(frozen=True, kw_only=True)
class AdamSpec(_Optimizer):
    """Momentum divided by a running root mean square; AdamW if there is a weight decay."""

    name = "adam"
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    amsgrad: bool = False

    @property
    def slots(self) -> dict[str, float]:
        """As of `SGDSpec`."""
        return dict.fromkeys(("m", "v", "v_max") if self.amsgrad else ("m", "v"), 0.0)


@dataclass(frozen=True, kw_only=True)
class LionSpec(_Optimizer):
    """Steps of one length, by the sign of a momentum."""

    name = "lion"
    beta_1: float = 0.9
    beta_2: float = 0.99

    @property
    def slots(self) -> dict[str, float]:
        """As of `SGDSpec`."""
        return {"momentum": 0.0}


OptimizerSpec: TypeAlias = SGDSpec | RMSpropSpec | AdagradSpec | AdamSpec | LionSpec
OPTIMIZERS: dict[str, Any] = {kind.name: kind for kind in get_args(OptimizerSpec)}
"""Every optimizer by its name."""
