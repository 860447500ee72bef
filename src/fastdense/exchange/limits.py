"""Curves that are an activation between two scalings, which fold into the dense layers beside it."""

from __future__ import annotations

from fastdense.activations import ActivationFunction
from fastdense.errors import FormatError
from fastdense.exchange.chain import Chain

__all__ = ["between", "limit"]

# No number of float32's reaches a limit beyond.
_NO_LIMIT = 1e30
# Beyond, a shift to a limit and back costs float32 numbers of about 1 more than five of their 24 bits.
_FARTHEST = 32.0


def between(
    chain: Chain,
    before: tuple[float, float],
    activation: ActivationFunction | str,
    after: tuple[float, float],
) -> None:
    """Append ``g(x * factor + shift) * factor_2 + shift_2``, the factors and shifts as two pairs."""
    if before != (1.0, 0.0):
        chain.scale(*before)
    chain.activate(activation)
    if after != (1.0, 0.0):
        chain.scale(*after)


def limit(chain: Chain, low: float, high: float) -> None:
    """Append ``min(max(x, low), high)``; an infinite limit is none.

    Raises
    ------
    FormatError
        The lower limit is not below the upper one, or is so far from 0 that shifting to it costs digits.
    """
    is_low, is_high = low > -_NO_LIMIT, high < _NO_LIMIT
    if not low < high:
        raise FormatError(f"its limits are {low:g} and {high:g}")
    shift = low if is_low else high if is_high else 0.0
    if abs(shift) > _FARTHEST:
        raise FormatError(
            f"numbers are shifted to a limit and back, which with one of {shift:g} would cost them digits: "
            f"limits up to {_FARTHEST:g} can be read, and leave it out if no number reaches it"
        )
    if is_low and is_high:
        factor = 6.0 / (high - low)
        between(chain, (factor, -low * factor), "relu6", (1.0 / factor, low))
    elif is_low:
        between(chain, (1.0, -low), "relu", (1.0, low))
    elif is_high:
        between(chain, (-1.0, high), "relu", (-1.0, high))
