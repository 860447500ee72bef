"""The embedding of columns by cosines, for one row, and its gradient.

An embedded column ``x`` becomes ``width - 1`` sums over cosines, and ``x`` itself:

``z_j = sum_k cos(2 pi frequency_k x + phase_k) * kernel_kj + bias_j``

The frequencies, phases, weights and biases are the column's. If ``x`` is NaN, its numbers are ``missing``.
The columns behind the embedded ones are passed on.

References
----------
Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning", 2022, have
trained frequencies. Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and
boosted trees on tabular data", 2024, add phases and biases and keep the column beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import PeriodicEmbeddingSpec
from fastdense.reference.ieee import cos, sin

__all__ = ["periodic", "periodic_backward"]

Row = Sequence[float]
Arrays = tuple[NDArray[np.float64], ...]


def periodic(layer: PeriodicEmbeddingSpec, parameters: Arrays, a_in: Row) -> list[float]:
    """Return the embedded columns one after another, and then the others.

    Examples
    --------
    >>> layer = PeriodicEmbeddingSpec(n_in=2, columns=1, frequencies=2, width=2)
    >>> frequency, phase, kernel = np.array([[0.25, 0.5]]), np.zeros((1, 2)), np.array([[[3.0], [5.0]]])
    >>> parameters = frequency, phase, kernel, np.array([[7.0]]), np.array([[-1.0, -2.0]])
    >>> periodic(layer, parameters, [4.0, 9.0])  # 3 cos(2 pi) + 5 cos(4 pi) + 7
    [15.0, 4.0, 9.0]
    >>> periodic(layer, parameters, [math.nan, 9.0])
    [-1.0, -2.0, 9.0]
    """
    frequency, phase, kernel, bias, missing = (array.tolist() for array in parameters)
    z: list[float] = []
    for c, x in enumerate(a_in[: layer.columns]):
        if math.isnan(x):
            z += missing[c]
            continue
        waves = [cos(angle) for angle in _angles(x, frequency[c], phase[c])]
        for j in range(layer.width - 1):
            z.append(sum(wave * kernel[c][k][j] for k, wave in enumerate(waves)) + bias[c][j])
        z.append(x)
    return [*z, *a_in[layer.columns :]]


def periodic_backward(
    layer: PeriodicEmbeddingSpec, parameters: Arrays, a_in: Row, dz: Row
) -> tuple[list[float], Arrays]:
    """Return the gradient with respect to the row and to the parameters.

    With ``angle_k = 2 pi frequency_k x + phase_k`` and ``dangle_k = -sin(angle_k) * sum_j kernel_kj * dz_j``:

    ====================  ============================================================
    ``dkernel_kj``        ``cos(angle_k) * dz_j``
    ``dbias_j``           ``dz_j``
    ``dphase_k``          ``dangle_k``
    ``dfrequency_k``      ``2 pi x * dangle_k``
    ``dx``                ``dz_last + sum_k 2 pi frequency_k * dangle_k``
    ``dmissing``          ``dz`` where ``x`` is NaN, and then all others are 0
    ====================  ============================================================
    """
    frequency, phase, kernel, _, _ = (array.tolist() for array in parameters)
    dfrequency, dphase, dkernel, dbias, dmissing = gradients = tuple(map(np.zeros_like, parameters))
    da: list[float] = []
    for c, x in enumerate(a_in[: layer.columns]):
        *own, last = dz[c * layer.width : (c + 1) * layer.width]
        if math.isnan(x):
            dmissing[c] = [*own, last]
            da.append(0.0)
            continue
        dbias[c], dx = own, last
        for k, angle in enumerate(_angles(x, frequency[c], phase[c])):
            dkernel[c, k] = [cos(angle) * dz_j for dz_j in own]
            dangle = -sin(angle) * sum(w * dz_j for w, dz_j in zip(kernel[c][k], own, strict=True))
            dphase[c, k] = dangle
            dfrequency[c, k] = math.tau * x * dangle
            dx += math.tau * frequency[c][k] * dangle
        da.append(dx)
    return [*da, *dz[layer.columns * layer.width :]], gradients


def _angles(x: float, frequencies: Row, phases: Row) -> list[float]:
    return [math.tau * f * x + phase for f, phase in zip(frequencies, phases, strict=True)]
