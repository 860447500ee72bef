"""Files of PyTorch's weights, without PyTorch: written, and read into a model of the same layers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.files import write_tensors
from fastdense.errors import FormatError
from fastdense.formats.torch.groups import listed, read_groups, shapes
from fastdense.formats.torch.order import is_norm, ordered
from fastdense.formats.torch.parts import SMALLEST_DEVIATION, parts, state
from fastdense.layers import Dense, Normalization
from fastdense.models.sequential import Sequential

__all__ = ["read_torch_weights", "write_torch_weights"]

Array = NDArray[Any]

_ABOUT_NORMS = (
    "; network_from_torch_weights makes a network of such a file, and folds its batch normalisations"
)


def write_torch_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model's weights as a safetensors file for PyTorch, which is not needed for it.

    The names and layout are those of ``to_torch(model).state_dict()``: ``0.weight`` of shape (n_units, n_in).

    Parameters
    ----------
    model : Sequential
    path : path-like
        Ends in ".safetensors"; replaced only once the new file is safely on the disk.

    Raises
    ------
    FormatError
        The path has another ending.
    NotBuiltError
        The model's weights do not exist yet.
    OSError
        The file cannot be written.
    """
    if Path(path).suffix.lower() != ".safetensors":
        raise FormatError(f"weights are written to a file that ends in .safetensors, got {os.fspath(path)!r}")
    write_tensors(path, state(model), {"format": "pt"})


def read_torch_weights(
    model: Sequential,
    path: str | os.PathLike[str],
    order: Sequence[str] | None = None,
    prefix: str | None = None,
) -> None:
    """Fill a model with the weights of a PyTorch model of the same layers.

    Parameters
    ----------
    model : Sequential
        Built. Its Dense layers take the file's ``NAME.weight`` and ``NAME.bias``, its Normalization
        layers ``NAME.mean`` and ``NAME.deviation``, one after another.
    path : path-like
        A ".safetensors" file; or a ".pt", ".pth", ".ckpt" or ".bin" file that ``torch.save``,
        ``torch.jit.save`` or Lightning wrote: a ``state_dict``, a checkpoint with one, or a module. Nothing
        in it is run.
    order : sequence of str, optional
        The modules' names, or what the names of several begin with, first layer first. It is needed only if
        more than one order fits the model and no numbers in the names decide: ``fc2`` before ``fc10``.
    prefix : str, optional
        What the names of the wanted tensors begin with, up to a point, if the file holds several networks:
        "actor".

    Raises
    ------
    FormatError
        The file is damaged or of another kind; more than one order of its modules fits, and no ``order`` is
        given; or it does not fit the model: every tensor must have its layer and every layer its tensors, in
        shape and dtype (float16 and bfloat16 fit any). The message lists what differs, and nothing is
        changed.
    NotBuiltError
        The model's weights do not exist yet.
    OSError
        It cannot be opened.
    """
    groups, as_defined = read_groups(path, prefix)
    wanted = [part.arrays for part in parts(model) if part.arrays]
    layers = [layer for layer in model.layers if isinstance(layer, Dense | Normalization)]
    if len(groups) != len(wanted):
        raise FormatError(
            f"{path} has weights of {len(groups)} modules ({listed(groups)}), but the model has "
            f"{len(wanted)} layers with weights ({listed(layer.name for layer in layers)})"
            f"{_ABOUT_NORMS if any(map(is_norm, groups.values())) else ''}"
        )
    expected_shapes = [shapes(arrays) for arrays in wanted]
    found_shapes = {name: shapes(group) for name, group in groups.items()}
    names = ordered(
        path, groups, lambda done, name: found_shapes[name] == expected_shapes[len(done)], order, as_defined
    )
    differences, weights = [], []
    for name, expected, layer in zip(names, wanted, layers, strict=True):
        found = groups[name]
        difference = _difference(found, expected, fixed=not layer.weights)
        if difference:
            differences.append(f"{name or 'the module'} and layer {layer.name!r}: {difference}")
        elif isinstance(layer, Dense):
            weights += [found["weight"].T, *([found["bias"]] if layer.use_bias else [])]
        elif layer.weights:
            weights += [found["mean"], found["deviation"].astype(np.float64) ** 2, np.zeros((), np.int32)]
    if differences:
        raise FormatError(f"{path} does not fit the model: {'; '.join(differences)}")
    model.set_weights(weights)


def _difference(found: Mapping[str, Array], expected: Mapping[str, Array], fixed: bool) -> str | None:
    """Say how a module's tensors differ from those that a layer takes, or return None."""
    taken = shapes(expected)
    if shapes(found) != taken:
        return f"it has {shapes(found)}, the layer takes {taken}"
    if "deviation" not in found:
        return None
    statistics = np.stack([found["mean"], found["deviation"]])
    if fixed:
        same = np.array_equal(statistics, np.stack([expected["mean"], expected["deviation"]]))
        return None if same else "the layer was given other statistics, which cannot be changed"
    with np.errstate(invalid="ignore"):
        good = np.isfinite(statistics).all() and (statistics[1] >= SMALLEST_DEVIATION).all()
    return None if good else f"statistics are finite, and deviations at least {SMALLEST_DEVIATION}"
