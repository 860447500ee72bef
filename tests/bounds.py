"""How far an engine may be from the reference, and why."""

from __future__ import annotations

import numpy as np

from fastdense.core.curves import CURVES
from fastdense.core.spec import (
    ActivateSpec,
    CategoryEmbeddingSpec,
    DenseSpec,
    DropoutSpec,
    FeatureScaleSpec,
    LayerNormSpec,
    ParametricActivationSpec,
    PeriodicEmbeddingSpec,
    PReLUSpec,
    ScaleSpec,
)
from fastdense.engines import available
from fastdense.reference import activate, forward
from tests.compare import dense_bound

__all__ = ["GROWTH", "activation_ulps", "is_of_library", "library_ulps", "output_bound"]

# In one step a number passes through some twenty roundings here: sums over 3 or 4 inputs forward, over 2 or
# 3 units and up to 4 rows backward, the activation's, the loss's and the optimizer's. Half a unit each,
# were they to pile up, makes 10 eps; learning carries a part of them on to the next step. The worst that the
# array engine was seen to need is 7.3 (the loss of one row, where the error nearly cancels), the median 0.8.
# test_engines.py shows that constants a thousandth off, and mostly far less, miss this bound in float32.
GROWTH = 32


def output_bound(case, X, short_tails=False):
    """Return how far the outputs for X may be off: each layer passes errors on and adds its own.

    With ``short_tails`` activations may be off by absolute errors too, as other libraries' are. Gelus by
    ``eps * |z|``: those form ``z * (1 + erf(u)) / 2`` and lose the digits of the negative tail in the sum, or
    compute ``erfc(-u)`` of an argument that is rounded, which comes to at most as much. Elu and selu by
    ``2 * eps``, their limit at most: those form ``exp(z) - 1``. Sigmoid and tanh by ``eps``, for which ONNX
    Runtime has rational functions, and what is made of a sigmoid by ``eps * |z|``.
    """
    parameters = [tuple(np.float64(a) for a in own) for own in case.parameters()]
    bounds = []
    for x in np.float64(X):
        error = np.zeros(case.network.n_in)
        traces = forward(case.network, parameters, x.tolist(), [None] * len(parameters))
        for layer, own, trace in zip(case.network.layers, parameters, traces[1:], strict=True):
            error = _layer_bound(layer, own, trace, error, case.eps)
            if short_tails:
                error = error + _short_tail(layer, np.abs(trace.z)) * case.eps
        bounds.append(error)
    return np.array(bounds).reshape(len(X), case.network.n_out)


def _short_tail(layer, size):
    blends = isinstance(layer, ParametricActivationSpec)
    activation = layer.curve if blends else layer.activation
    limits = {
        "elu": 2 * activation.alpha,
        "celu": 2 * activation.alpha,
        "selu": 2 * 1.7582,
        "sigmoid": 1.0,
        "tanh": 1.0,
    }
    return size if activation.name in ("gelu", "gelu_tanh", "silu") else limits.get(activation.name, 0.0)


def _layer_bound(layer, own, trace, error, eps):
    a_in, z, a_out = np.array(trace.a_in), np.array(trace.z), np.array(trace.a_out)
    match layer:
        case DenseSpec():
            b = own[1] if layer.use_bias else 0.0
            error = error @ np.abs(own[0]) + dense_bound(a_in[None], own[0], b, eps)[0]
            return _activation_bound(layer.activation, z, a_out, error, eps)
        case ActivateSpec():
            return _activation_bound(layer.activation, z, a_out, error, eps)
        case ScaleSpec():
            return (error + 4 * eps * (np.abs(a_in) + np.abs(own[0]))) / own[1]
        case LayerNormSpec():
            return _norm_bound(layer, own, a_in, a_out, error, eps)
        case CategoryEmbeddingSpec():
            return np.append(error[: layer.passed], np.zeros(layer.n_units - layer.passed))
        case PeriodicEmbeddingSpec():
            return _periodic_bound(layer, own, a_in, error, eps)
        case PReLUSpec():
            return error * np.maximum(1.0, np.abs(own[0])) + eps * np.abs(a_out)
        case FeatureScaleSpec():
            return error * np.abs(own[0]) + eps * np.abs(a_out)
        case ParametricActivationSpec():
            return _blend_bound(layer.curve, own[0], a_in, error, eps)
        case DropoutSpec():
            return error


def _blend_bound(activation, shares, a, error, eps):
    """Each part is off by its own error times its factor, by that of the factor, and by two roundings."""
    g = np.array(activate(activation, a.tolist()))
    of_g = _activation_bound(activation, a, g, error, eps)
    rest = np.abs(1 - shares)
    return (
        rest * (error + 3 * eps * np.abs(a)) + np.abs(shares) * (of_g + 3 * eps * np.abs(g)) + eps * np.abs(a)
    )


def _periodic_bound(layer, own, a_in, error, eps):
    """Angles are off by their number's error and some roundings of their parts; then come those of a sum."""
    frequency, phase, kernel, bias, _ = (np.abs(array) for array in own)
    c = layer.columns
    x, off = np.nan_to_num(np.abs(a_in[:c]))[:, None], np.nan_to_num(error[:c])[:, None]
    angles = 2 * np.pi * frequency * (off + 8 * eps * x) + 8 * eps * (phase + 1)
    waves = np.minimum(angles, 2.0) + 4 * eps
    roundings = (layer.frequencies + 4) * eps
    sums = np.einsum("ck,ckj->cj", waves, kernel) + roundings * (kernel.sum(axis=1) + bias)
    return np.append(np.hstack([sums, off]).ravel(), error[c:])


def _norm_bound(layer, own, a, a_out, error, eps):
    """Each number, the mean and the deviation are off; eight roundings of each number less the mean."""
    gamma, _ = layer.named(own)
    error = error + 8 * eps * (np.abs(a) + np.abs(a).mean())
    deviation = np.sqrt(a.var() + layer.epsilon)
    x = np.abs(a - a.mean()) / deviation
    spread = (error + error.mean() + x * (x * error).mean() + 8 * eps * x) / deviation
    return spread * (1.0 if gamma is None else np.abs(gamma)) * max(1.0, deviation) + 2 * eps * np.abs(a_out)


def _activation_bound(activation, z, a, error, eps):
    name = activation.name
    if name == "softmax":  # a_i moves by at most a_i (1 - a_i) times twice the largest error in z
        return np.max(error) / 2 + (4 + len(a) + np.ptp(z)) * eps * a
    if name == "exponential":  # an error e in z multiplies it by exp(e)
        return (np.expm1(error) + 4 * eps) * a
    return max(CURVES[name].steepest, activation.alpha) * error + 4 * eps * np.abs(a)


def activation_ulps(name, z, expected, dtype):
    """Return how many units in the last place an activation may be off.

    4, and in two places more. In the negative tail of the two gelus a relative error of eps in the argument,
    two roundings of it, grows by the condition number ``z * g'(z) / g(z)``; a unit is at least eps / 2, and
    in float64 the reference has the same error. Where a gate's value is below the smallest normal number, its
    half unit is multiplied by z, for which a whole one is allowed.
    """
    tail = np.clip(-z, 0.0, 40.0)
    condition = {"gelu": tail**2, "gelu_tanh": 1.6 * (tail + 0.135 * tail**3)}.get(name, np.zeros_like(z))
    subnormal = np.abs(expected) < np.abs(z) * np.finfo(dtype).tiny
    return 4 + 4 * condition + np.where(subnormal, np.minimum(np.abs(z), 800.0), 0.0)


def is_of_library(engine):
    """Say whether an engine's elementary functions are another array library's."""
    return engine not in available()


def library_ulps(bound, z, expected, dtype):
    """Return how many units another library's activation may be off, where ours may be ``bound``.

    Twice as many: the tanh of JAX and TensorFlow is off by up to 7 near 1. And numbers below the smallest
    normal one are zero to these, also where they are to be multiplied by z.
    """
    tiny = np.clip(np.abs(z), 1.0, 800.0) * np.finfo(dtype).tiny
    spacing = np.spacing(np.abs(expected).astype(dtype)).astype(np.float64)
    with np.errstate(all="ignore"):
        return np.where(np.abs(expected) < tiny, tiny / spacing, 2 * bound)
