"""Reading: a model's description and its weights, as the steps of a dense network."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import FastdenseError, FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.keras.calls import Arguments
from fastdense.exchange.keras.classes import check_own, is_function
from fastdense.exchange.keras.flow import Flow
from fastdense.exchange.keras.functions import FUNCTIONS, call_function
from fastdense.exchange.keras.inputs import check_build, check_input, input_shape
from fastdense.exchange.keras.layers import STEPS
from fastdense.exchange.keras.remarks import Remarks
from fastdense.exchange.keras.settings import check_settings
from fastdense.exchange.keras.sources import opened
from fastdense.exchange.keras.stores import Weights
from fastdense.exchange.keras.topology import Call, Model, model_of, name_of

__all__ = ["read"]

_MALFORMED = (FastdenseError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
# What changes no number.
_PASSING = (
    "ActivityRegularization", "Cast", "Dropout", "ExpandDims", "Flatten", "Identity", "Reshape", "Squeeze",
    "StopGradient",
)  # fmt: skip


def read(
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    activations: Sequence[str] | None = None,
) -> Content:
    """Read a network; see `fastdense.formats.keras.read_keras`."""
    with _named(path):
        source = opened(Path(path), activations)
        model = model_of(source.description)
    with _named(path if weights is None else weights), np.errstate(all="ignore"):
        store = source if weights is None else opened(Path(weights), is_weights=True)
        arrays = store.arrays(model, is_own=store is source)
    with _named(path), np.errstate(all="ignore"):  # weights that are not finite are the file's affair
        return _network(model, arrays, source.is_old, store.size, str(path))


@contextlib.contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the file's name before an error that is raised, which is a FormatError whatever was raised."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from error
    except (*_MALFORMED, RecursionError) as error:
        words = f"it is not written as Keras writes it ({type(error).__name__}: {error!s:.200})"
        raise FormatError(f"{os.fspath(path)}: {words}") from error


def _network(model: Model, weights: Weights, is_old: bool, size: int, path: str) -> Content:
    calls = list(model.leaves())
    layers = [call.layer for call in calls if isinstance(call.layer, dict)]
    flow = Flow(input_shape(model, layers), _dtype(layers, weights.values()), 8 * size + 2**20, is_old)
    remarks = Remarks(flow.shape)
    for call in calls:
        _append(flow, call, weights, remarks)
    content = flow.content(model.name or "sequential")
    remarks.publish(path, flow)
    return content


def _append(flow: Flow, call: Call, weights: Weights, remarks: Remarks) -> None:
    """Append a layer; FormatError, with its name, for one that is not known or not as it should be."""
    layer = call.layer
    assert isinstance(layer, dict)
    kind, name = layer["class_name"], name_of(layer)
    place = f"layer {name!r} ({kind:.100})"
    try:
        check_own(layer)
        if flow.logarithms and kind not in _PASSING:
            raise FormatError("it takes logarithms of a softmax, which are read at the end of a model alone")
        # The old files do not tell functions from layers.
        if is_function(layer) or ("module" not in layer and kind in FUNCTIONS and kind not in STEPS):
            call_function(flow, layer, call.arguments or Arguments([], {}, []))
        elif kind == "InputLayer":
            check_settings(kind, layer["config"])
            check_input(layer, flow)
            remarks.add_input(layer)
        elif kind in STEPS:
            _append_layer(flow, call, layer, weights[id(layer)], remarks)
        else:
            why = " (Python code in a file is never run)" if kind == "Lambda" else ""
            raise FormatError(f"{place} is not one that a dense network has{why}")
    except _MALFORMED as error:
        text = str(error)
        if not isinstance(error, FastdenseError | ValueError):
            text = f"{type(error).__name__}: {error}"
        raise FormatError(text if text.startswith(place) else f"{place}: {text:.500}") from error


def _append_layer(
    flow: Flow, call: Call, layer: dict[str, Any], arrays: list[Array], remarks: Remarks
) -> None:
    kind, config = layer["class_name"], layer["config"]
    for option, value in (call.arguments.others() if call.arguments else {}).items():
        raise FormatError(f"it is called with {option!s:.100}={value!r:.100}")
    check_settings(kind, config)
    check_build(layer, flow)
    STEPS[kind](flow, config | {"name": remarks.add(layer)}, arrays)


def _dtype(layers: list[dict[str, Any]], arrays: Iterable[list[Array]]) -> str:
    """Return "float64" where a layer says so, or its weights are."""
    policies = [layer["config"].get("dtype") for layer in layers]
    policies = [value.get("config") if isinstance(value, dict) else {"name": value} for value in policies]
    says_so = any(isinstance(policy, dict) and policy.get("name") == "float64" for policy in policies)
    has_wide = any(a.ndim > 1 and a.dtype == np.float64 for own in arrays for a in own)
    return "float64" if says_so or has_wide else "float32"
