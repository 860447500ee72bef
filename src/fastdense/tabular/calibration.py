"""Temperature scaling: one number that makes probabilities as sure as they are right.

References
----------
C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", 2017.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array

__all__ = ["log_loss", "logs_of", "normalized", "scaled", "sharpness"]

_LEAST, _MOST = np.log(0.01), np.log(100.0)
"""Between these lies the log of the sharpness: where every row is right, the best one is infinite."""
_TURNS: Final = 30
_CLOSE: Final = 1e-6
_TINY: Final = 1e-30


def normalized(outputs: Array) -> NDArray[np.float64]:
    """Return probabilities in float64, the sum of each row rounded to 1 in it and not in float32."""
    wide = outputs.astype(np.float64)
    chances: NDArray[np.float64] = wide / wide.sum(axis=1, keepdims=True)
    return chances


def logs_of(probabilities: Array) -> NDArray[np.float64]:
    """Return log probabilities, which are logits as good as those that they came from."""
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    return logs


def scaled(logits: Array, sharpness: float) -> NDArray[np.float64]:
    """Return the probabilities ``softmax(sharpness * logits)``; a sharpness is 1 / temperature."""
    z = sharpness * (logits - logits.max(axis=1, keepdims=True))
    powers = np.exp(z)
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def log_loss(logits: Array, y: Array, weights: NDArray[np.float64], sharpness: float = 1.0) -> float:
    """Return the mean log loss of `scaled`.

    Parameters
    ----------
    logits : array of shape (m, k)
    y : int64 array of shape (m,)
        Class numbers.
    weights : float64 array of shape (m,)
    sharpness : float
    """
    z = sharpness * (logits - logits.max(axis=1, keepdims=True))
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]
    return float(np.average(losses, weights=weights))


def sharpness(logits: Array, y: Array, weights: NDArray[np.float64]) -> float:
    """Return the sharpness of the least log loss, from 0.01 to 100.

    The loss is convex in it. Newton's steps are taken where they stay between the bounds known so far, and
    the middle (of the logarithms) elsewhere.
    """
    z = logits - logits.max(axis=1, keepdims=True)
    right, shares = z[np.arange(len(y)), y], weights / weights.sum()
    low, high, s = _LEAST, _MOST, 0.0
    for _ in range(_TURNS):
        b = np.exp(s)
        powers = np.exp(b * z)
        powers /= powers.sum(axis=1, keepdims=True)
        mean = (powers * z).sum(axis=1)
        slope = float(shares @ (mean - right))
        curvature = float(shares @ ((powers * z * z).sum(axis=1) - mean**2))
        low, high = (s, high) if slope < 0 else (low, s)
        new = np.log(b - slope / curvature) if curvature > 0.0 and slope < b * curvature else np.inf
        new = new if low < new < high else (low + high) / 2.0
        if abs(new - s) < _CLOSE:
            break
        s = new
    return float(np.exp(s))
