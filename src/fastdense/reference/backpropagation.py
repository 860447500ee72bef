"""One example through a network's layers, and the gradient of its loss back through them.

Forward, each layer turns a row ``a_in`` into ``z`` and then ``a_out = g(z)``. Backward, it is handed
``da_out``, how fast the loss changes with ``a_out``, and by the chain rule returns the same for its input
and for its parameters. A layer without an activation has ``a_out = z``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import (
    ActivateSpec,
    CategoryEmbeddingSpec,
    DenseSpec,
    DropoutSpec,
    FeatureScaleSpec,
    LayerNormSpec,
    LayerSpec,
    NetworkSpec,
    ParametricActivationSpec,
    Penalty,
    PeriodicEmbeddingSpec,
    PReLUSpec,
    ScaleSpec,
)
from fastdense.reference.activations import activate, activate_backward
from fastdense.reference.category_embedding import embed, embed_backward
from fastdense.reference.columns import blend, blend_backward, scale, scale_backward
from fastdense.reference.curves import leaky_relu, leaky_relu_derivative
from fastdense.reference.ieee import divide, sign, times
from fastdense.reference.layer_norm import layer_norm, layer_norm_backward
from fastdense.reference.periodic import periodic, periodic_backward

__all__ = ["Trace", "backward", "backward_layer", "forward", "forward_layer", "penalty", "penalty_gradient"]

Matrix = NDArray[np.float64]
Row = Sequence[float]
LayerParameters = tuple[Matrix, ...]
Kept = Sequence[bool] | None
"""Which inputs a dropout layer keeps; None outside training and for the other layers."""


@dataclass(frozen=True)
class Trace:
    """What one layer made of one example, remembered for the way back."""

    a_in: Row
    z: Row
    a_out: Row


def forward_layer(layer: LayerSpec, parameters: LayerParameters, a_in: Row, kept: Kept = None) -> Trace:
    """Return ``z`` and ``a_out`` of one layer for one example.

    ==========================  ==================================================================
    `DenseSpec`                 ``z_j = sum_k a_k * W_kj + b_j``, ``a_out = g(z)``
    `ActivateSpec`              ``a_out = g(a_in)``
    `ScaleSpec`                 ``(a_k - mean_k) / deviation_k``
    `PReLUSpec`                 ``a_k`` above zero, otherwise ``alpha_k * a_k``
    `LayerNormSpec`             ``(a_k - mean) / deviation * gamma_k + beta_k``, those of the row
    `PeriodicEmbeddingSpec`     sums over cosines of each of the first ``a_k``, and these
    `CategoryEmbeddingSpec`     the numbers that pass, then the row of ``embeddings`` of each category number
    `FeatureScaleSpec`          ``a_k * scale_k``
    `ParametricActivationSpec`  ``(1 - alpha_k) * a_k + alpha_k * g(a_k)``
    `DropoutSpec`               ``a_k / (1 - rate)`` where kept, otherwise 0
    ==========================  ==================================================================

    Parameters
    ----------
    layer : LayerSpec
    parameters : tuple of float64 arrays
        Those of ``layer.parameters``, in order: ``(W, b)`` of a `DenseSpec`, of shapes (n_in, n_units) and
        (n_units,), or ``(W,)`` without a bias; ``()`` of a layer that has none.
    a_in : sequence of n_in floats
    kept : sequence of n_in bools, optional
        Which inputs a dropout layer keeps; None outside training and for the other layers.

    Returns
    -------
    trace : Trace
        ``a_in`` too, with ``z`` and ``a_out``, sequences of n_units floats.

    Examples
    --------
    >>> W, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -9.0])
    >>> forward_layer(DenseSpec(2, 2), (W, b), [1.0, 1.0]).z  # 1 + 3 + 0.5, 2 + 4 - 9
    [4.5, -3.0]
    >>> forward_layer(DropoutSpec(2, rate=0.5, stream=0), (), [3.0, 7.0], kept=[True, False]).a_out
    [6.0, 0.0]
    """
    match layer:
        case DenseSpec():
            W, b = parameters[0], parameters[1] if layer.use_bias else np.zeros(layer.n_units)
            z = [float(np.dot(a_in, W[:, j]) + b[j]) for j in range(layer.n_units)]
            return Trace(a_in, z, activate(layer.activation, z))
        case ActivateSpec():
            return Trace(a_in, a_in, activate(layer.activation, a_in))
        case ScaleSpec():
            mean, deviation = (values.tolist() for values in parameters)
            z = [divide(a - mean[k], deviation[k]) for k, a in enumerate(a_in)]
            return Trace(a_in, z, z)
        case PReLUSpec():
            z = [leaky_relu(a, alpha) for a, alpha in zip(a_in, parameters[0].tolist(), strict=True)]
            return Trace(a_in, z, z)
        case LayerNormSpec():
            z = layer_norm(layer, parameters, a_in)
            return Trace(a_in, z, z)
        case PeriodicEmbeddingSpec():
            z = periodic(layer, parameters, a_in)
            return Trace(a_in, z, z)
        case CategoryEmbeddingSpec():
            z = embed(layer, parameters[0], a_in)
            return Trace(a_in, z, z)
        case FeatureScaleSpec():
            z = scale(parameters[0], a_in)
            return Trace(a_in, z, z)
        case ParametricActivationSpec():
            z = blend(layer.curve, parameters[0], a_in)
            return Trace(a_in, z, z)
        case DropoutSpec() if kept is not None:
            z = [a / (1 - layer.rate) if keep else 0.0 for a, keep in zip(a_in, kept, strict=True)]
            return Trace(a_in, z, z)
        case DropoutSpec():
            return Trace(a_in, a_in, a_in)
        case _:
            assert_never(layer)


def backward_layer(
    layer: LayerSpec, parameters: LayerParameters, a_in: Row, dz: Row, kept: Kept = None
) -> tuple[Row, LayerParameters]:
    """Return the loss's gradient with respect to a layer's input and to its trained parameters.

    ==========================  ==================================================================
    `DenseSpec`                 ``da_k = sum_j W_kj * dz_j``, ``dW_kj = a_k * dz_j``, ``db_j = dz_j``
    `ActivateSpec`              ``da = dz``: its ``z`` is its input
    `ScaleSpec`                 ``da_k = dz_k / deviation_k``
    `PReLUSpec`                 ``da_k = dz_k``, ``dalpha_k = 0`` above zero, otherwise
                                ``da_k = alpha_k * dz_k``, ``dalpha_k = a_k * dz_k``
    `LayerNormSpec`             ``da_k = (g_k - mean(g) - x_k * mean(g * x)) / deviation`` for the
                                normalised row ``x`` and ``g = dz * gamma``; ``dgamma_k = dz_k * x_k``,
                                ``dbeta_k = dz_k``
    `PeriodicEmbeddingSpec`     see ``fastdense.reference.periodic``
    `CategoryEmbeddingSpec`     ``da_k = dz_k`` of what passes, 0 of the category numbers; the gradient of the
                                row of ``embeddings`` that one stands for is the ``dz`` in its place
    `FeatureScaleSpec`          ``da_k = dz_k * scale_k``, ``dscale_k = dz_k * a_k``
    `ParametricActivationSpec`  ``da_k = dz_k * (1 - alpha_k + alpha_k * g'(a_k))``,
                                ``dalpha_k = dz_k * (g(a_k) - a_k)``
    `DropoutSpec`               ``da_k = dz_k / (1 - rate)`` where kept, otherwise 0
    ==========================  ==================================================================

    Parameters
    ----------
    layer : LayerSpec
    parameters : tuple of float64 arrays
        As of `forward_layer`.
    a_in : sequence of n_in floats
        The layer's input on the way forward.
    dz : sequence of n_units floats
        The gradient with respect to the layer's ``z``.
    kept : sequence of n_in bools, optional
        The same as on the way forward.

    Returns
    -------
    da : sequence of n_in floats
        The gradient with respect to ``a_in``.
    gradients : tuple of float64 arrays
        Those of the trained parameters, of their shapes, in order: ``(dW, db)`` of a `DenseSpec`, or
        ``(dW,)`` without a bias; ``()`` of a layer that trains none.

    Examples
    --------
    >>> W, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -9.0])
    >>> da, (dW, db) = backward_layer(DenseSpec(2, 2), (W, b), a_in=[5.0, 6.0], dz=[1.0, -1.0])
    >>> da  # 1 - 2, 3 - 4
    [-1.0, -1.0]
    >>> dW.tolist(), db.tolist()
    ([[5.0, -5.0], [6.0, -6.0]], [1.0, -1.0])
    """
    match layer:
        case DenseSpec():
            W = parameters[0]
            da = [float(np.dot(W[k, :], dz)) for k in range(layer.n_in)]
            dW = np.array([[a * dz_j for dz_j in dz] for a in a_in])
            return da, (dW, np.array(dz)) if layer.use_bias else (dW,)
        case ActivateSpec():
            return dz, ()
        case ScaleSpec():
            deviation = parameters[1].tolist()
            return [divide(dz_k, deviation[k]) for k, dz_k in enumerate(dz)], ()
        case PReLUSpec():
            alpha = parameters[0].tolist()
            da = [dz_k * leaky_relu_derivative(a_in[k], alpha[k]) for k, dz_k in enumerate(dz)]
            return da, (np.array([0.0 if a > 0 else a * dz_k for a, dz_k in zip(a_in, dz, strict=True)]),)
        case LayerNormSpec():
            return layer_norm_backward(layer, parameters, a_in, dz)
        case PeriodicEmbeddingSpec():
            return periodic_backward(layer, parameters, a_in, dz)
        case CategoryEmbeddingSpec():
            da, dembeddings = embed_backward(layer, a_in, dz)
            return da, (dembeddings,)
        case FeatureScaleSpec():
            da, dscale = scale_backward(parameters[0], a_in, dz)
            return da, (dscale,)
        case ParametricActivationSpec():
            da, dalpha = blend_backward(layer.curve, parameters[0], a_in, dz)
            return da, (dalpha,)
        case DropoutSpec() if kept is not None:
            return [dz_k / (1 - layer.rate) if keep else 0.0 for dz_k, keep in zip(dz, kept, strict=True)], ()
        case DropoutSpec():
            return dz, ()
        case _:
            assert_never(layer)


def forward(
    network: NetworkSpec, parameters: Sequence[LayerParameters], x: Row, kept: Sequence[Kept]
) -> list[Trace]:
    """Return the traces of every layer for one example.

    The first trace is the input's own, so that the last one's ``a_out`` is the network's output even for a
    network without layers.

    Parameters
    ----------
    network : NetworkSpec
    parameters : sequence of tuples of float64 arrays
        One tuple per layer, as of `forward_layer`.
    x : sequence of n_in floats
        The example.
    kept : sequence of sequences of bools or None
        One entry a layer, as of `forward_layer`.

    Returns
    -------
    traces : list of Trace
        One more than there are layers.

    Examples
    --------
    >>> double_and_shift = DenseSpec(1, 1), (np.array([[2.0]]), np.array([1.0]))
    >>> layers, parameters = zip(double_and_shift, double_and_shift)
    >>> forward(NetworkSpec(1, layers), parameters, [3.0], [None, None])[-1].a_out  # 2 * (2 * 3 + 1) + 1
    [15.0]
    """
    traces = [Trace(x, x, x)]
    for layer, values, mask in zip(network.layers, parameters, kept, strict=True):
        traces.append(forward_layer(layer, values, traces[-1].a_out, mask))
    return traces


def backward(
    network: NetworkSpec,
    parameters: Sequence[LayerParameters],
    traces: Sequence[Trace],
    gradient: Row,
    kept: Sequence[Kept],
    *,
    from_z: bool = False,
) -> list[Matrix]:
    """Return the loss's gradient with respect to every trained parameter, for one example.

    Parameters
    ----------
    network : NetworkSpec
    parameters : sequence of tuples of float64 arrays
        One tuple per layer, as of `forward_layer`.
    traces : sequence of Trace
        What `forward` returned.
    gradient : sequence of n_out floats
        The loss's with respect to the network's output, or with ``from_z`` to the last layer's ``z``.
    kept : sequence of sequences of bools or None
        The same as on the way forward.
    from_z : bool, default False
        See `fastdense.core.spec.loss_reads_logits`.

    Returns
    -------
    gradients : list of float64 arrays
        Those of the trained parameters, of their shapes, in the order of the layers: ``dW`` before ``db``.
        Penalties are not among them.

    Examples
    --------
    >>> double_and_shift = DenseSpec(1, 1), (np.array([[2.0]]), np.array([1.0]))
    >>> layers, parameters = zip(double_and_shift, double_and_shift)
    >>> network, kept = NetworkSpec(1, layers), [None, None]
    >>> traces = forward(network, parameters, [3.0], kept)
    >>> [g.item() for g in backward(network, parameters, traces, [1.0], kept)]  # 3 * 2, 2, 2 * 3 + 1, 1
    [6.0, 2.0, 7.0, 1.0]
    """
    found: list[Matrix] = []
    for index in reversed(range(len(network.layers))):
        layer, trace = network.layers[index], traces[index + 1]
        if not from_z:
            gradient = activate_backward(layer.activation, trace.z, trace.a_out, gradient)
        from_z = False
        gradient, own = backward_layer(layer, parameters[index], trace.a_in, gradient, kept[index])
        found = [*own, *found]
    return found


def penalty(weights: Penalty, W: Matrix) -> float:
    """Return ``l1 * sum(|w|) + l2 * sum(w**2)``.

    Examples
    --------
    >>> penalty(Penalty(l1=1.0, l2=10.0), np.array([3.0, -4.0]))  # 7 + 10 * 25
    257.0
    """
    values = W.ravel().tolist()
    return sum(times(abs(w), weights.l1) + times(w * w, weights.l2) for w in values)


def penalty_gradient(weights: Penalty, W: Matrix) -> Matrix:
    """Return ``l1 * sign(w) + 2 * l2 * w``, of the shape of ``W``.

    Examples
    --------
    >>> penalty_gradient(Penalty(l1=1.0, l2=10.0), np.array([3.0, -4.0, 0.0])).tolist()
    [61.0, -81.0, 0.0]
    """
    values = W.ravel().tolist()
    return np.array([weights.l1 * sign(w) + times(w, 2 * weights.l2) for w in values]).reshape(W.shape)
