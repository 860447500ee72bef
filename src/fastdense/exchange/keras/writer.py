"""Writing: a network as the ``.keras`` file that Keras 3 would write of the same layers."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastdense.activations import ActivationFunction
from fastdense.core import files
from fastdense.core.arrays import Array
from fastdense.core.curves import CURVES
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.keras.archive import CONFIG, METADATA, WEIGHTS
from fastdense.exchange.keras.layers import SCALES
from fastdense.exchange.keras.stores import written
from fastdense.layers import (
    ELU,
    Activation,
    Dense,
    Dropout,
    FeatureScale,
    Layer,
    LayerNormalization,
    LeakyReLU,
    Normalization,
    PReLU,
    ReLU,
    Rescaling,
    Softmax,
)

__all__ = ["write"]

Config = dict[str, Any]

# The version whose layout this is.
_VERSION = "3.15.1"
_LAYERS, _OPERATIONS = "keras.layers", "keras.src.ops.nn"
_INPUT = "input_layer"


class Part(NamedTuple):
    """One of Keras' layers: its class, its settings without the common ones, and its weights."""

    class_name: str
    name: str
    config: Config
    arrays: list[Array]
    module: str = _LAYERS


def write(content: Content, path: str | os.PathLike[str]) -> None:
    """Write a network; see `fastdense.formats.keras.write_keras`."""
    if not os.fspath(path).lower().endswith(".keras"):
        raise FormatError(f"a file of Keras' has a name that ends in .keras, got {os.fspath(path)!r}")
    parts = _named([part for layer in content.layers for part in _parts(layer)])
    description = _describe(_plain(content.name), content.dtype, content.n_in, parts)
    texts = {METADATA: {"keras_version": _VERSION}, CONFIG: description}
    weights = written((part.class_name, part.name, part.arrays) for part in parts if part.module == _LAYERS)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, value in texts.items():
            archive.writestr(zipfile.ZipInfo(name), json.dumps(value, allow_nan=False))
        archive.writestr(zipfile.ZipInfo(WEIGHTS), weights)
    with files.atomic_file(path) as file:
        file.write(buffer.getvalue())


def _named(parts: list[Part]) -> list[Part]:
    """Return the parts with names that Keras takes, each once, and other than that of the input."""
    taken = {_INPUT, *(part.name for part in parts if _plain(part.name) == part.name)}
    seen, named = {_INPUT}, []
    for part in parts:
        name = _plain(part.name)
        if name in seen or (name != part.name and name in taken):
            name = next(free for i in itertools.count(1) if (free := f"{name}_{i}") not in taken)
        seen.add(name)
        taken.add(name)
        named.append(part._replace(name=name))
    return named


def _plain(name: str) -> str:
    """Return a name as TensorFlow takes it: of English letters, digits, dots, hyphens and underscores."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return plain if re.match("[A-Za-z0-9.]", plain) else f"layer{plain}"


_SETTINGS: dict[type[Layer], Callable[[Any], Config]] = {
    Dropout: lambda layer: {"rate": layer.first_rate},
    ELU: lambda layer: {"alpha": layer.alpha},
    LayerNormalization: lambda layer: {
        "axis": -1,
        "epsilon": layer.epsilon,
        "center": layer.center,
        "scale": layer.scale,
        "beta_regularizer": _penalty(layer.beta_regularizer),
        "gamma_regularizer": _penalty(layer.gamma_regularizer),
    },
    LeakyReLU: lambda layer: {"negative_slope": layer.negative_slope},
    PReLU: lambda layer: {"alpha_regularizer": _penalty(layer.alpha_regularizer)},
    ReLU: lambda layer: {},
    Rescaling: lambda layer: {"scale": layer.scale, "offset": layer.offset},
    Softmax: lambda layer: {},
}
"""The settings of the layers that are one of Keras' by the same name."""


def _parts(layer: Layer) -> Iterator[Part]:
    """Yield Keras' layers for one of ours: two where the activation cannot be in the layer."""
    name, arrays = str(layer.name), layer.weights
    match layer:
        case Dense():
            within = _is_named(layer.activation)
            config = {
                "units": layer.units,
                "activation": layer.activation.name if within else "linear",
                "use_bias": layer.use_bias,
                "kernel_regularizer": _penalty(layer.kernel_regularizer),
                "bias_regularizer": _penalty(layer.bias_regularizer),
            }
            yield Part("Dense", name, config, arrays)
            if not within:
                yield _curve(layer.activation, f"{name}_activation")
        case FeatureScale():
            penalty = _penalty(layer.scale_regularizer)
            product = {"equation": SCALES, "output_shape": [layer.n_in], "kernel_regularizer": penalty}
            yield Part("EinsumDense", name, product, arrays)
        case Normalization():
            yield Part("Normalization", name, {"axis": -1}, arrays or _given(layer))
        case _ if type(layer) in _SETTINGS:
            yield Part(type(layer).__name__, name, _SETTINGS[type(layer)](layer), arrays)
        case Activation():
            yield _curve(layer.activation, name)
        case _:
            raise FormatError(f"layer {name!r}: Keras has no {type(layer).__name__}")


def _given(layer: Normalization) -> list[Array]:
    """Return statistics as the layer's weights: those among its settings Keras rounds to float32."""
    columns = (layer.n_in or 0,)
    mean, variance = (np.broadcast_to(value, columns) for value in (layer.mean, layer.variance))
    return [mean, variance, np.zeros((), np.int32)]


def _curve(curve: ActivationFunction, name: str) -> Part:
    """Return the layer that an activation is."""
    if _is_named(curve):
        return Part("Activation", name, {"activation": curve.name}, [])
    record = CURVES[curve.name]
    theirs = record.keras_layer or record.keras_operation
    if theirs is None:
        raise FormatError(f"layer {name!r}: Keras has no {curve.name} by groups")
    settings = record.settings(theirs, curve.alpha or 0.0)
    return Part(theirs.name, name, settings, [], _LAYERS if record.keras_layer else _OPERATIONS)


def _is_named(curve: ActivationFunction) -> bool:
    """Whether Keras has the activation by its name alone."""
    record = CURVES[curve.name]
    return bool(record.keras) and not curve.groups and curve.alpha == record.alpha


def _penalty(regularizer: Any) -> Config | None:
    return None if regularizer is None else _described("keras.regularizers", **regularizer.describe())


def _described(module: str, class_name: str, config: Config) -> Config:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def _describe(name: str, dtype: str, n_in: int, parts: list[Part]) -> Config:
    """Return the model's description: as a functional model where one of its parts is a function."""
    shape = [None, n_in]
    first = _described(_LAYERS, "InputLayer", {"batch_shape": shape, "dtype": dtype, "name": _INPUT})
    layers, widths = [first], [n_in]
    for part in parts:
        if part.module == _OPERATIONS:  # Keras before 3.11 takes no name among their settings
            layers.append(_described(part.module, part.class_name, part.config))
        else:
            own = {"name": part.name, "trainable": True, "dtype": dtype}
            layer = _described(part.module, part.class_name, own | part.config)
            layers.append(layer | {"build_config": {"input_shape": [None, widths[-1]]}})
        widths.append(part.config.get("units", widths[-1]))
    if any(part.module == _OPERATIONS for part in parts):
        return _functional(name, dtype, layers, [_INPUT, *(part.name for part in parts)], widths)
    config = {"name": name, "trainable": True, "dtype": dtype, "layers": layers, "build_input_shape": shape}
    return _described("keras", "Sequential", config) | {"build_config": {"input_shape": shape}}


def _functional(name: str, dtype: str, layers: list[Config], names: list[str], widths: list[int]) -> Config:
    nodes: list[Any] = [[]]
    for before, width in zip(names, widths[:-1], strict=False):
        history = {"shape": [None, width], "dtype": dtype, "keras_history": [before, 0, 0]}
        nodes.append([{"args": [{"class_name": "__keras_tensor__", "config": history}], "kwargs": {}}])
    called = [
        layer | {"name": own, "inbound_nodes": node}
        for layer, own, node in zip(layers, names, nodes, strict=True)
    ]
    ends = {"input_layers": [names[0], 0, 0], "output_layers": [names[-1], 0, 0]}
    config = {"name": name, "trainable": True, "layers": called, **ends}
    return _described("keras.src.models.functional", "Functional", config) | {"registered_name": "Functional"}
