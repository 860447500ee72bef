"""The model's own file: weights as safetensors, all else as a strict JSON description in its metadata.

Everything in the description is checked against what fastdense's own classes accept, and every tensor's
name, shape and dtype against the description, before a layer is built. Unknown names are refused and
nothing is executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fastdense import losses, metrics, optimizers
from fastdense.core import files
from fastdense.core.checks import one_of, text, whole
from fastdense.core.config import Configurable
from fastdense.core.spec import NetworkSpec
from fastdense.core.streams import check_seed
from fastdense.engines import slots
from fastdense.errors import FormatError
from fastdense.exchange.content import Content, Training
from fastdense.layers.base import FAMILY, Layer
from fastdense.metrics.choose import is_accuracy
from fastdense.tables import Table

__all__ = ["ENSEMBLE", "TABULAR", "check_version", "fields_of", "member", "pack", "read", "refusals"]
__all__ += ["unpack", "write"]

_HEAD = {"format": "fastdense", "version": 1}
ENSEMBLE = "fastdense ensemble"
"""The format of a file of several models; see `fastdense.exchange.ensembles`."""
TABULAR = "fastdense tabular"
"""The format of a file of what was learned of a table; see `fastdense.exchange.tabular`."""
# What a constructor raises for a value it does not accept, and showing deeply nested ones may.
_REFUSED = (ValueError, TypeError, RecursionError)


def write(content: Content, path: str | os.PathLike[str]) -> None:
    """Write a model; see `Sequential.save`."""
    if Path(path).suffix.lower() != ".safetensors":
        raise FormatError(
            f"a model is saved to a file that ends in .safetensors or .keras, got {os.fspath(path)!r}; "
            "model.export writes others"
        )
    files.write(path, *pack(content))


def pack(content: Content) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the description and the arrays that a model's file holds.

    Raises
    ------
    FormatError
        The model has something that no file may hold.
    """
    arrays = {
        f"layers/{i}/{name}": array
        for i, layer in enumerate(content.layers)
        for name, array in zip(layer.weight_shapes(layer.n_in or 0), layer.weights, strict=True)
    }
    description = _describe(content)
    arrays |= content.training.slots if content.training else {}
    try:  # attributes may have been set to what no file may hold
        unpack(json.loads(_text_of(description)), dict(arrays))
    except _REFUSED as error:
        raise FormatError(f"the model cannot be saved, as its file would not load again: {error}") from error
    return description, arrays


def read(path: str | os.PathLike[str]) -> Content:
    """Read a model that `write` wrote.

    Raises
    ------
    FormatError
        The file is damaged, of another version, or holds anything that is not known here.
    OSError
        It cannot be opened.
    """
    description, arrays = files.read(path)
    with refusals(path):
        return unpack(description, arrays)


@contextmanager
def refusals(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise what restoring a description refuses as a FormatError that names the file."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    except _REFUSED as error:
        raise FormatError(f"{path}: its description is not valid: {error}") from error


def _describe(content: Content) -> dict[str, Any]:
    layers = [FAMILY.describe(layer) for layer in content.layers]
    if _holds_function(layers):
        raise FormatError(
            "a Python function (a dropout rate) cannot be kept in a file that runs no code: use one of "
            "fastdense.optimizers.schedules"
        )
    return {
        **_HEAD,
        "model": {
            "name": content.name,
            "seed": content.seed,
            "dtype": content.dtype,
            "n_in": content.n_in,
            "layers": layers,
        },
        "training": None if content.training is None else _describe_training(content.training),
        "table": None if content.table is None else content.table.to_dict(),
    }


def _describe_training(training: Training) -> dict[str, Any]:
    compiled = {
        "loss": losses.FAMILY.describe(training.loss),
        "optimizer": optimizers.FAMILY.describe(training.optimizer),
        "iterations": training.iterations,
        "metrics": [_describe_metric(m) for m in training.metrics],
        "weighted_metrics": [_describe_metric(m) for m in training.weighted_metrics],
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


def unpack(description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Content:
    """Return the model that a description and its arrays hold.

    Raises
    ------
    FormatError, ValueError, TypeError, RecursionError
        They hold anything that is not known here; see `refusals`.
    """
    if description.get("format") == ENSEMBLE:
        raise FormatError("the file holds an ensemble: fastdense.search.load reads it")
    if description.get("format") == TABULAR:
        raise FormatError("the file holds what was learned of a table: fastdense.load reads it")
    if description.get("format") != _HEAD["format"]:
        raise FormatError("the file is not a fastdense model")
    check_version(description, _HEAD["version"])
    _, _, model_part, training, table = fields_of(
        description, "model file", ("format", "version", "model", "training", "table")
    )
    name, seed, dtype, n_in, stack = fields_of(
        model_part, "model", ("name", "seed", "dtype", "n_in", "layers")
    )
    n_in = whole("n_in", n_in, 1)
    if not isinstance(stack, list) or not stack:
        raise FormatError("a model has a list of at least one layer")
    rebuilt = [FAMILY.restore(layer) for layer in stack]
    state = {key: arrays.pop(key) for key in list(arrays) if key.startswith("slots/")}
    _fill(rebuilt, n_in, text("dtype", dtype), arrays)
    one_of("dtype", dtype, ("float32", "float64"))
    _check_names(rebuilt)
    table = None if table is None else Table.from_dict(table)
    content = Content(text("a model's name", name), rebuilt, n_in, dtype, check_seed(seed), table)
    if training is not None:
        content = replace(content, training=_restore_training(training, content.network, state))
    elif state:
        raise FormatError("there is an optimizer's state but no optimizer")
    if _text_of(_describe(content)) != _text_of(description):
        raise FormatError("its description is not as `save` writes it")
    return content


def member(start: str, description: Any, arrays: dict[str, NDArray[Any]]) -> Content:
    """Return one of several models of a file, whose arrays' names begin so; these are taken out of all."""
    if not isinstance(description, dict):
        raise FormatError(f"{start.rstrip('/')} has no description")
    own = {name.removeprefix(start): arrays.pop(name) for name in list(arrays) if name.startswith(start)}
    return unpack(description, own)


def check_version(description: dict[str, Any], known: object) -> None:
    """Raise FormatError unless a file is of the version that is known."""
    if description.get("version") != known:
        raise FormatError(
            f"the file is of version {description.get('version')!r:.100}, and this fastdense reads version "
            f"{known}"
        )


def _check_names(layers: Sequence[Layer]) -> None:
    """Raise FormatError unless every layer has a name that no other has."""
    names = [layer.name for layer in layers]
    if None in names:
        raise FormatError("its description is not as `save` writes it: a layer has no name")
    for name in names:
        if names.count(name) > 1:
            raise FormatError(f"two layers are named {name!r}: names must differ within a model")


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
        n_in = layer.units_for(n_in)
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


def _restore_training(training: Any, network: NetworkSpec, arrays: dict[str, NDArray[Any]]) -> Training:
    keys = ("loss", "optimizer", "iterations", "metrics", "weighted_metrics")
    loss, optimizer, iterations, plain, weighted = fields_of(training, "training", keys)
    if not isinstance(plain, list) or not isinstance(weighted, list):
        raise FormatError("metrics are lists")
    chosen = optimizers.FAMILY.restore(optimizer)
    chosen.iterations = iterations
    slots.check(arrays, network, chosen.spec(), chosen.iterations)
    measured = [_metric(m) for m in plain], [_metric(m) for m in weighted]
    metrics.check([*measured[0], *measured[1]])
    return Training(losses.FAMILY.restore(loss), chosen, *measured, chosen.iterations, arrays)


def _metric(value: Any) -> str | Configurable:
    return str(value) if is_accuracy(value) else metrics.FAMILY.restore(value)


def fields_of(value: Any, what: str, keys: tuple[str, ...]) -> list[Any]:
    """Return the values of a JSON object that has these keys and no others."""
    if not isinstance(value, dict) or set(value) != set(keys):
        found = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise FormatError(f"a {what} has the fields {', '.join(keys)}, found {found!s:.200}")
    return [value[key] for key in keys]
