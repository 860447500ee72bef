"""The optimizers' updates of one whole parameter array, and the clipping of gradients.

The formulas are Keras 3's. An update takes the parameter ``w``, its gradient ``g`` and the optimizer's
``slots`` for it (in the order of `fastdense.spec.slot_names`) and returns the new ``w`` and slots.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fastdense.spec import OptimizerSpec, slot_names

__all__ = ["clip", "new_slots", "update"]


def new_slots(xp: Any, optimizer: OptimizerSpec, w: Any) -> tuple[Any, ...]:
    """Return the slots that training of ``w`` starts from: zeros, for Adagrad its initial value."""
    start = optimizer.initial_accumulator_value if optimizer.name == "adagrad" else 0.0
    return tuple(start + xp.zeros_like(w) for _ in slot_names(optimizer))


def update(
    xp: Any, optimizer: OptimizerSpec, w: Any, g: Any, slots: Sequence[Any], rate: float, step: int
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
    rate : float
        The learning rate of this step.
    step : int
        Steps taken before this one.

    Returns
    -------
    w, slots : new arrays

    Examples
    --------
    >>> import numpy as np
    >>> update(np, OptimizerSpec("sgd"), np.array([1.0]), np.array([2.0]), (), 0.1, 0)
    (array([0.8]), ())
    """
    if optimizer.weight_decay:
        w = w - (rate * optimizer.weight_decay) * w
    return _UPDATES[optimizer.name](xp, optimizer, w, g, slots, rate, step)


def clip(xp: Any, optimizer: OptimizerSpec, gradients: Sequence[Any]) -> list[Any]:
    """Return the gradients clipped by value, by each array's norm or by the norm of all together."""
    if optimizer.clipvalue is not None:
        return [xp.clip(g, min=-optimizer.clipvalue, max=optimizer.clipvalue) for g in gradients]
    squares = [float(xp.sum(g * g, dtype=xp.float64)) for g in gradients if _clips_by_norm(optimizer)]
    if optimizer.clipnorm is not None:
        return [_shrink(g, s, optimizer.clipnorm) for g, s in zip(gradients, squares, strict=True)]
    if optimizer.global_clipnorm is not None:
        total = sum(squares)
        return [_shrink(g, total, optimizer.global_clipnorm) for g in gradients]
    return list(gradients)


def _clips_by_norm(optimizer: OptimizerSpec) -> bool:
    return optimizer.clipnorm is not None or optimizer.global_clipnorm is not None


def _shrink(g: Any, square: float, limit: float) -> Any:
    norm = math.sqrt(square)
    return g * (limit / norm) if norm > limit else g


def _sgd(
    xp: Any, o: OptimizerSpec, w: Any, g: Any, slots: Sequence[Any], rate: float, step: int
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``w -= rate g``; with momentum ``m = momentum m - rate g; w += m`` (Nesterov: twice)."""
    if not slots:
        return w - rate * g, ()
    m = o.momentum * slots[0] - rate * g
    return w + (o.momentum * m - rate * g if o.nesterov else m), (m,)


def _rmsprop(
    xp: Any, o: OptimizerSpec, w: Any, g: Any, slots: Sequence[Any], rate: float, step: int
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``v = rho v + (1 - rho) g**2; w -= rate g / sqrt(v + epsilon)`` (Tieleman and Hinton, 2012)."""
    old = dict(zip(slot_names(o), slots, strict=True))
    new = {"velocity": o.rho * old["velocity"] + (1.0 - o.rho) * (g * g)}
    variance = new["velocity"]
    if o.centered:
        new["average"] = o.rho * old["average"] + (1.0 - o.rho) * g
        variance = variance - new["average"] * new["average"]
    move = rate * g / xp.sqrt(variance + o.epsilon)
    if o.momentum > 0:
        move = new["momentum"] = o.momentum * old["momentum"] + move
    return w - move, tuple(new[name] for name in slot_names(o))


def _adagrad(
    xp: Any, o: OptimizerSpec, w: Any, g: Any, slots: Sequence[Any], rate: float, step: int
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``a += g**2; w -= rate g / sqrt(a + epsilon)`` (Duchi, Hazan and Singer, 2011)."""
    accumulator = slots[0] + g * g
    return w - rate * g / xp.sqrt(accumulator + o.epsilon), (accumulator,)


def _adam(
    xp: Any, o: OptimizerSpec, w: Any, g: Any, slots: Sequence[Any], rate: float, step: int
) -> tuple[Any, tuple[Any, ...]]:
    """Take ``w -= alpha m / (sqrt(v) + epsilon)``, the bias corrections folded into ``alpha``.

    Kingma and Ba, "Adam", 2015, the efficient form at the end of their section 2.
    """
    t = step + 1
    alpha = rate * math.sqrt(1.0 - o.beta_2**t) / (1.0 - o.beta_1**t)
    m = slots[0] + (g - slots[0]) * (1.0 - o.beta_1)
    v = slots[1] + (g * g - slots[1]) * (1.0 - o.beta_2)
    return w - alpha * m / (xp.sqrt(v) + o.epsilon), (m, v)


_UPDATES = {"sgd": _sgd, "rmsprop": _rmsprop, "adagrad": _adagrad, "adam": _adam}
