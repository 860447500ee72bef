"""A file's tensors by the modules that they belong to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.files import open_tensors
from fastdense.errors import FormatError
from fastdense.exchange.torch.order import is_norm
from fastdense.exchange.torch.states import chosen_within, read_state

__all__ = ["Groups", "listed", "read_groups", "shapes"]

Groups = dict[str, dict[str, Array]]

_DTYPES = {"F16": "float16", "BF16": "float16", "F32": "float32", "F64": "float64", "I64": "int64"}

# What PyTorch's weight_norm has in place of a weight, in its newer form; in the older weight_g and weight_v.
_NORMED = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}


def read_groups(path: str | os.PathLike[str], prefix: str | None = None) -> tuple[Groups, bool]:
    """Return a file's tensors by module and by name: of ``fc1.weight`` ``fc1`` and ``weight``.

    A normalised weight is computed, ``g v / |v|`` with the norm of each row, and the number of batches that a
    batch normalisation has seen is left out.

    Parameters
    ----------
    path : path-like
    prefix : str, optional
        What the names of the wanted tensors begin with; it is cut off.

    Returns
    -------
    groups : dict of str to dict of str to array
        float16 and bfloat16 come as float32.
    as_defined : bool
        True if they are in the order in which a module defines them, and not in that of their names.

    Raises
    ------
    FormatError
        The file is damaged or of another kind, or no name begins with the prefix.
    OSError
        It cannot be opened.
    """
    tensors, as_defined = _tensors(path, prefix)
    groups: Groups = {}
    for name, array in tensors.items():
        module, _, own = _plain(name).rpartition(".")
        groups.setdefault(module, {})[own] = array
    for group in groups.values():
        if is_norm(group):
            group.pop("num_batches_tracked", None)
        _fold_weight_norm(group)
    return groups, as_defined


def shapes(arrays: Mapping[str, Array]) -> str:
    """Return the tensors' names, shapes and dtypes, in the order of the names."""
    return listed(f"{name} {array.shape} of {array.dtype}" for name, array in sorted(arrays.items()))


def listed(items: Iterable[object]) -> str:
    """Return the beginning of a list as a text."""
    return ", ".join(map(str, items))[:500] or "none"


def _tensors(path: str | os.PathLike[str], prefix: str | None) -> tuple[dict[str, Array], bool]:
    """Return a file's tensors, and whether their order is that of their definition."""
    match Path(path).suffix.lower():
        case ".safetensors":
            with open_tensors(path, _DTYPES) as file:
                arrays = file.arrays()
            tensors = {name: _widened(arrays[name]) for name in sorted(arrays, key=_natural)}
            return chosen_within(path, tensors, prefix) if prefix is not None else tensors, False
        case ".pt" | ".pth" | ".ckpt" | ".bin":
            state = read_state(path, prefix)
            return state, _is_as_defined(list(state))
    raise FormatError(
        f"PyTorch's weights are in .safetensors, .pt, .pth, .ckpt or .bin files, got {os.fspath(path)!r}"
    )


def _is_as_defined(names: list[str]) -> bool:
    """Return False if the names are sorted: then biases come first, and modules define weights first."""
    return names != sorted(names) or not any(name.endswith("bias") for name in names)


def _widened(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _natural(name: str) -> list[list[Any]]:
    """Return what sorts names as people do: part by part, numbers within them by value, of any length."""
    return [
        [
            (len(p.lstrip("0")), p.lstrip("0")) if i % 2 else p
            for i, p in enumerate(re.split("([0-9]+)", part))
        ]
        for part in name.split(".")
    ]


def _plain(name: str) -> str:
    """Return a tensor's name as it is without parametrizations."""
    for ending, own in _NORMED.items():
        if name == ending or name.endswith(f".{ending}"):
            return name.removesuffix(ending) + own
    return name


def _fold_weight_norm(group: dict[str, Array]) -> None:
    g, v = group.get("weight_g"), group.get("weight_v")
    if g is None or v is None or v.ndim != 2 or g.shape not in ((len(v), 1), (len(v),)) or "weight" in group:
        return
    rows = v.astype(np.float64)
    with np.errstate(all="ignore"):  # what is not finite is refused with the weights
        rows *= g.reshape(-1, 1) / np.linalg.norm(rows, axis=1, keepdims=True)
    del group["weight_g"], group["weight_v"]
    group["weight"] = rows.astype(v.dtype)
