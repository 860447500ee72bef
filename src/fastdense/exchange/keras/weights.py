"""Files of weights alone, as Keras' ``save_weights`` writes them, for a network that is there already."""

from __future__ import annotations

import os
from pathlib import Path

from fastdense.core import files
from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.keras.archive import WEIGHTS, members
from fastdense.exchange.keras.hdf5 import SIGNATURE, Hdf5
from fastdense.exchange.keras.sources import ZIP
from fastdense.exchange.keras.stores import (
    Groups,
    grouped_arrays,
    layers_root,
    named_groups,
    named_root,
    written,
)
from fastdense.layers.base import Layer

__all__ = ["read", "write"]


def read(content: Content, path: str | os.PathLike[str]) -> list[Array]:
    """Return a file's weights for a network; see `fastdense.formats.keras.read_weights`."""
    data = Path(path).read_bytes()
    try:
        if data.startswith(ZIP):
            data = members(data)[WEIGHTS]
        if not data.startswith(SIGNATURE):
            raise FormatError("it is neither an HDF5 nor a .keras file, so it has no weights of Keras'")
        return _read(content, Hdf5(data))
    except FormatError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from error


def write(content: Content, path: str | os.PathLike[str]) -> None:
    """Write a network's weights; see `fastdense.formats.keras.write_weights`."""
    if not os.fspath(path).lower().endswith(".weights.h5"):
        raise FormatError(
            f"a file of weights for Keras has a name that ends in .weights.h5, got {os.fspath(path)!r}"
        )
    data = written((type(layer).__name__, str(layer.name), layer.weights) for layer in content.layers)
    with files.atomic_file(path) as file:
        file.write(data)


def _read(content: Content, file: Hdf5) -> list[Array]:
    root = named_root(file)
    if root is not None:
        return _in_order(content, named_groups(file, root))
    layers = layers_root(file)
    if layers is None:
        raise FormatError("it has no groups of layers as Keras writes them, so it has no weights of Keras'")
    return _by_group(content, file, layers)


def _in_order(content: Content, groups: dict[str, dict[str, Array]]) -> list[Array]:
    """Return the arrays of the groups, which are the layers' that have any."""
    layers = [layer for layer in content.layers if layer.weights]
    if len(groups) != len(layers):
        raise FormatError(
            f"it has weights of {len(groups)} layers ({', '.join(groups) or 'none'}), but the model has "
            f"{len(layers)} layers with weights ({', '.join(str(layer.name) for layer in layers) or 'none'})"
        )
    return [
        array
        for layer, (group, arrays) in zip(layers, groups.items(), strict=True)
        for array in _fitting(layer, group, list(arrays.values()))
    ]


def _by_group(content: Content, file: Hdf5, root: str) -> list[Array]:
    """Return the arrays of the layers' numbered groups; FormatError if others have weights too."""
    groups = Groups()
    names = {f"{root}/{groups.next(type(layer).__name__)}": layer for layer in content.layers}
    for child in file.children(root):
        group = f"{root}/{child}"
        if file.has(f"{group}/layers"):
            raise FormatError(
                f"{group!r} is a model inside the model: load the whole model instead (fastdense.load)"
            )
        if group not in names and grouped_arrays(file, group):
            raise FormatError(f"it has weights of {group!r}, for which the model has no layer")
    return [
        array
        for group, layer in names.items()
        for array in _fitting(layer, group, grouped_arrays(file, group))
    ]


def _fitting(layer: Layer, group: str, arrays: list[Array]) -> list[Array]:
    """Return a layer's arrays; FormatError if they are not of its shapes."""
    expected = layer.weight_shapes(layer.n_in or 0) if layer.weights else {}
    if [array.shape for array in arrays] != list(expected.values()):
        shapes = ", ".join(f"{name} {shape}" for name, shape in expected.items()) or "no weights"
        raise FormatError(
            f"layer {layer.name!r} has {shapes}; the file's group {group!r} has arrays of the shapes "
            f"{[array.shape for array in arrays]}"
        )
    return arrays
