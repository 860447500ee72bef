"""Where Keras' files keep the layers' weights: numbered groups, or until Keras 2 the layers' names."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.files import ROOM, require_memory
from fastdense.errors import FormatError
from fastdense.exchange.keras.hdf5 import Hdf5
from fastdense.exchange.keras.layers import slots
from fastdense.exchange.keras.topology import Layer, Model, name_of

__all__ = [
    "Groups",
    "Weights",
    "grouped",
    "grouped_arrays",
    "layers_root",
    "named",
    "named_groups",
    "named_root",
    "written",
]

Weights = dict[int, list[Array]]
"""The arrays of each layer in order, by ``id`` of its description."""


class Groups:
    """The groups of the layers' weights: the classes' names, numbered from the second of a class on.

    Examples
    --------
    >>> groups = Groups()
    >>> [groups.next(name) for name in ("Dense", "BatchNormalization", "LeakyReLU", "Dense")]
    ['dense', 'batch_normalization', 'leaky_re_lu', 'dense_1']
    """

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def next(self, class_name: str) -> str:
        """Return the group of the next layer of a class."""
        stem = _snake_case(class_name)
        self._taken[stem] += 1
        count = self._taken[stem] - 1
        return f"{stem}_{count}" if count else stem


def layers_root(file: Hdf5, parent: str = "") -> str | None:
    """Return the group of the layers' groups, as Keras 3 or 2 calls it; None if there is none.

    ``parent`` is the path of the model that they are of, with a slash at its end.
    """
    names = (f"{parent}layers", f"{parent}_layer_checkpoint_dependencies")
    return next((name for name in names if file.has(name)), None)


def grouped_arrays(file: Hdf5, group: str) -> list[Array]:
    """Return the arrays of a layer's group in order, none if the layer has no group."""
    if not file.has(f"{group}/vars"):
        return []
    group += "/vars"
    numbered = sorted(file.children(group), key=lambda child: (len(child), child))
    return [_wide(file.array(f"{group}/{child}")) for child in numbered]


def named_arrays(file: Hdf5, group: str) -> dict[str, Array]:
    """Return the arrays of a layer's group in a file of Keras 2, by their names and in its order."""
    names = (file.texts(group, "weight_names") or []) if file.has(group) else []
    return {name: _wide(file.array(f"{group}/{name}")) for name in names}


def grouped(file: Hdf5, model: Model, parent: str = "") -> Weights:
    """Return the arrays of each layer from their numbered groups, by the identity of its description."""
    root = layers_root(file, parent)
    found: Weights = {}
    groups = Groups()
    for layer in model.layers:
        group = f"{root}/{groups.next(layer.class_name if isinstance(layer, Model) else layer['class_name'])}"
        if isinstance(layer, Model):
            found |= grouped(file, layer, f"{group}/")
        else:
            found[id(layer)] = grouped_arrays(file, group) if root else []
    return found


def named_root(file: Hdf5) -> str | None:
    """Return the group of the layers' named groups, empty for the file itself; None if there is none."""
    if file.has("model_weights"):
        return "model_weights"
    return "" if file.texts("", "layer_names") is not None else None


def named_groups(file: Hdf5, root: str) -> dict[str, dict[str, Array]]:
    """Return the arrays of the layers' named groups that have any, in the file's order."""
    names = file.texts(root, "layer_names") or []
    groups = {name: named_arrays(file, f"{root}/{name}".lstrip("/")) for name in names}
    return {name: arrays for name, arrays in groups.items() if arrays}


def named(file: Hdf5, model: Model, root: str, is_own: bool) -> Weights:
    """Return the arrays of each layer from the layers' named groups, in the same way.

    Keras gives them in order to the layers that have any, whatever their names. Those of a file's own model
    (``is_own``) must have the names, too.
    """
    groups = named_groups(file, root)
    names = [name_of(layer) for layer in model.layers]
    if is_own or groups.keys() <= set(names):
        owners = [name for name in names if name in groups]
    else:
        owners = [name_of(layer) for layer in model.layers if _has_weights(layer)]
    if len(owners) != len(groups) or (is_own and owners != list(groups)):
        raise FormatError(
            f"it has weights of the layers {', '.join(groups)!r:.200}, in this order; the description has "
            f"{', '.join(owners)!r:.200}"
        )
    of_owners = dict(zip(owners, groups.values(), strict=True))
    found: Weights = {}
    for layer in model.layers:
        arrays = of_owners.get(name_of(layer), {})
        if isinstance(layer, Model):
            found |= _divided(layer, arrays)
        else:
            found[id(layer)] = list(arrays.values())
    return found


def _has_weights(layer: Layer | Model) -> bool:
    leaves = [one for one, _ in _listed(layer)] if isinstance(layer, Model) else [layer]
    return any(any(slots(leaf)) for leaf in leaves)


def _divided(model: Model, arrays: dict[str, Array]) -> Weights:
    """Return the arrays of a nested model by layers.

    Keras lists all that are trained before all that are not, each in the order of the layers; what is frozen
    is not trained.
    """
    owners: list[tuple[Layer, str]] = []
    fixed: list[tuple[Layer, str]] = []
    for layer, frozen in _listed(model, model.config.get("trainable") is False):
        trained, others = slots(layer)
        (fixed if frozen else owners).extend((layer, name) for name in trained)
        fixed.extend((layer, name) for name in others)
    owners += fixed
    if len(owners) != len(arrays):
        raise FormatError(
            f"model {model.name!r:.200} has {len(arrays)} arrays of weights where {len(owners)} belong to it"
        )
    found: Weights = {id(layer): [] for layer, _ in _listed(model)}
    for (layer, slot), (name, array) in zip(owners, arrays.items(), strict=True):
        if not re.fullmatch(rf"(.*/)?{slot}(_\d+)?(:0)?", name):
            raise FormatError(f"{name!r:.200} stands where {slot!r} of layer {name_of(layer)!r} belongs")
        found[id(layer)].append(array)
    return found


def _listed(model: Model, frozen: bool = False) -> Iterator[tuple[Layer, bool]]:
    """Yield the layers, those of models inside in their places, and whether each is frozen."""
    for layer in model.layers:
        config = layer.config if isinstance(layer, Model) else layer["config"]
        is_frozen = frozen or config.get("trainable") is False
        if isinstance(layer, Model):
            yield from _listed(layer, is_frozen)
        else:
            yield layer, is_frozen


def written(layers: Iterable[tuple[str, str, list[Array]]]) -> bytes:
    """Return the HDF5 file of layers' weights, given the class, name and arrays of each layer."""
    try:
        import h5py
    except ModuleNotFoundError:
        raise ImportError("writing Keras' files needs h5py: pip install 'fastdense[h5]'") from None

    layers = list(layers)
    require_memory(ROOM + 4 * sum(array.nbytes for _, _, arrays in layers for array in arrays))
    buffer = io.BytesIO()
    groups = Groups()
    with h5py.File(buffer, "w") as file:
        file.create_group("vars")
        for class_name, name, arrays in layers:
            group = file.create_group(f"layers/{groups.next(class_name)}/vars")
            group.attrs["name"] = name
            for i, array in enumerate(arrays):
                group[str(i)] = array
    return buffer.getvalue()


def _wide(array: Array) -> Array:
    """Return weights of half precision as float32, others as they are."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _snake_case(name: str) -> str:
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
