"""Files of PyTorch weights, without PyTorch: written, and read into a model of the same layers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.files import write_tensors
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.torch.groups import listed, read_groups, shapes
from fastdense.exchange.torch.order import is_norm, ordered
from fastdense.exchange.torch.parts import SMALLEST_DEVIATION, parts, state
from fastdense.layers import Dense

__all__ = ["read", "write"]

_ABOUT_NORMS = (
    "; network_from_torch_weights makes a network of such a file, and folds its batch normalisations"
)


def write(content: Content, path: str | os.PathLike[str]) -> None:
    """Write a network's weights; see `fastdense.formats.torch.write_torch_weights`."""
    if Path(path).suffix.lower() != ".safetensors":
        raise FormatError(f"weights are written to a file that ends in .safetensors, got {os.fspath(path)!r}")
    write_tensors(path, state(content), {"format": "pt"})


def read(
    content: Content,
    path: str | os.PathLike[str],
    order: Sequence[str] | None = None,
    prefix: str | None = None,
) -> list[Array]:
    """Return a file's weights for a network; see `fastdense.formats.torch.read_torch_weights`."""
    groups, as_defined = read_groups(path, prefix)
    wanted = [part.arrays for part in parts(content) if part.arrays]
    layers = [layer for layer in content.layers if layer.parameters(tuple(layer.weights))]
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
    differences: list[str] = []
    weights: list[Array] = []
    for name, expected, layer in zip(names, wanted, layers, strict=True):
        found = groups[name]
        difference = _difference(found, expected, fixed=not layer.weights)
        if difference:
            differences.append(f"{name or 'the module'} and layer {layer.name!r}: {difference}")
        elif isinstance(layer, Dense):
            weights += [found["weight"].T, *([found["bias"]] if layer.use_bias else [])]
        elif "deviation" not in expected:
            weights += [found[key] for key in expected][-len(layer.weights) :]
        elif layer.weights:
            weights += [found["mean"], found["deviation"].astype(np.float64) ** 2, np.zeros((), np.int32)]
    if differences:
        raise FormatError(f"{path} does not fit the model: {'; '.join(differences)}")
    return weights


def _difference(found: Mapping[str, Array], expected: Mapping[str, Array], fixed: bool) -> str | None:
    """Return how a module's tensors differ from those that a layer takes; None if they do not."""
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
