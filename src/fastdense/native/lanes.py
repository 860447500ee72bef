"""Which programs can share the lanes of vectors."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from fastdense.core.spec import (
    ActivateSpec,
    DenseSpec,
    DropoutSpec,
    LayerSpec,
    NetworkSpec,
    TrainingSpec,
)

__all__ = ["kind_of"]


def kind_of(network: NetworkSpec, training: TrainingSpec) -> Hashable:
    """Return what programs that can share lanes have in common, None for one that can share with none.

    Dense, activation and dropout layers have a form in lanes. Weights, penalties, factors, dropout rates,
    seeds and the numbers of the optimizer may differ from lane to lane.
    """
    layers = [_kind_of_layer(layer) for layer in network.layers]
    if None in layers or not layers:
        return None
    optimizer = training.optimizer
    flags = tuple(bool(getattr(optimizer, name, False)) for name in ("nesterov", "centered", "amsgrad"))
    clips = optimizer.clipnorm is not None or optimizer.global_clipnorm is not None
    chosen = (optimizer.name, tuple(optimizer.slots), flags, clips)
    return (network.n_in, network.dtype, tuple(layers), training.loss, chosen)


def _kind_of_layer(layer: LayerSpec) -> LayerSpec | None:
    match layer:
        case DenseSpec():
            return DenseSpec(layer.n_in, layer.n_units, layer.activation, layer.use_bias)
        case DropoutSpec():
            return replace(layer, rate=0.0)
        case ActivateSpec():
            return layer
    return None
