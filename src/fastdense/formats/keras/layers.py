"""Keras' layers by their names and settings: what each appends to the chain.

A step is ``(chain, config, arrays, old)``: the layer's settings as its file has them, its weights in order,
and whether the file is from before Keras 3. The table is the only way from a name to anything; nothing is
imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FormatError
from fastdense.formats.chain import Chain
from fastdense.formats.keras.classes import check_own
from fastdense.network import regularizers
from fastdense.network.activations import ActivationFunction
from fastdense.network.layers import ELU, Activation, Dense, LeakyReLU, Normalization, ReLU, Softmax
from fastdense.spec import ACTIVATIONS, DEFAULT_ALPHA

__all__ = ["OPERATIONS", "STEPS", "for_training"]

Array = NDArray[Any]
Config = dict[str, Any]
Step = Callable[[Chain, Config, list[Array], bool], None]

_SYNONYMS = {"swish": "silu", "hard_swish": "hard_silu"}


def activation_of(value: Any) -> ActivationFunction:
    """Return an activation by the name that a file has for it; FormatError for anything else."""
    name = "linear" if value is None else _SYNONYMS.get(value, value) if isinstance(value, str) else None
    if name not in ACTIVATIONS or name == "gelu_tanh":  # not a name of Keras'
        raise FormatError(f"the activation {value!r:.200} is not one that fastdense knows")
    return ActivationFunction(name)


def activate(chain: Chain, curve: ActivationFunction, old: bool) -> None:
    """Append an activation; until Keras 2 the hard sigmoid was ``clip(x / 5 + 1/2)``, not of ``x / 6``."""
    if curve.name == "hard_sigmoid" and old:
        chain.scale(1.2)
    chain.activate(curve)


def _dense(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    if config.get("quantization_config") or _is_quantised(config.get("dtype")):
        raise FormatError("its weights are quantised, which a dense network here has none of")
    use_bias = bool(config.get("use_bias", True))
    if len(arrays) != 1 + use_bias:
        raise FormatError(f"it has {len(arrays)} arrays of weights where a dense layer has {1 + use_bias}")
    after = _activation_layer(config.get("activation"))
    curve = activation_of(None if after else config.get("activation"))
    layer = Dense(
        int(_number(config.get("units"), None)),
        kernel_regularizer=_regularizer(config.get("kernel_regularizer")),
        bias_regularizer=_regularizer(config.get("bias_regularizer")),
        name=config.get("name"),
    )
    if arrays[0].shape[-1:] != (layer.units,):
        raise FormatError(
            f"its weights have the shape {arrays[0].shape}, but it says that it has {layer.units} units"
        )
    chain.dense(arrays[0], arrays[1] if use_bias else None, layer)
    activate(chain, curve, old)
    if after is not None:
        step, settings = after
        step(chain, settings | {"name": None}, [], old)


def _activation_layer(value: Any) -> tuple[Step, Config] | None:
    """Return what ``Dense(3, activation=LeakyReLU(0.1))`` does after the product, None for a name."""
    if not isinstance(value, dict) or not isinstance(value.get("config"), dict):
        return None
    check_own(value)
    step = _CURVES.get(str(value.get("class_name")))
    return None if step is None else (step, value["config"])


def _is_quantised(policy: Any) -> bool:
    """Whether a layer's dtype says so: "int8_from_float32", or the same in a description."""
    return isinstance(policy, dict) and "quantiz" in str(policy.get("class_name")).lower()


def _regularizer(value: Any) -> Any:
    """Return a penalty, None where it is none of ours, which `for_training` tells of."""
    if not isinstance(value, dict) or value.get("class_name") not in regularizers.FAMILY.members:
        return None
    return regularizers.FAMILY.restore({name: value.get(name) for name in ("class_name", "config")})


def _activation(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    curve = activation_of(config.get("activation"))
    if curve.name == "hard_sigmoid" and old:
        activate(chain, curve, old)
    else:
        chain.add(Activation(curve, name=config.get("name")))


def _relu(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    """``max(x, 0)``, with a slope below 0 or a limit above."""
    slope, limit = _number(config.get("negative_slope"), 0.0), _number(config.get("max_value"), np.inf)
    if _number(config.get("threshold"), 0.0) or (slope and limit < np.inf) or not limit > 0:
        raise FormatError("a ReLU with a threshold, a limit of 0, or both a slope and a limit is not known")
    if slope:
        chain.add(LeakyReLU(slope, name=config.get("name")))
    elif limit == np.inf:
        chain.add(ReLU(name=config.get("name")))
    elif limit == 6.0:
        chain.add(Activation("relu6", name=config.get("name")))
    else:
        chain.scale(6.0 / limit)
        chain.activate("relu6")
        chain.scale(limit / 6.0)


def _leaky_relu(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    slope = config.get("negative_slope", config.get("alpha"))  # the second is Keras 2's
    chain.add(LeakyReLU(_number(slope, 0.3), name=config.get("name")))


def _elu(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    chain.add(ELU(_number(config.get("alpha"), 1.0), name=config.get("name")))


def _softmax(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    if config.get("axis", -1) not in (-1, 1, [-1], [1]):
        raise FormatError("it is not over the columns")
    chain.add(Softmax(name=config.get("name")))


def _dropout(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    chain.dropout(_number(config.get("rate"), None), config.get("name"))


def _batch_normalization(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    if config.get("axis", -1) not in (-1, 1, [-1], [1]):
        raise FormatError("it is not by columns")
    given = [bool(config.get(name, True)) for name in ("scale", "center")]
    if len(arrays) != 2 + sum(given):
        raise FormatError(f"it has {len(arrays)} arrays of weights where {2 + sum(given)} belong to it")
    *affine, mean, variance = (np.float64(array) for array in arrays)
    gamma = affine[0] if given[0] else 1.0
    beta = affine[-1] if given[1] else 0.0
    factor = gamma / np.sqrt(variance + _number(config.get("epsilon"), 1e-3))
    chain.scale(factor, beta - mean * factor)


def _normalization(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    if config.get("invert") or config.get("axis", -1) not in (-1, 1, [-1], [1], None, []):
        raise FormatError("it is inverted, or not by columns")
    mean, variance = (_numbers(config.get(name)) for name in ("mean", "variance"))
    if mean is not None:
        chain.add(Normalization(mean=mean, variance=variance, name=config.get("name")))
        return
    if len(arrays) != 3:
        raise FormatError("its statistics are not a mean, a variance and a count")
    if arrays[0].ndim == 0:  # the same of all columns
        chain.add(Normalization(mean=float(arrays[0]), variance=float(arrays[1]), name=config.get("name")))
        return
    if arrays[0].ndim != 1:
        raise FormatError("its statistics are not by columns")
    chain.add(Normalization(name=config.get("name")), arrays, n_in=len(arrays[0]))


def _rescaling(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    chain.scale(_numbers(config.get("scale")), _numbers(config.get("offset", 0.0)))


def _numbers(value: Any) -> Any:
    """Return a setting that is a number or a list of them, also as Keras writes an array."""
    if isinstance(value, dict) and value.get("class_name") == "__numpy__":
        config = value.get("config")
        return config.get("value") if isinstance(config, dict) else None
    return value


def _reshape(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    if config.get("target_shape") not in ([-1], [chain.width]):
        raise FormatError(f"it makes other shapes of the rows, {config.get('target_shape')!r:.100}")


def _nothing(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    """Let everything through."""


# What these do is for training only.
_NOISE = ("ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise")


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
        is_known = name in ("kernel_regularizer", "bias_regularizer") and _regularizer(value) is not None
        if value and name.endswith(("_constraint", "_regularizer", "noise_shape")) and not is_known:
            found.append(name)
        if name == "trainable" and value is False:
            found.append("trainable=False")
    return found


def _number(value: Any, default: float | None) -> float:
    """Return a setting that is a number, its default where it is not given; FormatError for others."""
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"a setting of it is {value!r:.100}, where a number belongs")
    return float(value)


_CURVES: dict[str, Step] = {
    "Activation": _activation,
    "ELU": _elu,
    "LeakyReLU": _leaky_relu,
    "ReLU": _relu,
    "Softmax": _softmax,
}
STEPS: dict[str, Step] = {
    **_CURVES,
    **dict.fromkeys(_NOISE, _nothing),
    "BatchNormalization": _batch_normalization,
    "Dense": _dense,
    "Dropout": _dropout,
    "Flatten": _nothing,
    "Identity": _nothing,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
}


def _gelu(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
    chain.activate("gelu_tanh" if config.get("approximate", True) else "gelu")


def _operation(name: str) -> Step:
    """Return the step of an activation without settings."""
    return lambda chain, config, arrays, old: chain.activate(name)


def _with_alpha(name: str, setting: str) -> Step:
    def step(chain: Chain, config: Config, arrays: list[Array], old: bool) -> None:
        chain.activate(ActivationFunction(name, _number(config.get(setting), DEFAULT_ALPHA[name])))

    return step


def _class_name(name: str) -> str:
    """Return what Keras calls the operation of an activation.

    Examples
    --------
    >>> _class_name("hard_sigmoid")
    'HardSigmoid'
    """
    return "".join(part.capitalize() for part in name.split("_"))


OPERATIONS: dict[str, Step] = {
    **{_class_name(name): _operation(name) for name in ACTIVATIONS if name not in ("linear", "gelu_tanh")},
    "Elu": _with_alpha("elu", "alpha"),
    "Exp": _operation("exponential"),
    "Gelu": _gelu,
    "LeakyRelu": _with_alpha("leaky_relu", "negative_slope"),
    "Softmax": lambda chain, config, arrays, old: _softmax(
        chain, {"axis": config.get("axis", -1)}, arrays, old
    ),
}
"""Functions of ``keras.ops``, which stand among the layers of a functional model."""
