"""The activations of one number and their derivatives: the plainest formulas that never overflow.

Each holds for every input: infinities give the limit, NaN gives NaN. Exponents are never positive, which
is why some formulas branch on the sign of ``z``; `exponential` alone is infinite where its value is too
large for a float.
"""

from __future__ import annotations

import math

from fastdense.core.curves import SELU_ALPHA, SELU_SCALE
from fastdense.reference.ieee import exp, times


def linear(z: float) -> float:
    """Return ``z``."""
    return z


def linear_derivative(z: float) -> float:
    """Return 1."""
    return 1.0


def sigmoid(z: float) -> float:
    """Return ``1 / (1 + exp(-z))``, or the same number as ``exp(z) / (1 + exp(z))`` below zero.

    Examples
    --------
    >>> sigmoid(0.0), round(sigmoid(math.log(3)), 12), sigmoid(-1000.0)
    (0.5, 0.75, 0.0)
    """
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def sigmoid_derivative(z: float) -> float:
    """Return ``sigmoid(z) * sigmoid(-z)``, which is ``a * (1 - a)`` without its cancellation.

    Examples
    --------
    >>> sigmoid_derivative(0.0)
    0.25
    """
    return sigmoid(z) * sigmoid(-z)


def tanh(z: float) -> float:
    """Return the hyperbolic tangent, ``2 * sigmoid(2 * z) - 1``.

    Examples
    --------
    >>> tanh(0.0), round(tanh(math.log(3)), 12)  # (3 - 1/3) / (3 + 1/3)
    (0.0, 0.8)
    """
    return math.tanh(z)


def tanh_derivative(z: float) -> float:
    """Return ``1 - tanh(z)**2`` as ``4 * sigmoid(2 * z) * sigmoid(-2 * z)``, which does not cancel.

    Examples
    --------
    >>> tanh_derivative(0.0), round(tanh_derivative(math.log(3)), 12)  # 1 - 0.8**2
    (1.0, 0.36)
    """
    return 4 * sigmoid_derivative(2 * z)


def relu(z: float) -> float:
    """Return ``max(z, 0)``.

    Examples
    --------
    >>> relu(3.0), relu(-3.0)
    (3.0, 0.0)
    """
    return 0.0 if z <= 0 else z


def relu_derivative(z: float) -> float:
    """Return 1 above zero, otherwise 0 (at zero too)."""
    return leaky_relu_derivative(z, 0.0)


def leaky_relu(z: float, alpha: float) -> float:
    """Return ``z`` above zero, otherwise ``alpha * z``.

    Examples
    --------
    >>> leaky_relu(3.0, 0.5), leaky_relu(-3.0, 0.5)
    (3.0, -1.5)
    """
    return z if z > 0 else times(z, alpha)


def leaky_relu_derivative(z: float, alpha: float) -> float:
    """Return 1 above zero, otherwise ``alpha``.

    Examples
    --------
    >>> leaky_relu_derivative(3.0, 0.5), leaky_relu_derivative(-3.0, 0.5)
    (1.0, 0.5)
    """
    return z if math.isnan(z) else 1.0 if z > 0 else alpha


def elu(z: float, alpha: float) -> float:
    """Return ``z`` above zero, otherwise ``alpha * (exp(z) - 1)``.

    Examples
    --------
    >>> elu(3.0, 2.0), elu(-math.log(4), 2.0)  # 2 * (1/4 - 1)
    (3.0, -1.5)
    """
    return z if z > 0 else alpha * math.expm1(z)


def elu_derivative(z: float, alpha: float) -> float:
    """Return 1 above zero, otherwise ``alpha * exp(z)``.

    Examples
    --------
    >>> elu_derivative(3.0, 2.0), elu_derivative(-math.log(4), 2.0)
    (1.0, 0.5)
    """
    return 1.0 if z > 0 else alpha * math.exp(z)


def celu(z: float, alpha: float) -> float:
    """Return ``z`` above zero, otherwise ``alpha * (exp(z / alpha) - 1)``.

    Barron (2017), "Continuously Differentiable Exponential Linear Units".

    Examples
    --------
    >>> celu(3.0, 2.0), celu(-2 * math.log(4), 2.0)  # 2 * (1/4 - 1)
    (3.0, -1.5)
    """
    return z if z > 0 else alpha * math.expm1(z / alpha)


def celu_derivative(z: float, alpha: float) -> float:
    """Return 1 above zero, otherwise ``exp(z / alpha)``.

    Examples
    --------
    >>> celu_derivative(0.0, 2.0), celu_derivative(-2 * math.log(4), 2.0)
    (1.0, 0.25)
    """
    return 1.0 if z > 0 else math.exp(z / alpha)


def selu(z: float) -> float:
    """Return ``scale * elu(z, alpha)`` with Klambauer's two constants.

    Examples
    --------
    >>> selu(1.0), round(selu(-1000.0), 12)  # the second is -scale * alpha
    (1.0507009873554805, -1.758099340847)
    """
    return SELU_SCALE * elu(z, SELU_ALPHA)


def selu_derivative(z: float) -> float:
    """Return ``scale * elu'(z, alpha)``."""
    return SELU_SCALE * elu_derivative(z, SELU_ALPHA)


def normal_cdf(z: float) -> float:
    """Return the chance that a standard normal number falls below ``z``.

    ``erfc`` and not ``1 + erf``: the latter has lost every digit at ``z = -9``. The rounding of its
    argument leaves a relative error of about ``z**2 * eps``.

    Examples
    --------
    >>> normal_cdf(0.0), round(normal_cdf(1.0) - normal_cdf(-1.0), 4)  # the 68 % rule
    (0.5, 0.6827)
    """
    return math.erfc(-z / math.sqrt(2)) / 2


def gelu(z: float) -> float:
    """Return ``z * normal_cdf(z)``.

    Examples
    --------
    >>> gelu(0.0), round(gelu(1.0), 6), round(gelu(-1.0), 6)  # 1 * 0.841345, -1 * 0.158655
    (0.0, 0.841345, -0.158655)
    """
    return times(z, normal_cdf(z))


def gelu_derivative(z: float) -> float:
    """Return ``normal_cdf(z) + z * normal_density(z)``.

    Examples
    --------
    >>> gelu_derivative(0.0), round(gelu_derivative(1.0), 6)  # 0.841345 + 0.241971
    (0.5, 1.083315)
    """
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return normal_cdf(z) + times(z, density)


def _twice_inner(z: float) -> float:
    """Return ``2 * u``, the number whose sigmoid `gelu_tanh` multiplies by ``z``."""
    return 2 * math.sqrt(2 / math.pi) * (z + 0.044715 * z * z * z)


def gelu_tanh(z: float) -> float:
    """Return ``z / 2 * (1 + tanh(u))``, ``u = sqrt(2 / pi) * (z + 0.044715 * z**3)``.

    ``(1 + tanh(u)) / 2`` is ``sigmoid(2 * u)``, which keeps its digits in the negative tail. From Hendrycks
    and Gimpel (2016), "Gaussian Error Linear Units".

    Examples
    --------
    >>> gelu_tanh(0.0), round(gelu_tanh(1.0), 3)  # close to gelu(1) = 0.8413
    (0.0, 0.841)
    """
    return times(z, sigmoid(_twice_inner(z)))


def gelu_tanh_derivative(z: float) -> float:
    """Return ``s + z * s' * (2 * u)'`` with ``s = sigmoid(2 * u)``.

    Examples
    --------
    >>> gelu_tanh_derivative(0.0), gelu_tanh_derivative(math.inf)
    (0.5, 1.0)
    """
    u_slope = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
    return sigmoid(_twice_inner(z)) + times(z * u_slope, sigmoid_derivative(_twice_inner(z)))


def silu(z: float) -> float:
    """Return ``z * sigmoid(z)``.

    Examples
    --------
    >>> silu(0.0), round(silu(math.log(3)) / math.log(3), 12)
    (0.0, 0.75)
    """
    return times(z, sigmoid(z))


def silu_derivative(z: float) -> float:
    """Return ``sigmoid(z) + z * sigmoid'(z)``.

    Examples
    --------
    >>> silu_derivative(0.0)
    0.5
    """
    return sigmoid(z) + times(z, sigmoid_derivative(z))


def softplus(z: float) -> float:
    """Return ``log(1 + exp(z))`` as ``max(z, 0) + log1p(exp(-|z|))``.

    Examples
    --------
    >>> round(softplus(math.log(3)) / math.log(2), 12), softplus(1000.0)  # log 4 is twice log 2
    (2.0, 1000.0)
    """
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def softplus_derivative(z: float) -> float:
    """Return ``sigmoid(z)``."""
    return sigmoid(z)


def exponential(z: float) -> float:
    """Return ``exp(z)``.

    Examples
    --------
    >>> exponential(0.0), round(exponential(math.log(3)), 12), exponential(1000.0)
    (1.0, 3.0, inf)
    """
    return exp(z)


def exponential_derivative(z: float) -> float:
    """Return ``exp(z)``, which is its own derivative."""
    return exp(z)


def mish(z: float) -> float:
    """Return ``z * tanh(softplus(z))``; Misra (2019), "Mish: A Self Regularized Activation Function".

    Examples
    --------
    >>> mish(0.0), round(mish(math.log(2)) / math.log(2), 12)  # tanh(log 3)
    (0.0, 0.8)
    """
    return times(z, math.tanh(softplus(z)))


def mish_derivative(z: float) -> float:
    """Return ``t + z * (1 - t**2) * sigmoid(z)`` with ``t = tanh(softplus(z))``.

    Examples
    --------
    >>> round(mish_derivative(0.0), 12)  # tanh(log 2) = (2 - 1/2) / (2 + 1/2)
    0.6
    """
    s = softplus(z)
    return math.tanh(s) + times(z, tanh_derivative(s) * sigmoid(z))


def relu6(z: float) -> float:
    """Return ``min(max(z, 0), 6)``.

    Examples
    --------
    >>> relu6(-3.0), relu6(3.0), relu6(7.0)
    (0.0, 3.0, 6.0)
    """
    return 0.0 if z <= 0 else 6.0 if z > 6 else z


def relu6_derivative(z: float) -> float:
    """Return 1 between 0 and 6, otherwise 0 (1 at 6, 0 at 0)."""
    return z if math.isnan(z) else float(0 < z <= 6)


def hard_sigmoid(z: float) -> float:
    """Return ``z / 6 + 1 / 2``, but at least 0 and at most 1; as ``(z + 3) / 6``, it does not cancel at -3.

    Examples
    --------
    >>> hard_sigmoid(-4.0), hard_sigmoid(0.0), hard_sigmoid(1.5), hard_sigmoid(4.0)
    (0.0, 0.5, 0.75, 1.0)
    """
    return relu6(z + 3) / 6


def hard_sigmoid_derivative(z: float) -> float:
    """Return 1/6 between -3 and 3, otherwise 0 (1/6 at 3, 0 at -3)."""
    return z if math.isnan(z) else float(-3 < z <= 3) / 6


def hard_silu(z: float) -> float:
    """Return ``z * hard_sigmoid(z)``; Howard et al. (2019), "Searching for MobileNetV3".

    Examples
    --------
    >>> hard_silu(-4.0), hard_silu(1.5), hard_silu(4.0)  # 1.5 * 0.75
    (0.0, 1.125, 4.0)
    """
    return times(z, hard_sigmoid(z))


def hard_silu_derivative(z: float) -> float:
    """Return ``(2 * z + 3) / 6`` between -3 and 3, 0 below and 1 above (1.5 at 3, 0 at -3).

    Examples
    --------
    >>> hard_silu_derivative(-3.0), hard_silu_derivative(0.0), hard_silu_derivative(3.0)
    (0.0, 0.5, 1.5)
    """
    return 0.0 if z <= -3 else 1.0 if z > 3 else (2 * z + 3) / 6


def softsign(z: float) -> float:
    """Return ``z / (1 + |z|)``.

    Examples
    --------
    >>> softsign(0.0), softsign(3.0), softsign(-math.inf)
    (0.0, 0.75, -1.0)
    """
    return math.copysign(1.0, z) if math.isinf(z) else z / (1 + abs(z))


def softsign_derivative(z: float) -> float:
    """Return ``1 / (1 + |z|)**2``.

    Examples
    --------
    >>> softsign_derivative(0.0), softsign_derivative(-3.0)
    (1.0, 0.0625)
    """
    inverse = 1 / (1 + abs(z))
    return inverse * inverse
