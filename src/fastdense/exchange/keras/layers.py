"""Keras' layers by their names and settings: what each appends to the flow.

A step is ``(flow, config, arrays)``: the layer's settings as its file has them, already checked by name and
type, and its weights in order. The tables are the only way from a name to anything; nothing is imported.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastdense import regularizers
from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.keras.curves import CURVES, Step, activate
from fastdense.exchange.keras.flow import Flow
from fastdense.exchange.keras.settings import numbers
from fastdense.layers import Dense, FeatureScale, LayerNormalization, Normalization, PReLU

__all__ = ["SCALES", "STEPS", "for_training", "slots"]

Config = dict[str, Any]

SCALES = "ab,b->ab"
"""The equation of an EinsumDense that multiplies each column by a weight."""


def _dense(flow: Flow, config: Config, arrays: list[Array]) -> None:
    if config.get("quantization_config"):
        raise FormatError("its weights are quantised, which a dense network here has none of")
    use_bias = bool(config.get("use_bias", True))
    if len(arrays) != 1 + use_bias:
        raise FormatError(f"it has {len(arrays)} arrays of weights where a dense layer has {1 + use_bias}")
    layer = Dense(
        config["units"],
        kernel_regularizer=_regularizer(config.get("kernel_regularizer")),
        bias_regularizer=_regularizer(config.get("bias_regularizer")),
        name=config.get("name"),
    )
    if arrays[0].shape[-1:] != (layer.units,):
        raise FormatError(
            f"its weights have the shape {arrays[0].shape}, but it says that it has {layer.units} units"
        )
    flow.dense(arrays[0], arrays[1] if use_bias else None, layer)
    activate(flow, config.get("activation"))


def _regularizer(value: Any) -> Any:
    """Return a penalty, None where it is none of ours, which `for_training` tells of."""
    if not isinstance(value, dict) or value.get("class_name") not in regularizers.FAMILY.members:
        return None
    return regularizers.FAMILY.restore({name: value.get(name) for name in ("class_name", "config")})


def _dropout(flow: Flow, config: Config, arrays: list[Array]) -> None:
    flow.dropout(float(config["rate"]), config.get("name"))


def _batch_normalization(flow: Flow, config: Config, arrays: list[Array]) -> None:
    given = [bool(config.get(name, True)) for name in ("scale", "center")]
    if config.get("renorm"):
        raise FormatError("it has renorm=True, whose further weights are not known")
    if len(arrays) != 2 + sum(given) or len({array.shape for array in arrays}) != 1:
        raise FormatError(
            f"it has arrays of weights of the shapes {[array.shape for array in arrays]}, where "
            f"{2 + sum(given)} of one length belong to it"
        )
    *affine, mean, variance = (np.float64(array) for array in arrays)
    gamma = affine[0] if given[0] else 1.0
    beta = affine[-1] if given[1] else 0.0
    epsilon = config.get("epsilon")
    factor = gamma / np.sqrt(variance + (1e-3 if epsilon is None else epsilon))
    axis = config.get("axis", -1)
    flow.scale(flow.along(axis, factor), flow.along(axis, beta - mean * factor))


def _normalization(flow: Flow, config: Config, arrays: list[Array]) -> None:
    given = [numbers(config.get(name)) for name in ("mean", "variance")]
    name, axis = config.get("name"), config.get("axis", -1)
    if given.count(None) == 1:
        raise FormatError("its mean and its variance must both be given, or neither")
    if given[0] is None and len(arrays) != 3:
        raise FormatError("its statistics are not a mean, a variance and a count")
    mean, variance = (np.asarray(value, np.float64) for value in (arrays[:2] if given[0] is None else given))
    if mean.shape != variance.shape:
        raise FormatError(f"its mean and variance have the shapes {mean.shape} and {variance.shape}")
    if config.get("invert"):
        deviation = np.maximum(np.sqrt(variance), 1e-7)
        flow.scale(_along(flow, axis, deviation), _along(flow, axis, mean))
    elif mean.ndim == 0:  # the same of all columns
        flow.add(Normalization(mean=float(mean), variance=float(variance), name=name))
    elif given[0] is not None and flow.is_row:
        flow.add(Normalization(mean=given[0], variance=given[1], name=name))
    else:
        statistics = [_along(flow, axis, mean), _along(flow, axis, variance), np.zeros((), np.int32)]
        flow.add(Normalization(name=name), statistics, n_in=len(statistics[0]))


def _along(flow: Flow, axis: Any, array: Array) -> Any:
    return float(array) if array.ndim == 0 else flow.along(axis, array)


def _rescaling(flow: Flow, config: Config, arrays: list[Array]) -> None:
    offset = config.get("offset")
    scale, shift = numbers(config["scale"]), 0.0 if offset is None else numbers(offset)
    flow.scale(flow.by_column(scale), flow.by_column(shift))


def _einsum_dense(flow: Flow, config: Config, arrays: list[Array]) -> None:
    scales = config["equation"].replace(" ", "") == SCALES and len(arrays) == 1 and arrays[0].ndim == 1
    if not scales or config.get("bias_axes") or config.get("quantization_config"):
        raise FormatError(f"only {SCALES!r} without a bias can be read, a weight per column")
    layer = FeatureScale(
        scale_regularizer=_regularizer(config.get("kernel_regularizer")), name=config.get("name")
    )
    flow.add(layer, arrays, n_in=arrays[0].size)
    activate(flow, config.get("activation"))


def _prelu(flow: Flow, config: Config, arrays: list[Array]) -> None:
    if len(arrays) != 1:
        raise FormatError(f"it has {len(arrays)} arrays of weights where one of slopes belongs to it")
    shared = config.get("shared_axes") or []
    shared = shared if isinstance(shared, list) else [shared]
    shape = flow.shape or arrays[0].shape
    if arrays[0].shape != tuple(1 if i in shared else size for i, size in enumerate(shape, 1)):
        raise FormatError(f"its slopes have the shape {arrays[0].shape}, and share the axes {shared}")
    if not shared:
        layer = PReLU(
            alpha_regularizer=_regularizer(config.get("alpha_regularizer")), name=config.get("name")
        )
        flow.add(layer, [arrays[0].reshape(-1)], n_in=arrays[0].size)
    else:
        flow.leak(np.asarray(flow.by_column(arrays[0])), flow.columns, config.get("name"))


def _layer_normalization(flow: Flow, config: Config, arrays: list[Array]) -> None:
    if config.get("rms_scaling"):
        raise FormatError("it has rms_scaling=True, by which it does not subtract the mean")
    axis, epsilon = config.get("axis"), config.get("epsilon")
    flow.check_columns(-1 if axis is None else axis)
    layer = LayerNormalization(
        epsilon=1e-3 if epsilon is None else epsilon,
        center=bool(config.get("center", True)),
        scale=bool(config.get("scale", True)),
        beta_regularizer=_regularizer(config.get("beta_regularizer")),
        gamma_regularizer=_regularizer(config.get("gamma_regularizer")),
        name=config.get("name"),
    )
    flow.add(layer, [array.reshape(-1) for array in arrays], n_in=arrays[0].size if arrays else None)


def _flatten(flow: Flow, config: Config, arrays: list[Array]) -> None:
    if config.get("data_format") == "channels_first" and len(flow.shape or ()) > 1:
        flow.pick(lambda example: np.moveaxis(example, 0, -1))
    if flow.shape is not None:
        flow.reshape((math.prod(flow.shape),))


def _reshape(flow: Flow, config: Config, arrays: list[Array]) -> None:
    target = config.get("target_shape")
    if not target or target.count(-1) > 1 or not all(size == -1 or (size and size > 0) for size in target):
        raise FormatError(f"it makes a shape that is not known, {target!r:.100}")
    known = math.prod(size for size in target if size > 0)
    if flow.columns is None and target != [-1]:
        raise FormatError(f"it makes the shape {target!r:.100} of an input whose width is not known")
    if flow.columns is not None:
        flow.reshape(tuple(flow.columns // known if size == -1 else size for size in target))


def _permute(flow: Flow, config: Config, arrays: list[Array]) -> None:
    given = config.get("dims")
    dims: list[Any] = list(given) if isinstance(given, list) else [given]
    if flow.shape is None or sorted(dims) != list(range(1, len(flow.shape) + 1)):
        raise FormatError(f"it has no order of the axes: {dims!r:.100}")
    flow.pick(lambda example: example.transpose([place - 1 for place in dims]))


def _cropping(flow: Flow, config: Config, arrays: list[Array]) -> None:
    """Cut numbers off both ends of an axis, or of the axes that are not channels."""
    given, is_first = config.get("cropping"), config.get("data_format") == "channels_first"
    pairs: list[Any] = given if isinstance(given, list) and isinstance(given[0], list) else [given]
    if not all(
        isinstance(pair, list) and list(map(type, pair)) == [int, int] and min(pair) >= 0 for pair in pairs
    ):
        raise FormatError(f"it cuts {given!r:.100} off, which are not two numbers for each axis")
    cuts = [slice(before, -after or None) for before, after in pairs]
    if flow.shape is None or len(flow.shape) != 1 + len(cuts):
        raise FormatError(f"it cuts {given!r:.100} off an example of other axes")
    flow.pick(lambda example: example[(slice(None), *cuts) if is_first else tuple(cuts)])


def _nothing(flow: Flow, config: Config, arrays: list[Array]) -> None:
    """Let everything through."""


# What these do is for training only.
_NOISE = (
    "ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D",
    "SpatialDropout2D",
)  # fmt: skip


# The penalties that are kept, of the layers that are read as themselves.
_KEPT = {
    "Dense": ("kernel_regularizer", "bias_regularizer"),
    "EinsumDense": ("kernel_regularizer",),
    "LayerNormalization": ("beta_regularizer", "gamma_regularizer"),
    "PReLU": ("alpha_regularizer",),
}


def for_training(layer: dict[str, Any]) -> list[str]:
    """Return what of a layer is for training only and has none here, in words.

    Examples
    --------
    >>> for_training({"class_name": "Dense", "config": {"name": "a", "kernel_constraint": "non_neg"}})
    ['kernel_constraint']
    """
    if layer["class_name"] in _NOISE:
        return [f"the {layer['class_name']}"]
    found = []
    for name, value in layer["config"].items():
        is_known = name in _KEPT.get(layer["class_name"], ()) and _regularizer(value) is not None
        if value and name.endswith(("_constraint", "_regularizer", "noise_shape")) and not is_known:
            found.append(name)
        if name == "trainable" and value is False:
            found.append("trainable=False")
    return found


STEPS: dict[str, Step] = {
    **CURVES,
    **dict.fromkeys(_NOISE, _nothing),
    "BatchNormalization": _batch_normalization,
    "Cropping1D": _cropping,
    "Cropping2D": _cropping,
    "Dense": _dense,
    "Dropout": _dropout,
    "EinsumDense": _einsum_dense,
    "Flatten": _flatten,
    "Identity": _nothing,
    "LayerNormalization": _layer_normalization,
    "Normalization": _normalization,
    "PReLU": _prelu,
    "Permute": _permute,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
}


def slots(layer: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the names of a layer's arrays in order: those that are trained, and those that are not.

    Examples
    --------
    >>> slots({"class_name": "BatchNormalization", "config": {"scale": False}})
    (['beta'], ['moving_mean', 'moving_variance'])
    """
    config = layer["config"]
    match layer["class_name"]:
        case "Dense":
            return ["kernel", "bias"][: 1 + bool(config.get("use_bias", True))], []
        case "BatchNormalization":
            affine = {"gamma": config.get("scale", True), "beta": config.get("center", True)}
            return [name for name, given in affine.items() if given], ["moving_mean", "moving_variance"]
        case "LayerNormalization":
            affine = {"gamma": config.get("scale", True), "beta": config.get("center", True)}
            return [name for name, given in affine.items() if given], []
        case "EinsumDense":
            return ["kernel", "bias"][: 1 + bool(config.get("bias_axes"))], []
        case "PReLU":
            return ["alpha"], []
        case "Normalization" if config.get("mean") is None:
            return [], ["mean", "variance", "count"]
    return [], []
