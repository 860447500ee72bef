"""The optimizers' updates of one whole parameter array, and the clipping of gradients.

The formulas are Keras 3's. An update takes the parameter ``w``, its gradient ``g`` and the optimizer's
``slots`` for it (in the order of its spec's ``slots``) and returns the new ``w`` and slots.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, assert_never

from fastdense.core.spec import AdagradSpec, AdamSpec, Factors, LionSpec, OptimizerSpec, RMSpropSpec, SGDSpec

__all__ = ["Rates", "clip", "new_slots", "rates_of", "update"]

PLAIN = Factors()


class Rates(NamedTuple):
    """The learning rate of one step for one parameter, as the parts of an update multiply by it.

    Attributes
    ----------
    plain
        The learning rate itself.
    decay
        The learning rate times the weight decay; None if nothing decays.
    corrected
        For Adam, the learning rate with the bias corrections folded in (Kingma and Ba, "Adam", 2015, the
        efficient form at the end of their section 2); for the others the learning rate.
    """

    plain: Any
    decay: Any
    corrected: Any


def rates_of(
    optimizer: OptimizerSpec,
    rate: float,
    step: int,
    decay: float | None = None,
    factors: Factors = PLAIN,
) -> Rates:
    """Return the rates of a step, worked out in double.

    Parameters
    ----------
    optimizer : OptimizerSpec
    rate : float
        The learning rate.
    step : int
        The number of steps taken before this one.
    decay : float, optional
        The weight decay, if it is not the optimizer's own.
    factors : Factors
        The parameter's.

    Examples
    --------
    >>> rates_of(SGDSpec(weight_decay=0.5), 0.1, 0)
    Rates(plain=0.1, decay=0.05, corrected=0.1)
    >>> rates_of(SGDSpec(), 0.5, 0, decay=0.25, factors=Factors(rate=2.0, decay=3.0))
    Rates(plain=1.0, decay=0.75, corrected=1.0)
    """
    corrected = rate = rate * factors.rate
    if decay is None:
        decay = optimizer.weight_decay or None
    if isinstance(optimizer, AdamSpec):
        t = step + 1
        corrected = rate * math.sqrt(1.0 - optimizer.beta_2**t) / (1.0 - optimizer.beta_1**t)
    return Rates(rate, None if decay is None else rate * decay * factors.decay, corrected)


def new_slots(xp: Any, optimizer: OptimizerSpec, w: Any) -> tuple[Any, ...]:
    """Return the slots that training of ``w`` starts from."""
    return tuple(start + xp.zeros_like(w) for start in optimizer.slots.values())


def update(
    xp: Any, optimizer: OptimizerSpec, w: Any, g: Any, slots: Sequence[Any], rates: Rates
) -> tuple[Any, tuple[Any, ...]]:
    """Return ``w`` and its slots after one step.

    Parameters
    ----------
    xp : namespace
        The array library.
    optimizer : OptimizerSpec
    w, g : arrays of one shape
        The parameter and its gradient.
    slots : sequence of arrays of that shape
    rates : Rates
        Of this step.

    Returns
    -------
    w, slots : new arrays

    Examples
    --------
    >>> import numpy as np
    >>> sgd = SGDSpec()
    >>> update(np, sgd, np.array([1.0]), np.array([2.0]), (), rates_of(sgd, 0.1, 0))
    (array([0.8]), ())
    """
    if rates.decay is not None:
        w = w - rates.decay * w
    match optimizer:
        case SGDSpec():
            return _sgd(xp, optimizer, w, g, slots, rates)
        case RMSpropSpec():
            return _rmsprop(xp, optimizer, w, g, slots, rates)
        case AdagradSpec():
            return _adagrad(xp, optimizer, w, g, slots, rates)
        case AdamSpec():
            return _adam(xp, optimizer, w, g, slots, rates)
        case LionSpec():
            return _lion(xp, optimizer, w, g, slots, rates)
        case _:
            assert_never(optimizer)


def clip(xp: Any, optimizer: OptimizerSpec, gradients: Sequence[Any]) -> list[Any]:
    """Return the gradients clipped by value, by each array's norm or by the norm of all together."""
    if optimizer.clipvalue is not None:
        return [xp.clip(g, min=-optimizer.clipvalue, max=optimizer.clipvalue) for g in gradients]
    if optimizer.clipnorm is not None:
        return [_shrink(xp, g, _square(xp, g), optimizer.clipnorm) for g in gradients]
    if optimizer.global_clipnorm is not None:
        total = sum(_square(xp, g) for g in gradients)
        return [_shrink(xp, g, total, optimizer.global_clipnorm) for g in gradients]
    return list(gradients)


def _square(xp: Any, g: Any) -> Any:
    return xp.sum(g * g, dtype=xp.float64)


def _shrink(xp: Any, g: Any, square: Any, limit: float) -> Any:
    """Return ``g * limit / norm``, and ``g`` itself if the norm is not above the limit."""
    return g * xp.asarray(limit / xp.clip(xp.sqrt(square), min=limit), dtype=g.dtype)


def _sgd(
    xp: Any, o: SGDSpec, w: Any, g: Any, slots: Sequence[Any], rates: Rates
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``w -= rate g``; with momentum ``m = momentum m - rate g; w += m`` (Nesterov: twice)."""
    if not slots:
        return w - rates.plain * g, ()
    m = o.momentum * slots[0] - rates.plain * g
    return w + (o.momentum * m - rates.plain * g if o.nesterov else m), (m,)


def _rmsprop(
    xp: Any, o: RMSpropSpec, w: Any, g: Any, slots: Sequence[Any], rates: Rates
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``v = rho v + (1 - rho) g**2; w -= rate g / sqrt(v + epsilon)`` (Tieleman and Hinton, 2012)."""
    old = dict(zip(o.slots, slots, strict=True))
    new = {"velocity": o.rho * old["velocity"] + (1.0 - o.rho) * (g * g)}
    variance = new["velocity"]
    if o.centered:
        new["average"] = o.rho * old["average"] + (1.0 - o.rho) * g
        variance = variance - new["average"] * new["average"]
    move = rates.plain * g / xp.sqrt(variance + o.epsilon)
    if o.momentum > 0:
        move = new["momentum"] = o.momentum * old["momentum"] + move
    return w - move, tuple(new[name] for name in o.slots)


def _adagrad(
    xp: Any, o: AdagradSpec, w: Any, g: Any, slots: Sequence[Any], rates: Rates
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``a += g**2; w -= rate g / sqrt(a + epsilon)`` (Duchi, Hazan and Singer, 2011)."""
    accumulator = slots[0] + g * g
    return w - rates.plain * g / xp.sqrt(accumulator + o.epsilon), (accumulator,)


def _adam(
    xp: Any, o: AdamSpec, w: Any, g: Any, slots: Sequence[Any], rates: Rates
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``w -= alpha m / (sqrt(v) + epsilon)``, the bias corrections folded into ``alpha``.

    With ``amsgrad`` the largest ``v`` so far stands in place of ``v``.
    """
    m = slots[0] + (g - slots[0]) * (1.0 - o.beta_1)
    v = slots[1] + (g * g - slots[1]) * (1.0 - o.beta_2)
    new = (m, v, xp.where(v > slots[2], v, slots[2])) if o.amsgrad else (m, v)
    return w - rates.corrected * m / (xp.sqrt(new[-1]) + o.epsilon), new


def _lion(
    xp: Any, o: LionSpec, w: Any, g: Any, slots: Sequence[Any], rates: Rates
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``w -= rate sign(c)``, ``c = beta_1 m + (1 - beta_1) g``, and ``beta_2`` for the new ``m``."""
    m, ahead = slots[0], g - slots[0]
    c = m + ahead * (1.0 - o.beta_1)
    return w - rates.plain * xp.sign(c), (m + ahead * (1.0 - o.beta_2),)
