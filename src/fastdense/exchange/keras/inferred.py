"""The description of dense layers in a row, made of a file of weights alone and the activations' names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.keras.hdf5 import Hdf5
from fastdense.exchange.keras.stores import Groups, grouped_arrays, layers_root, named_groups, named_root

__all__ = ["description_of"]

_OTHERWISE = (
    "give the architecture, by read_keras('model.json', weights=...), or by fastdense.Sequential and its "
    "load_weights"
)


def description_of(file: Hdf5, activations: Sequence[str]) -> dict[str, Any]:
    """Return the description of a ``Sequential`` of dense layers, as Keras writes it.

    Parameters
    ----------
    file : Hdf5
        Of the weights of dense layers alone, numbered or in order.
    activations : sequence of str
        The activation of each layer, by Keras' names.

    Raises
    ------
    FormatError
        The file has weights of other layers, or of another number of layers than there are activations.
    """
    layers = _listed(file)
    if len(layers) != len(activations):
        raise FormatError(
            f"it has weights of {len(layers)} layers ({', '.join(layers)}), but {len(activations)} "
            "activations are given: each layer needs one, linear or another"
        )
    entries = []
    for (name, arrays), activation in zip(layers.items(), activations, strict=True):
        shapes = [array.shape for array in arrays]
        if len(shapes) not in (1, 2) or len(shapes[0]) != 2 or shapes[1:] not in ([], [shapes[0][1:]]):
            raise FormatError(
                f"{name!r:.200} is not a dense layer, as its weights of the shapes {shapes} say; {_OTHERWISE}"
            )
        config = {"name": name, "units": shapes[0][1], "use_bias": len(shapes) == 2, "activation": activation}
        entries.append({"class_name": "Dense", "config": config})
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": entries}}


def _listed(file: Hdf5) -> dict[str, list[Array]]:
    """Return the arrays of the layers that have any, in order."""
    root = named_root(file)
    if root is not None:
        return {name: list(arrays.values()) for name, arrays in named_groups(file, root).items()}
    root, groups = layers_root(file), Groups()
    if root is None:
        raise FormatError("it has no groups of layers as Keras writes them, so it has no weights of Keras'")
    found: dict[str, list[Array]] = {}
    children = set(file.children(root))
    while (group := groups.next("Dense")) in children:
        found[group] = grouped_arrays(file, f"{root}/{group}")
    others = [
        child
        for child in children - found.keys()
        if grouped_arrays(file, f"{root}/{child}") or file.has(f"{root}/{child}/layers")
    ]
    if others:
        raise FormatError(
            f"it has weights of {min(others)!r:.200}, whose place among the layers it does not say; "
            f"{_OTHERWISE}"
        )
    return found
