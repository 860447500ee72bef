"""Which layers of an engine a model's layers are: an activation after a linear dense layer joins it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fastdense.core.spec import DenseSpec, LayerSpec
from fastdense.layers import Activation, Layer

__all__ = ["plan"]


def plan(layers: Iterable[Layer]) -> list[tuple[Layer, LayerSpec]]:
    """Return every spec with the layer that has its arrays."""
    planned: list[tuple[Layer, LayerSpec]] = []
    for i, layer in enumerate(layers):
        owner, last = planned[-1] if planned else (None, None)
        joins = isinstance(last, DenseSpec) and last.activation.name == "linear"
        if owner and joins and isinstance(last, DenseSpec) and isinstance(layer, Activation):
            planned[-1] = (owner, replace(last, activation=layer.activation.spec))
        else:
            planned.append((layer, layer.spec(i)))
    return planned
