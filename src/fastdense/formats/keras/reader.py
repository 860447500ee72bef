"""Reading: a model's description and its weights, as the steps of a dense network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FastdenseError, FormatError
from fastdense.formats.keras.archive import CONFIG, METADATA, WEIGHTS, members
from fastdense.formats.keras.calls import Arguments
from fastdense.formats.keras.classes import check_own, is_function
from fastdense.formats.keras.flow import Flow
from fastdense.formats.keras.functions import FUNCTIONS, call_function
from fastdense.formats.keras.hdf5 import SIGNATURE, Hdf5
from fastdense.formats.keras.inputs import check_build, check_input, input_shape
from fastdense.formats.keras.layers import STEPS
from fastdense.formats.keras.remarks import Remarks
from fastdense.formats.keras.settings import OF_KERAS_1, check_settings
from fastdense.formats.keras.stores import Weights, grouped, named
from fastdense.formats.keras.topology import Call, Model, model_of, name_of
from fastdense.network.sequential import Sequential

__all__ = ["read_keras"]

Array = NDArray[Any]

_ZIP = b"PK\x03\x04"
_MALFORMED = (FastdenseError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
# What changes no number.
_PASSING = ("ActivityRegularization", "Cast", "Dropout", "Flatten", "Identity", "Reshape", "StopGradient")


def read_keras(path: str | os.PathLike[str]) -> Sequential:
    """Read a dense network from a ``.keras`` or an older ``.h5`` file of Keras'.

    Known are ``Sequential`` and functional models of one chain, and models inside them: Dense, the
    activations as layers or by name, Dropout, BatchNormalization (folded into the weights beside it),
    Normalization, Rescaling, Flatten, Reshape, and functions of ``keras.ops`` that scale, limit or activate.
    Neither Keras nor what the file names is imported.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Sequential
        Not compiled; its layers are named as in the file, with a number if a name comes again. float64 where
        its weights are; weights of half precision become float32.

    Raises
    ------
    FormatError
        The file is damaged, or holds what is not a dense network; the message names the layer.
    ImportError
        The package pyfive is not installed.
    OSError
        The file cannot be opened.

    Warns
    -----
    FormatWarning
        Settings for training, such as constraints, are left out; or an example of the inputs or outputs has
        several axes, which are one row here.
    """
    data = Path(path).read_bytes()
    try:
        with np.errstate(all="ignore"):  # weights that are not finite are the file's affair
            if data.startswith(_ZIP):
                return _from_archive(data, str(path))
            if data.startswith(SIGNATURE):
                return _from_hdf5(data, str(path))
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    except (*_MALFORMED, RecursionError) as error:
        words = f"its description is not as Keras writes it ({type(error).__name__}: {error!s:.200})"
        raise FormatError(f"{path}: {words}") from error
    raise FormatError(f"{path}: it is neither a zip nor an HDF5 file, so no model of Keras'")


def _from_archive(data: bytes, path: str) -> Sequential:
    found = members(data)
    metadata, entry = (_parse(found[name], name) for name in (METADATA, CONFIG))
    model = model_of(entry)
    weights = grouped(Hdf5(found[WEIGHTS]), model)
    return _network(model, weights, metadata.get("keras_version"), len(data), path)


def _from_hdf5(data: bytes, path: str) -> Sequential:
    file = Hdf5(data)
    description = file.texts("", "model_config")
    if not description:
        raise FormatError(
            "it holds weights alone, without the layers that they belong to: make those by "
            "fastdense.Sequential, and then call its load_weights with this file"
        )
    versions = file.texts("", "keras_version")
    version = versions[0] if versions else ""
    if version.startswith("1."):
        raise FormatError(f"Keras {version:.20} wrote it, {OF_KERAS_1}")
    model = model_of(_parse("".join(description).encode(), "model_config"))
    return _network(model, named(file, model), version, len(data), path)


def _network(model: Model, weights: Weights, version: Any, size: int, path: str) -> Sequential:
    is_old = not isinstance(version, str) or version.split(".")[0] in ("1", "2")
    calls = list(model.leaves())
    layers = [call.layer for call in calls if isinstance(call.layer, dict)]
    flow = Flow(input_shape(model, layers), _dtype(layers, weights.values()), 8 * size + 2**20, is_old)
    remarks = Remarks(flow.shape)
    for call in calls:
        _append(flow, call, weights, remarks)
    network = flow.model(model.name or "sequential")
    remarks.publish(path, flow)
    return network


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
        elif kind in STEPS:
            _append_layer(flow, call, layer, weights[id(layer)], remarks)
        else:
            raise FormatError(f"{place} is not one that a dense network has")
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


def _parse(data: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"its {what} is not JSON: {error!s:.200}") from error
    if not isinstance(found, dict):
        raise FormatError(f"its {what} is not a JSON object")
    return found
