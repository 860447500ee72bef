"""Keras' activations, by name and as layers: what each appends to the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.curves import CURVES as RECORDS
from fastdense.errors import FormatError
from fastdense.exchange.keras.classes import check_own
from fastdense.exchange.keras.flow import Flow
from fastdense.exchange.keras.settings import check_settings, number
from fastdense.exchange.limits import between, limit
from fastdense.layers import ELU, Activation, LeakyReLU, ReLU, Softmax

__all__ = ["COMPOSED", "CURVES", "activate"]

Array = NDArray[Any]
Config = dict[str, Any]
Step = Callable[[Flow, Config, list[Array]], None]

# The jump of a ReLU with a threshold other than 0 is not a curve of ours.
_JUMPS = "it jumps at its threshold of {:g}; a threshold of 0 can be read"


def activate(flow: Flow, value: Any) -> None:
    """Append an activation as a layer's settings have it: by its name, or a layer's description.

    Raises
    ------
    FormatError
        It is neither, or not known.
    """
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        check_own(value)
        step = CURVES.get(str(value.get("class_name")))
        if step is not None:
            check_settings(value["class_name"], value["config"])
            step(flow, value["config"] | {"name": None}, [])
            return
    name = _named(value)
    if name in COMPOSED:
        COMPOSED[name](flow)
        return
    if name == "hard_sigmoid" and flow.is_old:
        flow.scale(1.2)  # until Keras 2 it was clip(x / 5 + 1/2), not of x / 6
    flow.activate(name)


def _named(value: Any) -> str:
    name = "linear" if value is None else _NAMES.get(value) if isinstance(value, str) else None
    if name is None:
        raise FormatError(f"the activation {value!r:.200} is not one that fastdense knows")
    return name


def _activation(flow: Flow, config: Config, arrays: list[Array]) -> None:
    value = config.get("activation")
    name = None if isinstance(value, dict) else _named(value)
    if name is None or name in COMPOSED or (name == "hard_sigmoid" and flow.is_old):
        activate(flow, value)
        return
    if name == "softmax":
        flow.check_columns()
    flow.add(Activation(name, name=config.get("name")))


def log_softmax(flow: Flow) -> None:
    """Append a softmax, whose logarithm Keras takes."""
    flow.activate("softmax")
    flow.logarithms = True


COMPOSED: dict[str, Callable[[Flow], None]] = {
    "hard_tanh": lambda flow: limit(flow, -1.0, 1.0),
    "log_sigmoid": lambda flow: between(flow, (-1.0, 0.0), "softplus", (-1.0, 0.0)),
    "log_softmax": log_softmax,
}
"""The activations that are composed of others."""
# TensorFlow's names too, which Keras 2 writes.
_NAMES = {name: record.name for record in RECORDS.values() for name in record.keras}
_NAMES |= {name: name for name in COMPOSED} | {"log_softmax_v2": "log_softmax"}


def _number(config: Config, name: str, default: float) -> float:
    """Return a setting whose type has been checked, its default if it is not given."""
    value = number(config.get(name))
    return default if value is None else value


def _relu(flow: Flow, config: Config, arrays: list[Array]) -> None:
    """``max(x, 0)``, with a slope below 0, a limit above, or both."""
    slope, most = _number(config, "negative_slope", 0.0), _number(config, "max_value", np.inf)
    threshold = _number(config, "threshold", 0.0)
    if threshold:
        raise FormatError(_JUMPS.format(threshold))
    if not most > 0:
        raise FormatError(f"its largest value is {most:g}, so that nothing goes through")
    if slope:
        flow.add(LeakyReLU(slope, name=config.get("name")))
        limit(flow, -np.inf, most)
    elif most == np.inf:
        flow.add(ReLU(name=config.get("name")))
    elif most == 6.0:
        flow.add(Activation("relu6", name=config.get("name")))
    else:
        between(flow, (6.0 / most, 0.0), "relu6", (most / 6.0, 0.0))


def _thresholded_relu(flow: Flow, config: Config, arrays: list[Array]) -> None:
    theta = _number(config, "theta", 1.0)
    if theta:
        raise FormatError(_JUMPS.format(theta))
    flow.add(ReLU(name=config.get("name")))


def _leaky_relu(flow: Flow, config: Config, arrays: list[Array]) -> None:
    name = "negative_slope" if config.get("negative_slope") is not None else "alpha"  # which is Keras 2's
    flow.add(LeakyReLU(_number(config, name, 0.3), name=config.get("name")))


def _elu(flow: Flow, config: Config, arrays: list[Array]) -> None:
    flow.add(ELU(_number(config, "alpha", 1.0), name=config.get("name")))


def _softmax(flow: Flow, config: Config, arrays: list[Array]) -> None:
    axis = config.get("axis")
    flow.check_columns(-1 if axis is None else axis)
    flow.add(Softmax(name=config.get("name")))


CURVES: dict[str, Step] = {
    "Activation": _activation,
    "ELU": _elu,
    "LeakyReLU": _leaky_relu,
    "ReLU": _relu,
    "Softmax": _softmax,
    "ThresholdedReLU": _thresholded_relu,
}
"""The layers that are an activation without weights."""
