"""Layer normalisation of one row, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import LayerNormSpec
from fastdense.reference.ieee import divide, sqrt

__all__ = ["layer_norm", "layer_norm_backward", "normalized"]

Row = Sequence[float]
Arrays = tuple[NDArray[np.float64], ...]


def normalized(a: Row, epsilon: float) -> tuple[list[float], float]:
    """Return a row less its mean and divided by its deviation, and the deviation.

    Examples
    --------
    >>> normalized([1.0, 5.0], 0.0)  # the mean is 3, the variance 4
    ([-1.0, 1.0], 2.0)
    """
    mean = divide(sum(a), len(a))
    deviation = sqrt(divide(sum((value - mean) * (value - mean) for value in a), len(a)) + epsilon)
    return [divide(value - mean, deviation) for value in a], deviation


def layer_norm(layer: LayerNormSpec, parameters: Arrays, a_in: Row) -> list[float]:
    """Return ``x_k * gamma_k + beta_k`` for the normalised row ``x``.

    Examples
    --------
    >>> layer_norm(LayerNormSpec(2, epsilon=0.0), (np.array([3.0, 4.0]), np.array([0.5, 0.5])), [1.0, 5.0])
    [-2.5, 4.5]
    """
    gamma, beta = _affine(layer, parameters)
    x, _ = normalized(a_in, layer.epsilon)
    return [x_k * gamma[k] + beta[k] for k, x_k in enumerate(x)]


def layer_norm_backward(
    layer: LayerNormSpec, parameters: Arrays, a_in: Row, dz: Row
) -> tuple[list[float], Arrays]:
    """Return the gradient with respect to the row and to the parameters.

    The mean and the deviation change with every number of the row: with ``g_k = dz_k * gamma_k`` and the
    normalised row ``x``, ``da_k = (g_k - mean(g) - x_k * mean(g * x)) / deviation``. Those of the parameters
    are ``dgamma_k = dz_k * x_k`` and ``dbeta_k = dz_k``.
    """
    gamma, _ = _affine(layer, parameters)
    x, deviation = normalized(a_in, layer.epsilon)
    g = [dz_k * gamma[k] for k, dz_k in enumerate(dz)]
    mean = sum(g) / len(g)
    slope = sum(g_k * x_k for g_k, x_k in zip(g, x, strict=True)) / len(g)
    da = [divide(g_k - mean - x_k * slope, deviation) for g_k, x_k in zip(g, x, strict=True)]
    dgamma, dbeta = np.array([dz_k * x_k for dz_k, x_k in zip(dz, x, strict=True)]), np.array(dz)
    return da, (dgamma,) * layer.scale + (dbeta,) * layer.center


def _affine(layer: LayerNormSpec, parameters: Arrays) -> tuple[list[float], list[float]]:
    """Return ``gamma`` and ``beta``, ones and zeros in place of those that the layer lacks."""
    gamma, beta = layer.named(parameters)
    return (
        [1.0] * layer.n_in if gamma is None else gamma.tolist(),
        [0.0] * layer.n_in if beta is None else beta.tolist(),
    )
