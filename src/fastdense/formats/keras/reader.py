"""Reading: a model's description and its weights, as the steps of a dense network."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FastdenseError, FormatError
from fastdense.formats.chain import Chain
from fastdense.formats.keras.archive import CONFIG, METADATA, WEIGHTS, members
from fastdense.formats.keras.classes import check_own, is_operation
from fastdense.formats.keras.hdf5 import SIGNATURE, Hdf5
from fastdense.formats.keras.layers import OPERATIONS, STEPS, for_training
from fastdense.formats.keras.stores import Groups, grouped_arrays, layers_root, named_arrays
from fastdense.formats.keras.topology import in_order
from fastdense.network.sequential import Sequential
from fastdense.notes import note

__all__ = ["read_keras"]

Array = NDArray[Any]
Weights = Callable[[str, str], list[Array]]
"""``(class_name, name)``: a layer's arrays; asked for in the order in which the file lists the layers."""

_ZIP = b"PK\x03\x04"
_MALFORMED = (FastdenseError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


def read_keras(path: str | os.PathLike[str]) -> Sequential:
    """Read a dense network from a ``.keras`` or an older ``.h5`` file of Keras'.

    Known are ``Sequential`` and functional models of one chain: Dense, the activations as layers or
    by name, Dropout, BatchNormalization (folded into the weights beside it), Normalization, Rescaling,
    Flatten and Reshape that change nothing; noise for training is left out. Neither Keras nor what the file
    names is imported.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Sequential
        Not compiled; its layers are named as in the file. float64 where its weights are; weights of half
        precision become float32.

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
        Where settings for training, such as constraints, are left out; and where the model's input is not a
        matrix but is flattened first.
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
    raise FormatError(f"{path}: it is neither a zip nor an HDF5 file, so no model of Keras'")


def _from_archive(data: bytes, path: str) -> Sequential:
    found = members(data)
    metadata, model = (_parse(found[name], name) for name in (METADATA, CONFIG))
    file = Hdf5(found[WEIGHTS])
    root = layers_root(file)
    groups = Groups()

    def weights(class_name: str, name: str) -> list[Array]:
        return grouped_arrays(file, f"{root}/{groups.next(class_name)}")

    return _network(model, weights, metadata.get("keras_version"), len(data), path)


def _from_hdf5(data: bytes, path: str) -> Sequential:
    file = Hdf5(data)
    description = file.texts("", "model_config")
    if not description:
        raise FormatError(
            "it holds weights alone, without the layers that they belong to: make those by "
            "fastdense.Sequential, and then call its load_weights with this file"
        )
    model = _parse("".join(description).encode(), "model_config")
    version = file.texts("", "keras_version")

    def weights(class_name: str, name: str) -> list[Array]:
        return list(named_arrays(file, f"model_weights/{name}").values())

    return _network(model, weights, version[0] if version else None, len(data), path)


def _network(model: Any, weights: Weights, version: Any, size: int, path: str) -> Sequential:
    listed, chained = in_order(model)
    arrays = {id(layer): weights(layer["class_name"], _name(layer)) for layer in listed}
    n_in, notes = _input(chained)
    chain = Chain(n_in, _dtype(listed, arrays.values()), limit=8 * size + 2**20)
    is_old = not isinstance(version, str) or version.split(".")[0] in ("1", "2")
    for i, layer in enumerate(chained):
        if layer["class_name"] != "InputLayer":
            _append(chain, layer, arrays[id(layer)], is_old)
        elif i:
            raise FormatError(f"layer {_name(layer)!r} is a second input")
        notes += [f"{what} of {_name(layer)!r}" for what in for_training(layer)]
    name = model["config"].get("name") if isinstance(model["config"], dict) else None
    network = chain.model(name if isinstance(name, str) and name else "sequential")
    if notes:
        note(f"{path}: left out: {', '.join(notes)}")
    return network


def _append(chain: Chain, layer: dict[str, Any], arrays: list[Array], is_old: bool) -> None:
    """Append a layer; FormatError, with its name, for one that is not known or not as it should be."""
    kind = layer["class_name"]
    place = f"layer {_name(layer)!r} ({kind:.100})"
    try:
        check_own(layer)
        step = OPERATIONS.get(kind) if is_operation(layer) else STEPS.get(kind)
        if "module" not in layer and step is None:  # the old files do not tell functions from layers
            step = OPERATIONS.get(kind)
        if step is None:
            raise FormatError(f"{place} is not one that a dense network has")
        step(chain, layer["config"], arrays, is_old)
    except _MALFORMED as error:
        text = str(error)
        if not isinstance(error, FastdenseError | ValueError):
            text = f"{type(error).__name__}: {error}"
        raise FormatError(text if text.startswith(place) else f"{place}: {text:.500}") from error


def _dtype(layers: list[dict[str, Any]], arrays: Iterable[list[Array]]) -> str:
    """Return "float64" where a layer says so, or its weights are."""
    policies = [layer["config"].get("dtype") for layer in layers]
    named = [value.get("config") if isinstance(value, dict) else {"name": value} for value in policies]
    says_so = any(isinstance(policy, dict) and policy.get("name") == "float64" for policy in named)
    has_wide = any(a.ndim > 1 and a.dtype == np.float64 for own in arrays for a in own)
    return "float64" if says_so or has_wide else "float32"


def _input(chained: list[dict[str, Any]]) -> tuple[int | None, list[str]]:
    """Return the columns of the input, None where they are not said, and a note where it is no matrix."""
    config = chained[0]["config"] if chained else {}
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    if shape is None:
        return None, []
    sizes = shape[1:] if isinstance(shape, list) else []
    if not sizes or not all(type(size) is int and size > 0 for size in sizes):
        raise FormatError(
            f"its input has the shape {shape!r:.100}: a dense network takes a matrix of known width"
        )
    if len(sizes) == 1:
        return sizes[0], []
    following = chained[1 if chained[0]["class_name"] == "InputLayer" else 0 :]
    before = list(itertools.takewhile(_is_elementwise, following))
    flatten = following[len(before)] if len(before) < len(following) else None
    if flatten is None or flatten["class_name"] != "Flatten":
        raise FormatError(f"its input has the shape {shape!r:.100}: a dense network takes a matrix")
    if flatten["config"].get("data_format") == "channels_first":
        raise FormatError(f"layer {_name(flatten)!r} (Flatten): it moves the channels behind the other axes")
    width = math.prod(sizes)
    return width, [f"the shape {tuple(sizes)} of its inputs, which go in as rows of {width} numbers"]


def _is_elementwise(layer: dict[str, Any]) -> bool:
    """Whether a layer does the same to every number, so that it may as well come after a Flatten."""
    config = layer["config"]
    return layer["class_name"] == "Rescaling" and all(
        isinstance(config.get(name, 0.0), int | float) for name in ("scale", "offset")
    )


def _name(layer: dict[str, Any]) -> str:
    return str(layer["config"].get("name", layer.get("name", "")))[:200]


def _parse(data: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"its {what} is not JSON: {error!s:.200}") from error
    if not isinstance(found, dict):
        raise FormatError(f"its {what} is not a JSON object")
    return found
