"""The activations and their derivatives, elementwise over whole matrices.

Each pair is ``g(xp, Z, alpha) -> A`` and ``dg(xp, Z, A, alpha) -> dA/dZ``. No finite or infinite ``Z``
overflows, but where the value itself does (of "exponential"): exponentials take arguments that are zero or
negative, and a factor that has vanished is never multiplied by an infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from fastdense.array.erf import erfc
from fastdense.core.curves import SELU_ALPHA, SELU_SCALE
from fastdense.core.spec import ActivationSpec, group_slices

__all__ = ["activate", "activate_backward", "by_groups", "log_softmax", "sigmoid", "softmax", "softplus"]

# Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016: the tanh approximation.
GELU_SLOPE = math.sqrt(2.0 / math.pi)
GELU_CUBIC = 0.044715
# sigmoid(-800) is 0 in float64: z * sigmoid(z) needs no z below it, and -inf * 0 is avoided.
VANISHED = -800.0
# z / (1 + abs(z)) is 1 at 1e30, and from there on it need not be inf / inf.
SETTLED = 1e30


def activate(xp: Any, activation: ActivationSpec, Z: Any) -> Any:
    """Return ``A = g(Z)``; a softmax with groups is one softmax a group of columns.

    Parameters
    ----------
    xp : namespace
        The array library.
    activation : ActivationSpec
    Z : array of shape (m, n_units), floating

    Returns
    -------
    array of Z's shape and dtype; NaN passes through

    Examples
    --------
    >>> import numpy as np
    >>> activate(np, ActivationSpec("leaky_relu", 0.1), np.array([[-2.0, 3.0]]))
    array([[-0.2,  3. ]])
    """
    function = FUNCTIONS[activation.name]
    groups = group_slices(activation, Z.shape[-1])
    return by_groups(xp, groups, lambda Z: function(xp, Z, activation.alpha), Z)


def activate_backward(xp: Any, activation: ActivationSpec, Z: Any, A: Any, dA: Any) -> Any:
    """Return ``dZ``, the loss's gradient with respect to Z, given ``A = g(Z)`` and its gradient dA.

    Elementwise ``dZ = dA * g'(Z)``; softmax mixes the columns of a group: ``dZ = A * (dA - sum(dA * A))``.

    Examples
    --------
    >>> import numpy as np
    >>> Z = np.array([[-2.0, 3.0]])
    >>> activate_backward(np, ActivationSpec("relu"), Z, np.maximum(Z, 0), np.array([[5.0, 7.0]]))
    array([[0., 7.]])
    """
    if activation.name == "linear":
        return dA
    if activation.name == "softmax":
        groups = group_slices(activation, Z.shape[-1])
        return by_groups(xp, groups, lambda A, dA: _softmax_backward(xp, A, dA), A, dA)
    return dA * SLOPES[activation.name](xp, Z, A, activation.alpha)


def by_groups(xp: Any, groups: Sequence[slice], function: Callable[..., Any], *arrays: Any) -> Any:
    """Return a function's results for each group of the arrays' columns, side by side.

    Examples
    --------
    >>> import numpy as np
    >>> by_groups(np, [slice(0, 2), slice(2, 3)], lambda A: A / A.sum(), np.array([[1.0, 3.0, 5.0]]))
    array([[0.25, 0.75, 1.  ]])
    """
    if len(groups) == 1:
        return function(*arrays)
    return xp.concat([function(*(A[..., group] for A in arrays)) for group in groups], axis=-1)


def sigmoid(xp: Any, Z: Any) -> Any:
    """Return ``1 / (1 + exp(-Z))``, written for either sign so that exp never overflows."""
    decay = xp.exp(-xp.abs(Z))
    return xp.where(Z < 0, decay, xp.ones_like(Z)) / (1.0 + decay)


def _gate(xp: Any, Z: Any) -> Any:
    """Return ``sigmoid(Z)`` for a slope: by ``xp.smooth_sigmoid`` if the library may differentiate it.

    The formula of `sigmoid` keeps all digits, and is in two parts: where they meet, at 0, what a library
    makes of its derivative is wrong.
    """
    own = getattr(xp, "smooth_sigmoid", None)
    return sigmoid(xp, Z) if own is None else own(Z)


def _gate_slope(xp: Any, Z: Any) -> Any:
    """Return ``sigmoid(Z) * sigmoid(-Z)``, in which nothing near 1 is taken from 1."""
    if getattr(xp, "smooth_sigmoid", None) is not None:
        return xp.smooth_sigmoid(Z) * xp.smooth_sigmoid(-Z)
    decay = xp.exp(-xp.abs(Z))
    return decay / (1.0 + decay) ** 2


def softplus(xp: Any, Z: Any) -> Any:
    """Return ``log(1 + exp(Z)) = max(Z, 0) + log1p(exp(-abs(Z)))``."""
    return xp.clip(Z, min=0.0) + xp.log1p(xp.exp(-xp.abs(Z)))


def softmax(xp: Any, Z: Any) -> Any:
    """Return ``exp(Z) / sum(exp(Z))`` by rows, the row's maximum taken out first."""
    E = xp.exp(Z - xp.max(Z, axis=-1, keepdims=True))
    return E / xp.sum(E, axis=-1, keepdims=True)


def _softmax_backward(xp: Any, A: Any, dA: Any) -> Any:
    return A * (dA - xp.sum(dA * A, axis=-1, keepdims=True))


def log_softmax(xp: Any, Z: Any) -> Any:
    """Return ``log(softmax(Z))`` without forming the softmax, which underflows where its log does not."""
    D = Z - xp.max(Z, axis=-1, keepdims=True)
    return D - xp.log(xp.sum(xp.exp(D), axis=-1, keepdims=True))


def _elu(xp: Any, Z: Any, alpha: float) -> Any:
    return xp.where(Z < 0, alpha * xp.expm1(xp.clip(Z, max=0.0)), Z)


def _elu_slope(xp: Any, Z: Any, A: Any, alpha: float) -> Any:
    return xp.where(Z <= 0, alpha * xp.exp(xp.clip(Z, max=0.0)), xp.ones_like(Z))


def _celu(xp: Any, Z: Any, alpha: float) -> Any:
    return xp.where(Z < 0, alpha * xp.expm1(xp.clip(Z, max=0.0) / alpha), Z)


def _celu_slope(xp: Any, Z: Any, A: Any, alpha: float) -> Any:
    return xp.exp(xp.clip(Z, max=0.0) / alpha)


def _gelu(xp: Any, Z: Any, alpha: float) -> Any:
    return xp.clip(Z, min=VANISHED) * (0.5 * erfc(xp, Z * -math.sqrt(0.5)))


def _gelu_slope(xp: Any, Z: Any, A: Any, alpha: float) -> Any:
    """Return ``Phi(Z) + Z * phi(Z)``, the normal distribution's function and density."""
    near = xp.clip(Z, min=-40.0, max=40.0)
    density = xp.exp(-0.5 * near * near) / math.sqrt(2.0 * math.pi)
    return 0.5 * erfc(xp, Z * -math.sqrt(0.5)) + near * density


def _gelu_tanh(xp: Any, Z: Any, alpha: float) -> Any:
    """Return ``Z * (1 + tanh(u)) / 2 = Z * sigmoid(2 u)``: the second keeps the tail's digits."""
    return xp.clip(Z, min=VANISHED) * sigmoid(xp, _gelu_argument(xp, Z))


def _gelu_tanh_slope(xp: Any, Z: Any, A: Any, alpha: float) -> Any:
    U = _gelu_argument(xp, Z)
    near = xp.clip(Z, min=-60.0, max=60.0)
    slope = (2.0 * GELU_SLOPE) * (1.0 + 3.0 * GELU_CUBIC * near * near)
    return _gate(xp, U) + near * _gate_slope(xp, U) * slope


def _gelu_argument(xp: Any, Z: Any) -> Any:
    # At 60 the sigmoid is 0 or 1 already; beyond, the cube of a large float32 overflows.
    near = xp.clip(Z, min=-60.0, max=60.0)
    return (2.0 * GELU_SLOPE) * (near + GELU_CUBIC * near * near * near)


def _silu_slope(xp: Any, Z: Any, A: Any, alpha: float) -> Any:
    return _gate(xp, Z) + xp.clip(Z, min=VANISHED, max=-VANISHED) * _gate_slope(xp, Z)


def _mish_slope(xp: Any, Z: Any, A: Any, alpha: float) -> Any:
    T = xp.tanh(_smooth_softplus(xp, Z))
    near = xp.clip(Z, min=VANISHED, max=-VANISHED)
    return T + near * (1.0 - T * T) * _gate(xp, Z)


def _smooth_softplus(xp: Any, Z: Any) -> Any:
    """Return ``softplus(Z)``, in two parts that are smooth where they meet if it may be differentiated."""
    if getattr(xp, "smooth_sigmoid", None) is None:
        return softplus(xp, Z)
    one = xp.ones_like(Z)
    below, above = xp.where(Z < 0, Z, -one), xp.where(Z < 0, one, Z)
    return xp.where(Z < 0, -xp.log1p(-_gate(xp, below)), above - xp.log(_gate(xp, above)))


def _between(xp: Any, Z: Any, low: float, high: float) -> Any:
    """Return 1 where ``low < Z <= high``, else 0: a kink belongs to the side below."""
    return xp.astype((low < Z) & (high >= Z), Z.dtype)


def _hard_sigmoid(xp: Any, Z: Any) -> Any:
    """Return ``Z / 6 + 1 / 2`` as ``(Z + 3) / 6``, which does not cancel near 0."""
    return xp.clip(Z + 3.0, min=0.0, max=6.0) / 6.0


def _hard_silu_slope(xp: Any, Z: Any, A: Any, alpha: float) -> Any:
    bend = (2.0 * xp.clip(Z, min=-3.0, max=3.0) + 3.0) / 6.0
    return xp.where(Z > 3.0, xp.ones_like(Z), bend * xp.astype(Z > -3.0, Z.dtype))


def _softsign(xp: Any, Z: Any) -> Any:
    near = xp.clip(Z, min=-SETTLED, max=SETTLED)
    return near / (1.0 + xp.abs(near))


FUNCTIONS: dict[str, Callable[[Any, Any, float], Any]] = {
    "linear": lambda xp, Z, alpha: Z,
    "sigmoid": lambda xp, Z, alpha: sigmoid(xp, Z),
    "tanh": lambda xp, Z, alpha: xp.tanh(Z),
    "relu": lambda xp, Z, alpha: xp.clip(Z, min=0.0),
    "leaky_relu": lambda xp, Z, alpha: xp.where(Z < 0, alpha * Z, Z),
    "elu": _elu,
    "celu": _celu,
    "selu": lambda xp, Z, alpha: SELU_SCALE * _elu(xp, Z, SELU_ALPHA),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": lambda xp, Z, alpha: xp.clip(Z, min=VANISHED) * sigmoid(xp, Z),
    "mish": lambda xp, Z, alpha: xp.clip(Z, min=VANISHED) * xp.tanh(softplus(xp, Z)),
    "softplus": lambda xp, Z, alpha: softplus(xp, Z),
    "exponential": lambda xp, Z, alpha: xp.exp(Z),
    "relu6": lambda xp, Z, alpha: xp.clip(Z, min=0.0, max=6.0),
    "hard_sigmoid": lambda xp, Z, alpha: _hard_sigmoid(xp, Z),
    "hard_silu": lambda xp, Z, alpha: xp.clip(Z, min=VANISHED) * _hard_sigmoid(xp, Z),
    "softsign": lambda xp, Z, alpha: _softsign(xp, Z),
    "softmax": lambda xp, Z, alpha: softmax(xp, Z),
}

SLOPES: dict[str, Callable[[Any, Any, Any, float], Any]] = {
    "sigmoid": lambda xp, Z, A, alpha: A * (1.0 - A),
    "tanh": lambda xp, Z, A, alpha: 1.0 - A * A,
    "relu": lambda xp, Z, A, alpha: xp.astype(Z > 0, Z.dtype),
    "leaky_relu": lambda xp, Z, A, alpha: xp.where(Z <= 0, alpha * xp.ones_like(Z), xp.ones_like(Z)),
    "elu": _elu_slope,
    "celu": _celu_slope,
    "selu": lambda xp, Z, A, alpha: SELU_SCALE * _elu_slope(xp, Z, A, SELU_ALPHA),
    "gelu": _gelu_slope,
    "gelu_tanh": _gelu_tanh_slope,
    "silu": _silu_slope,
    "mish": _mish_slope,
    "softplus": lambda xp, Z, A, alpha: _gate(xp, Z),
    "exponential": lambda xp, Z, A, alpha: A,
    "relu6": lambda xp, Z, A, alpha: _between(xp, Z, 0.0, 6.0),
    "hard_sigmoid": lambda xp, Z, A, alpha: _between(xp, Z, -3.0, 3.0) / 6.0,
    "hard_silu": _hard_silu_slope,
    "softsign": lambda xp, Z, A, alpha: (1.0 - xp.abs(A)) ** 2,
}
