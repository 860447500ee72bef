"""One optimizer step for one parameter ``w`` with gradient ``g``: Keras 3's formulas, and gradient clipping.

Written for one number, because that is all there is to them: every element of every array goes alone.
Only the clippings by norm look at more than one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import AdagradSpec, AdamSpec, LionSpec, OptimizerSpec, RMSpropSpec, SGDSpec
from fastdense.reference.ieee import divide, sign, sqrt

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["clip", "update"]

Matrix = NDArray[np.float64]
Slots = tuple[float, ...]


def update(
    optimizer: OptimizerSpec, w: float, g: float, slots: Slots, *, learning_rate: float, step: int
) -> tuple[float, Slots]:
    """Return the new value of a parameter and of its slots.

    Parameters
    ----------
    optimizer : OptimizerSpec
    w, g : float
        The parameter and its gradient, clipped already.
    slots : tuple of floats
        What the optimizer remembers, in the order of its ``slots``.
    learning_rate : float
    step : int
        The number of steps taken before this one.

    Returns
    -------
    w : float
    slots : tuple of floats

    Examples
    --------
    >>> update(SGDSpec(), 1.0, 2.0, (), learning_rate=0.25, step=0)
    (0.5, ())
    >>> update(SGDSpec(momentum=0.5), 1.0, 2.0, (-1.0,), learning_rate=0.25, step=7)
    (0.0, (-1.0,))

    Adam's first step has the length of the learning rate, whatever the gradient.

    >>> adam = AdamSpec(beta_1=0.5, beta_2=0.75)
    >>> w, (m, v) = update(adam, 1.0, 8.0, (0.0, 0.0), learning_rate=0.25, step=0)
    >>> round(w, 6), m, v
    (0.75, 4.0, 16.0)
    """
    w -= learning_rate * optimizer.weight_decay * w
    match optimizer:
        case SGDSpec():
            return _sgd(optimizer, w, g, slots, learning_rate)
        case RMSpropSpec():
            return _rmsprop(optimizer, w, g, slots, learning_rate)
        case AdagradSpec():
            accumulator = slots[0] + g * g
            return w - divide(learning_rate * g, sqrt(accumulator + optimizer.epsilon)), (accumulator,)
        case AdamSpec():
            return _adam(optimizer, w, g, slots, learning_rate, step=step)
        case LionSpec():
            return _lion(optimizer, w, g, slots, learning_rate)
        case _:
            assert_never(optimizer)


def _sgd(optimizer: SGDSpec, w: float, g: float, slots: Slots, rate: float) -> tuple[float, Slots]:
    """Return the step ``m``, an echo of the last one less ``rate * g``; Nesterov looks one echo ahead."""
    if not slots:
        return w - rate * g, ()
    m = optimizer.momentum * slots[0] - rate * g
    return w + (optimizer.momentum * m - rate * g if optimizer.nesterov else m), (m,)


def _rmsprop(optimizer: RMSpropSpec, w: float, g: float, slots: Slots, rate: float) -> tuple[float, Slots]:
    """Return ``w`` less ``rate * g`` over the root of the mean square ``v`` of late gradients.

    ``centered`` takes their mean's square away from ``v``, which makes it a variance.
    """
    rho, (v, *rest) = optimizer.rho, slots
    v = rho * v + (1 - rho) * g * g
    spread, new = v, [v]
    if optimizer.centered:
        average = rho * rest.pop(0) + (1 - rho) * g
        spread = v - average * average
        new.append(average)
    increment = divide(rate * g, sqrt(spread + optimizer.epsilon))
    if rest:
        increment += optimizer.momentum * rest.pop()
        new.append(increment)
    return w - increment, tuple(new)


def _adam(
    optimizer: AdamSpec, w: float, g: float, slots: Slots, rate: float, *, step: int
) -> tuple[float, Slots]:
    """Return ``w`` less ``rate * m / sqrt(v)``, means of ``g`` and ``g**2`` corrected for their zero start.

    Kingma and Ba (2015), "Adam", section 2: the form that corrects the rate and adds epsilon after it. With
    ``amsgrad`` the largest ``v`` so far stands in place of ``v``: Reddi, Kale and Kumar (2018), "On the
    convergence of Adam and beyond", without their correction of the start, as in Keras.
    """
    m, v, *largest = slots
    corrected = rate * sqrt(1 - optimizer.beta_2 ** (step + 1)) / (1 - optimizer.beta_1 ** (step + 1))
    m += (g - m) * (1 - optimizer.beta_1)
    v += (g * g - v) * (1 - optimizer.beta_2)
    new = (m, v, *(max(each, v) for each in largest))
    return w - divide(m * corrected, sqrt(new[-1]) + optimizer.epsilon), new


def _lion(optimizer: LionSpec, w: float, g: float, slots: Slots, rate: float) -> tuple[float, Slots]:
    """Return ``w`` less ``rate`` by the sign of a mean of ``g``, whose memory ``beta_1`` is the shorter one.

    Chen et al. (2023), "Symbolic discovery of optimization algorithms".
    """
    m = slots[0]
    c = m + (g - m) * (1 - optimizer.beta_1)
    return w - rate * sign(c), (m + (g - m) * (1 - optimizer.beta_2),)


def clip(optimizer: OptimizerSpec, gradients: Sequence[Matrix]) -> list[Matrix]:
    """Return the gradients, clipped as the optimizer says.

    ``clipvalue`` moves every element into ``[-clipvalue, clipvalue]``; ``clipnorm`` shortens each array to
    at most that Euclidean length, ``global_clipnorm`` all of them together.

    Parameters
    ----------
    optimizer : OptimizerSpec
    gradients : sequence of float64 arrays

    Returns
    -------
    clipped : list of float64 arrays of the same shapes

    Examples
    --------
    >>> clip(SGDSpec(clipnorm=1.0), [np.array([3.0, 4.0])])
    [array([0.6, 0.8])]
    >>> clip(SGDSpec(clipvalue=1.0), [np.array([0.5, -4.0])])
    [array([ 0.5, -1. ])]
    """
    if optimizer.clipvalue is not None:
        return [np.clip(g, -optimizer.clipvalue, optimizer.clipvalue) for g in gradients]
    squares = [sum(value * value for value in g.ravel().tolist()) for g in gradients]
    if optimizer.clipnorm is not None:
        return [_shorten(g, square, optimizer.clipnorm) for g, square in zip(gradients, squares, strict=True)]
    if optimizer.global_clipnorm is not None:
        return [_shorten(g, sum(squares), optimizer.global_clipnorm) for g in gradients]
    return list(gradients)


def _shorten(g: Matrix, square: float, longest: float) -> Matrix:
    """Return ``g * longest / max(norm, longest)`` for the norm whose square is given."""
    return g * divide(longest, max(sqrt(square), longest))
