"""Files of PyTorch's weights: safetensors without PyTorch, and its own ``.pt`` through it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FormatError
from fastdense.files import open_tensors, write_tensors
from fastdense.formats.chain import Chain
from fastdense.formats.torch.parts import SMALLEST_DEVIATION, parts, state
from fastdense.formats.torch.pickles import read_state
from fastdense.network.layers import Dense, Normalization
from fastdense.network.sequential import Sequential

__all__ = ["network_from_torch_weights", "read_torch_weights", "write_torch_weights"]

Array = NDArray[Any]
Groups = dict[str, dict[str, Array]]

_DTYPES = {"F16": "float16", "BF16": "float16", "F32": "float32", "F64": "float64", "I64": "int64"}


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
    model: Sequential, path: str | os.PathLike[str], order: Sequence[str] | None = None
) -> None:
    """Fill a model with the weights of a PyTorch model of the same layers.

    Parameters
    ----------
    model : Sequential
        Built. Its Dense layers take the file's ``PREFIX.weight`` and ``PREFIX.bias``, its Normalization
        layers ``PREFIX.mean`` and ``PREFIX.deviation``, one after another.
    path : path-like
        A ".safetensors" file, whose prefixes are taken in natural order (fc2 before fc10); or a ".pt" or
        ".pth" file of a ``state_dict``, in its own order, which is read by PyTorch without running code.
    order : sequence of str, optional
        The prefixes, first layer first, where their names do not tell: of "hidden" and "input", say.

    Raises
    ------
    FormatError
        The file is damaged or of another kind; two modules might as well be in each other's place, and no
        ``order`` is given; or it does not fit the model: every tensor must have its layer and every layer its
        tensors, in shape and dtype (float16 and bfloat16 fit any). The message lists what differs, and
        nothing is changed.
    NotBuiltError
        The model's weights do not exist yet.
    ImportError
        The file is one of PyTorch's own, and there is no PyTorch.
    OSError
        It cannot be opened.
    """
    groups = _groups(path, order)
    wanted = [part.arrays for part in parts(model) if part.arrays]
    layers = [layer for layer in model.layers if isinstance(layer, Dense | Normalization)]
    if len(groups) != len(wanted):
        raise FormatError(
            f"{path} has weights of {len(groups)} modules ({_listed(groups)}), but the model has "
            f"{len(wanted)} layers with weights ({_listed(layer.name for layer in layers)})"
        )
    differences, weights = [], []
    for (prefix, found), expected, layer in zip(groups.items(), wanted, layers, strict=True):
        difference = _difference(found, expected, fixed=not layer.weights)
        if difference:
            differences.append(f"{prefix or 'the module'} and layer {layer.name!r}: {difference}")
        elif isinstance(layer, Dense):
            weights += [found["weight"].T, *([found["bias"]] if layer.use_bias else [])]
        elif layer.weights:
            weights += [found["mean"], found["deviation"].astype(np.float64) ** 2, np.zeros((), np.int32)]
    if differences:
        raise FormatError(f"{path} does not fit the model: {'; '.join(differences)}")
    model.set_weights(weights)


def network_from_torch_weights(
    path: str | os.PathLike[str],
    activation: object = "relu",
    last: object = "linear",
    order: Sequence[str] | None = None,
) -> Sequential:
    """Return the network that a file's weights make as a chain of Linear modules.

    Parameters
    ----------
    path, order
        As for `read_torch_weights`.
    activation : str or ActivationFunction
        Between the layers; a file of weights does not say.
    last : str or ActivationFunction
        After the last layer.

    Raises
    ------
    FormatError
        The file is damaged, or holds something else than the weights of Linear modules in a chain.
    ImportError, OSError
        As for `read_torch_weights`.
    """
    groups = _groups(path, order)
    dtypes = sorted({array.dtype.name for group in groups.values() for array in group.values()})
    if dtypes not in (["float32"], ["float64"]):
        raise FormatError(
            f"{path} holds tensors of {_listed(dtypes)}; a network has one dtype, float32 or float64"
        )
    chain = Chain(dtype=dtypes[0])
    for i, (prefix, group) in enumerate(groups.items()):
        if not {"weight"} <= set(group) <= {"weight", "bias"} or group["weight"].ndim != 2:
            raise FormatError(f"{path}: {prefix or 'the module'} is no Linear: it has {_shapes(group)}")
        try:
            chain.dense(np.ascontiguousarray(group["weight"].T), group.get("bias"))
            chain.activate(last if i == len(groups) - 1 else activation)  # type: ignore[arg-type]
        except FormatError as error:
            raise FormatError(f"{path}: {prefix or 'the module'}: {error}") from None
    return chain.model()


def _difference(found: Mapping[str, Array], expected: Mapping[str, Array], fixed: bool) -> str | None:
    """Say how a module's tensors differ from those that a layer takes, or return None."""
    taken = _shapes(expected)
    if _shapes(found) != taken:
        return f"it has {_shapes(found)}, the layer takes {taken}"
    if "deviation" not in found:
        return None
    statistics = np.stack([found["mean"], found["deviation"]])
    if fixed:
        same = np.array_equal(statistics, np.stack([expected["mean"], expected["deviation"]]))
        return None if same else "the layer was given other statistics, which cannot be changed"
    with np.errstate(invalid="ignore"):
        good = np.isfinite(statistics).all() and (statistics[1] >= SMALLEST_DEVIATION).all()
    return None if good else f"statistics are finite, and deviations at least {SMALLEST_DEVIATION}"


def _shapes(arrays: Mapping[str, Array]) -> str:
    """Return the tensors' names, shapes and dtypes, in the order of the names."""
    shown = [f"{name} {array.shape} of {array.dtype}" for name, array in sorted(arrays.items())]
    return _listed(shown)


def _listed(items: Any) -> str:
    return ", ".join(map(str, items))[:500] or "none"


def _groups(path: str | os.PathLike[str], order: Sequence[str] | None) -> Groups:
    """Return a file's tensors by what stands before the last point of their names, in the layers' order."""
    groups: Groups = {}
    for name, array in _tensors(path).items():
        prefix, _, own = name.rpartition(".")
        groups.setdefault(prefix, {})[own] = array
    if order is not None:
        if sorted(order) != sorted(groups):
            raise FormatError(f"{path} has the modules {_listed(groups)}; the order names {_listed(order)}")
        return {prefix: groups[prefix] for prefix in order}
    if Path(path).suffix.lower() == ".safetensors":
        _refuse_doubt(path, groups)
    return groups


def _refuse_doubt(path: object, groups: Groups) -> None:
    """Refuse modules of the same shapes whose names, but for numbers, differ: either may come first."""
    firsts: dict[str, str] = {}
    for prefix, group in groups.items():
        first = firsts.setdefault(_shapes(group), prefix)
        if re.sub("[0-9.]+", ".", first).strip(".") != re.sub("[0-9.]+", ".", prefix).strip("."):
            raise FormatError(
                f"{path} does not tell whether {first!r} or {prefix!r} comes first: such files forget the "
                f"order of their tensors. Give the layers', as order={list(groups)!r:.300} or --order "
                f"{','.join(groups):.300}"
            )


def _tensors(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Return a file's tensors in order; float16 and bfloat16 as float32."""
    match Path(path).suffix.lower():
        case ".safetensors":
            with open_tensors(path, _DTYPES) as file:
                arrays = file.arrays()
            return {name: _widened(arrays[name]) for name in sorted(arrays, key=_natural)}
        case ".pt" | ".pth":
            return read_state(path)
    raise FormatError(f"PyTorch's weights are in .safetensors, .pt or .pth files, got {os.fspath(path)!r}")


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
