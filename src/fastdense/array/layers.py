"""The layers, forward and backward: a batch of rows through one layer, and its gradient back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, assert_never

from fastdense.array.activations import activate, activate_backward
from fastdense.array.categories import embed, embed_backward
from fastdense.array.periodic import periodic, periodic_backward
from fastdense.core.spec import (
    ActivateSpec,
    ActivationSpec,
    CategoryEmbeddingSpec,
    DenseSpec,
    DropoutSpec,
    FeatureScaleSpec,
    LayerNormSpec,
    LayerSpec,
    ParametricActivationSpec,
    Penalty,
    PeriodicEmbeddingSpec,
    PReLUSpec,
    ScaleSpec,
)

__all__ = ["Curve", "Mask", "dense", "layer_backward", "layer_forward", "penalty", "penalty_gradient"]

Curve = Callable[[ActivationSpec, Any], Any]


class Mask(NamedTuple):
    """Which units of each row a dropout layer keeps, and what those are multiplied by."""

    kept: Any
    gain: Any


def dense(
    xp: Any, A_in: Any, W: Any, B: Any | None, activation: ActivationSpec, curve: Curve | None = None
) -> tuple[Any, Any]:
    """Return ``Z = A_in @ W + B`` and ``A_out = g(Z)``.

    Parameters
    ----------
    xp : namespace
        The array library.
    A_in : array of shape (m, n_in)
        One example per row.
    W : array of shape (n_in, n_units)
        One unit per column.
    B : array of shape (n_units,) or (1, n_units), or None for no bias
    activation : ActivationSpec
    curve : function of the activation and Z, optional
        Computes ``g(Z)`` if the library has a version that it can differentiate.

    Returns
    -------
    Z, A_out : arrays of shape (m, n_units); the same array where g is linear

    Examples
    --------
    >>> import numpy as np
    >>> W = np.array([[1.0, -1.0], [2.0, 0.0]])
    >>> Z, A_out = dense(np, np.array([[3.0, 1.0]]), W, np.array([0.0, 0.5]), ActivationSpec("relu"))
    >>> Z, A_out  # 3 * 1 + 1 * 2 + 0, and 3 * -1 + 1 * 0 + 0.5
    (array([[ 5. , -2.5]]), array([[5., 0.]]))
    """
    Z = A_in @ W
    if B is not None:
        Z = Z + B
    return Z, activate(xp, activation, Z) if curve is None else curve(activation, Z)


def layer_forward(
    xp: Any,
    layer: LayerSpec,
    parameters: Sequence[Any],
    A_in: Any,
    mask: Mask | None,
    curve: Curve | None = None,
) -> tuple[Any, Any]:
    """Return ``Z`` and ``A_out`` of one layer; ``mask`` is a dropout layer's, None outside training."""
    match layer:
        case DenseSpec():
            W, *B = parameters
            return dense(xp, A_in, W, B[0] if B else None, layer.activation, curve)
        case ActivateSpec():
            g = layer.activation
            return A_in, activate(xp, g, A_in) if curve is None else curve(g, A_in)
        case ScaleSpec():
            mean, deviation = parameters
            A_out = (A_in - mean) / deviation
            return A_out, A_out
        case PReLUSpec():
            A_out = xp.where(A_in > 0, A_in, parameters[0] * A_in)
            return A_out, A_out
        case LayerNormSpec():
            A_out = _layer_norm(xp, layer, parameters, A_in)
            return A_out, A_out
        case CategoryEmbeddingSpec():
            A_out = embed(xp, layer, parameters[0], A_in)
            return A_out, A_out
        case FeatureScaleSpec():
            A_out = _times(xp, A_in, parameters[0])
            return A_out, A_out
        case ParametricActivationSpec():
            A_out = _blend(xp, layer.curve, parameters[0], A_in, curve)
            return A_out, A_out
        case PeriodicEmbeddingSpec():
            A_out = periodic(xp, layer, parameters, A_in)
            return A_out, A_out
        case DropoutSpec():
            A_out = A_in if mask is None else _drop(xp, A_in, mask)
            return A_out, A_out
        case _:
            assert_never(layer)


def layer_backward(
    xp: Any,
    layer: LayerSpec,
    parameters: Sequence[Any],
    A_in: Any,
    dZ: Any,
    mask: Mask | None,
    wants_input: bool = True,
) -> tuple[Any | None, tuple[Any, ...]]:
    """Return ``dA_in`` and the gradients of the layer's trained parameters, given ``dZ``.

    ``dW = A_in.T @ dZ``, ``dB`` sums dZ over its rows, ``dA_in = dZ @ W.T``. ``dA_in`` is None where
    ``wants_input`` is false: nothing before the first trained layer needs it.
    """
    match layer:
        case DenseSpec():
            W = parameters[0]
            dW = xp.matrix_transpose(A_in) @ dZ
            gradients = (dW, xp.sum(dZ, axis=0)) if layer.use_bias else (dW,)
            return (dZ @ xp.matrix_transpose(W) if wants_input else None), gradients
        case ScaleSpec():
            return dZ / parameters[1], ()
        case PReLUSpec():
            above = A_in > 0
            dalpha = xp.sum(xp.where(above, xp.zeros_like(dZ), dZ * A_in), axis=0)
            return xp.where(above, dZ, dZ * parameters[0]), (dalpha,)
        case LayerNormSpec():
            return _layer_norm_backward(xp, layer, parameters, A_in, dZ)
        case CategoryEmbeddingSpec():
            dA_in, dembeddings = embed_backward(xp, layer, A_in, dZ)
            return dA_in, (dembeddings,)
        case FeatureScaleSpec():
            return dZ * parameters[0], (xp.sum(dZ * A_in, axis=0),)
        case ParametricActivationSpec():
            return _blend_backward(xp, layer.curve, parameters[0], A_in, dZ)
        case PeriodicEmbeddingSpec():
            return periodic_backward(xp, layer, parameters, A_in, dZ, wants_input)
        case DropoutSpec():
            return (dZ if mask is None else _drop(xp, dZ, mask)), ()
        case ActivateSpec():
            return dZ, ()
        case _:
            assert_never(layer)


def _mean(xp: Any, A: Any) -> Any:
    return xp.sum(A, axis=-1, keepdims=True) / A.shape[-1]


def _normalized(xp: Any, layer: LayerNormSpec, A_in: Any) -> tuple[Any, Any]:
    """Return each row less its mean and divided by its deviation, and the deviations as a column."""
    D = A_in - _mean(xp, A_in)
    deviation = xp.sqrt(_mean(xp, D * D) + layer.epsilon)
    return D / deviation, deviation


def _layer_norm(xp: Any, layer: LayerNormSpec, parameters: Sequence[Any], A_in: Any) -> Any:
    (gamma, beta), (X, _) = layer.named(parameters), _normalized(xp, layer, A_in)
    X = X if gamma is None else X * gamma
    return X if beta is None else X + beta


def _layer_norm_backward(
    xp: Any, layer: LayerNormSpec, parameters: Sequence[Any], A_in: Any, dZ: Any
) -> tuple[Any, tuple[Any, ...]]:
    """Return ``(G - mean(G) - X * mean(G * X)) / deviation`` of each row, ``G = dZ * gamma``."""
    (gamma, _), (X, deviation) = layer.named(parameters), _normalized(xp, layer, A_in)
    G = dZ if gamma is None else dZ * gamma
    dA_in = (G - _mean(xp, G) - X * _mean(xp, G * X)) / deviation
    return dA_in, (xp.sum(dZ * X, axis=0),) * layer.scale + (xp.sum(dZ, axis=0),) * layer.center


def _times(xp: Any, A: Any, factors: Any) -> Any:
    """Return ``A * factors`` by columns, 0 where the factor is, even of an infinite number."""
    return xp.where((factors == 0) & ~xp.isnan(A), xp.zeros_like(A), A * factors)


def _blend(xp: Any, g: ActivationSpec, shares: Any, A_in: Any, curve: Curve | None) -> Any:
    """Return ``(1 - alpha) * A_in + alpha * g(A_in)`` by columns."""
    G = activate(xp, g, A_in) if curve is None else curve(g, A_in)
    return _times(xp, A_in, 1.0 - shares) + _times(xp, G, shares)


def _blend_backward(
    xp: Any, g: ActivationSpec, shares: Any, A_in: Any, dZ: Any
) -> tuple[Any, tuple[Any, ...]]:
    """Return ``dZ * (1 - alpha + alpha * g'(A_in))`` and the sums of ``dZ * (g(A_in) - A_in)``."""
    G = activate(xp, g, A_in)
    dA_in = dZ * (1.0 - shares) + activate_backward(xp, g, A_in, G, dZ * shares)
    return dA_in, (xp.sum(dZ * (G - A_in), axis=0),)


def to_dZ(xp: Any, layer: LayerSpec, Z: Any, A_out: Any, dA_out: Any) -> Any:
    """Return ``dZ`` from ``dA_out``: through the layer's activation."""
    return activate_backward(xp, layer.activation, Z, A_out, dA_out)


def penalty(xp: Any, weights: Penalty, w: Any) -> Any:
    """Return ``l1 * sum(|w|) + l2 * sum(w**2)``, summed in double; 0.0 without penalties."""
    total = 0.0
    if weights.l1:
        total = total + weights.l1 * xp.sum(xp.abs(w), dtype=xp.float64)
    if weights.l2:
        total = total + weights.l2 * xp.sum(w * w, dtype=xp.float64)
    return total


def penalty_gradient(xp: Any, weights: Penalty, scale: Any, w: Any, g: Any) -> Any:
    """Return ``g + scale * (l1 * sign(w) + 2 * l2 * w)``."""
    if weights.l1:
        g = g + (scale * weights.l1) * xp.sign(w)
    if weights.l2:
        g = g + (scale * 2.0 * weights.l2) * w
    return g


def _drop(xp: Any, A: Any, mask: Mask) -> Any:
    """Return A with the units that the mask leaves out at zero and the kept ones scaled up."""
    return xp.where(mask.kept, A * mask.gain, xp.zeros_like(A))
