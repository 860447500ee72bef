"""The model's own file: weights as safetensors, all else as a strict JSON description in its metadata.

Everything in the description is checked against what fastdense's own classes accept, and every tensor's
name, shape and dtype against the description, before a layer is built. Unknown names are refused and
nothing is executed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fastdense import losses, metrics, optimizers
from fastdense.core import files
from fastdense.core.checks import whole
from fastdense.core.config import Configurable
from fastdense.errors import FormatError
from fastdense.layers.base import FAMILY, Input, Layer
from fastdense.metrics.choose import is_accuracy
from fastdense.models.sequential import Sequential
from fastdense.tables import Table

__all__ = ["load", "save"]

_HEAD = {"format": "fastdense", "version": 1}
# What a constructor raises for a value it does not accept, and showing deeply nested ones may.
_REFUSED = (ValueError, TypeError, RecursionError)


def save(model: Sequential, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Write a model; see `Sequential.save`."""
    if Path(path).suffix.lower() != ".safetensors":
        raise FormatError(
            f"a model is saved to a file that ends in .safetensors or .keras, got {os.fspath(path)!r}; "
            "model.export writes others"
        )
    trains = include_optimizer and model.loss is not None
    description = _describe(model, trains)
    arrays = {
        f"layers/{i}/{name}": array
        for i, layer in enumerate(model.layers)
        for name, array in zip(layer.weight_shapes(layer.n_in or 0), layer.weights, strict=True)
    }
    arrays |= model.slot_arrays() if trains else {}
    try:  # attributes may have been set to what no file may hold
        _restore(json.loads(_text_of(description)), dict(arrays))
    except _REFUSED as error:
        raise FormatError(f"the model cannot be saved, as its file would not load again: {error}") from error
    files.write(path, description, arrays)


def load(path: str | os.PathLike[str]) -> Sequential:
    """Read a model that `Sequential.save` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Sequential
        With its table, and compiled, where it was saved so: training goes on from where it was.

    Raises
    ------
    FormatError
        The file is damaged, of another version, or holds anything that is not known here.
    OSError
        It cannot be opened.
    """
    description, arrays = files.read(path)
    try:
        return _restore(description, arrays)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    except _REFUSED as error:
        raise FormatError(f"{path}: its description is not valid: {error}") from error


def _describe(model: Sequential, trains: bool) -> dict[str, Any]:
    return {
        **_HEAD,
        "model": {
            "name": model.name,
            "seed": model.seed,
            "dtype": model.dtype,
            "n_in": model.network().n_in,
            "layers": [FAMILY.describe(layer) for layer in model.layers],
        },
        "training": _describe_training(model) if trains else None,
        "table": None if model.table is None else model.table.to_dict(),
    }


def _describe_training(model: Sequential) -> dict[str, Any]:
    assert model.loss is not None
    compiled = {
        "loss": losses.FAMILY.describe(model.loss),
        "optimizer": optimizers.FAMILY.describe(model.optimizer),
        "iterations": model.optimizer.iterations,
        "metrics": [_describe_metric(m) for m in model.compiled_metrics[0]],
        "weighted_metrics": [_describe_metric(m) for m in model.compiled_metrics[1]],
    }
    if _holds_function(compiled):
        raise FormatError(
            "a Python function (a learning rate, a metric) cannot be kept in a file that runs no code: use "
            "fastdense's own schedules and metrics, or save(path, include_optimizer=False)"
        )
    return compiled


def _describe_metric(identifier: object) -> Any:
    if is_accuracy(identifier):
        return identifier
    metric = metrics.get(identifier)
    return (
        metric.describe() if isinstance(metric, metrics.FunctionMetric) else metrics.FAMILY.describe(metric)
    )


def _holds_function(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_function(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_function(item) for item in value)
    return callable(value)


def _restore(description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Sequential:
    if description.get("format") != _HEAD["format"]:
        raise FormatError("the file is not a fastdense model")
    if description.get("version") != _HEAD["version"]:
        raise FormatError(
            f"the file is of version {description.get('version')!r:.100}, and this fastdense reads version "
            f"{_HEAD['version']}"
        )
    _, _, model_part, training, table = _fields(
        description, "model file", ("format", "version", "model", "training", "table")
    )
    name, seed, dtype, n_in, stack = _fields(model_part, "model", ("name", "seed", "dtype", "n_in", "layers"))
    n_in = whole("n_in", n_in, 1)
    if not isinstance(stack, list) or not stack:
        raise FormatError("a model has a list of at least one layer")
    rebuilt = [FAMILY.restore(layer) for layer in stack]
    slots = {key: arrays.pop(key) for key in list(arrays) if key.startswith("slots/")}
    _fill(rebuilt, n_in, _text("dtype", dtype), arrays)
    model = Sequential([Input((n_in,)), *rebuilt], _text("name", name), seed=seed, dtype=dtype)
    if training is not None:
        _restore_training(model, training, slots)
    elif slots:
        raise FormatError("there is an optimizer's state but no optimizer")
    model.table = None if table is None else Table.from_dict(table)
    if _text_of(_describe(model, training is not None)) != _text_of(description):
        raise FormatError("its description is not as `save` writes it")
    return model


def _text_of(description: dict[str, Any]) -> str:
    """Return a description as a file holds it: unlike Python, JSON tells 1, 1.0 and true apart."""
    return json.dumps(description, sort_keys=True)


def _fill(rebuilt: list[Layer], n_in: int, dtype: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Give every layer its arrays, once all names, shapes and dtypes have been found right."""
    widths: list[int] = []
    expected: dict[str, tuple[str, tuple[int, ...]]] = {}
    for i, layer in enumerate(rebuilt):
        widths.append(n_in)
        for name, shape in layer.weight_shapes(n_in).items():
            expected[f"layers/{i}/{name}"] = (layer.weight_dtypes.get(name, dtype), shape)
        n_in = layer.n_units or n_in
    if set(expected) != set(arrays):
        odd = sorted(set(expected) ^ set(arrays))
        raise FormatError(
            f"the tensors are not those of the layers: {', '.join(odd)[:200]} missing or unknown"
        )
    for name, wanted in expected.items():
        found = (arrays[name].dtype.name, arrays[name].shape)
        if found != wanted:
            raise FormatError("tensor {} is {} {}, its layer needs {} {}".format(name, *found, *wanted))
    for i, (layer, width) in enumerate(zip(rebuilt, widths, strict=True)):
        layer.restore(width, [arrays[f"layers/{i}/{name}"] for name in layer.weight_shapes(width)])


def _restore_training(model: Sequential, training: Any, slots: dict[str, NDArray[Any]]) -> None:
    keys = ("loss", "optimizer", "iterations", "metrics", "weighted_metrics")
    loss, optimizer, iterations, plain, weighted = _fields(training, "training", keys)
    if not isinstance(plain, list) or not isinstance(weighted, list):
        raise FormatError("metrics are lists")
    model.compile(
        optimizers.FAMILY.restore(optimizer),
        losses.FAMILY.restore(loss),
        [_metric(m) for m in plain],
        [_metric(m) for m in weighted],
    )
    model.optimizer.iterations = iterations
    model.set_slot_arrays(slots)


def _metric(value: Any) -> str | Configurable:
    return str(value) if is_accuracy(value) else metrics.FAMILY.restore(value)


def _fields(value: Any, what: str, keys: tuple[str, ...]) -> list[Any]:
    """Return the values of a JSON object that has these keys and no others."""
    if not isinstance(value, dict) or set(value) != set(keys):
        found = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise FormatError(f"a {what} has the fields {', '.join(keys)}, found {found!s:.200}")
    return [value[key] for key in keys]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise FormatError(f"{name} must be text")
    return value
