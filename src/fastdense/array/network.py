"""A whole network, forward and backward: backpropagation over matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastdense.array.layers import (
    Curve,
    Mask,
    layer_backward,
    layer_forward,
    penalty,
    penalty_gradient,
    to_dZ,
)
from fastdense.array.losses import losses_gradient
from fastdense.core.spec import LossSpec, NetworkSpec, loss_of_logits, loss_reads_logits, trained_arrays

__all__ = ["Trace", "backward", "forward", "head", "input_gradient", "total_penalty"]

Parameters = Sequence[Sequence[Any]]


class Trace(NamedTuple):
    """What one layer saw and made of a batch, kept for the way back."""

    A_in: Any
    Z: Any
    A_out: Any
    mask: Mask | None


def forward(
    xp: Any,
    network: NetworkSpec,
    parameters: Parameters,
    X: Any,
    masks: Sequence[Mask | None] | None = None,
    curve: Curve | None = None,
) -> list[Trace]:
    """Return a trace of the inputs, then every layer's; the last one's ``A_out`` is the network's output.

    ``masks`` holds one dropout mask per layer (None for other layers); without it no unit is dropped.
    ``curve`` is as in `fastdense.array.layers.dense`.
    """
    traces = [Trace(X, X, X, None)]
    for i, layer in enumerate(network.layers):
        mask = masks[i] if masks is not None else None
        Z, A_out = layer_forward(xp, layer, parameters[i], X, mask, curve)
        traces.append(Trace(X, Z, A_out, mask))
        X = A_out
    return traces


def head(network: NetworkSpec, loss: LossSpec, last: Trace) -> tuple[LossSpec, Any]:
    """Return the loss to compute and the array to read it from: the last layer's ``Z`` or ``A_out``.

    Where `fastdense.core.spec.loss_reads_logits` says ``Z``, the loss returned is the one from logits.
    """
    if loss_reads_logits(network, loss):
        return loss_of_logits(loss), last.Z
    return loss, last.A_out


def backward(
    xp: Any,
    network: NetworkSpec,
    parameters: Parameters,
    loss: LossSpec,
    y: Any,
    row_weight: Any,
    penalty_scale: Any,
    traces: Sequence[Trace],
) -> list[Any]:
    """Return the gradient of ``sum(row_weight * losses) + penalty_scale * penalties``, an array a parameter.

    ``row_weight`` is a column of shape (m, 1), or a number for all rows.
    """
    head_loss, read = head(network, loss, traces[-1])
    dA = losses_gradient(xp, head_loss, y, read) * row_weight
    first = next((i for i, layer in enumerate(network.layers) if layer.is_trained), len(network.layers))
    is_dZ = loss_reads_logits(network, loss)
    gradients = _backward(xp, network, parameters, traces, dA, is_dZ=is_dZ, first=first)[1]
    charged = zip(network.trained, trained_arrays(network, parameters), gradients, strict=True)
    return [penalty_gradient(xp, p.penalty, penalty_scale, w, g) for p, w, g in charged]


def input_gradient(
    xp: Any, network: NetworkSpec, parameters: Parameters, traces: Sequence[Trace], dA_out: Any
) -> Any:
    """Return the gradient of ``sum(dA_out * A_out)`` by the network's input, an array of its shape."""
    return _backward(xp, network, parameters, traces, dA_out)[0]


def _backward(
    xp: Any,
    network: NetworkSpec,
    parameters: Parameters,
    traces: Sequence[Trace],
    dA: Any,
    *,
    is_dZ: bool = False,
    first: int | None = None,
) -> tuple[Any, list[Any]]:
    """Return the gradients of the input and of the trained parameters, back to the layer ``first``.

    ``dA`` is the gradient of the last layer's ``A_out``, or of its ``Z``. Without ``first``, all layers are
    passed; with it, the gradient of the input is None, since nothing before that layer needs it.
    """
    gradients: list[Any] = []
    for i in reversed(range(first or 0, len(network.layers))):
        layer, trace = network.layers[i], traces[i + 1]
        dZ = dA if is_dZ else to_dZ(xp, layer, trace.Z, trace.A_out, dA)
        is_dZ = False
        dA, of_layer = layer_backward(xp, layer, parameters[i], trace.A_in, dZ, trace.mask, i != first)
        gradients[:0] = of_layer
    return dA, gradients


def total_penalty(xp: Any, network: NetworkSpec, parameters: Parameters) -> Any:
    """Return the sum of all penalties, in double; 0.0 without any."""
    charged = zip(network.trained, trained_arrays(network, parameters), strict=True)
    return sum(penalty(xp, p.penalty, w) for p, w in charged)
