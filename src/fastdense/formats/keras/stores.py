"""Where Keras' files keep the layers' weights: numbered groups, or until Keras 2 the layers' names."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.files import ROOM, require_memory
from fastdense.formats.keras.hdf5 import Hdf5

__all__ = ["Groups", "grouped_arrays", "layers_root", "named_arrays", "written"]

Array = NDArray[Any]


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


def layers_root(file: Hdf5) -> str | None:
    """Return the group of the layers' groups, as Keras 3 or 2 calls it; None if there is none."""
    return next((name for name in ("layers", "_layer_checkpoint_dependencies") if file.has(name)), None)


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
