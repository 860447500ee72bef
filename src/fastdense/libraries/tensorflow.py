"""TensorFlow: its backend for the array engine, and what `fastdense.dense` asks of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from typing import Any

import numpy as np
import tensorflow as tf

from fastdense.array.activations import activate, activate_backward
from fastdense.array.backend import Backend
from fastdense.core.spec import ActivationSpec
from fastdense.errors import EngineError
from fastdense.libraries import tensorflow_functions as xp
from fastdense.libraries.padding import padded
from fastdense.libraries.smooth import smooth

__all__ = ["TensorflowBackend", "backend", "beside", "curve", "device_of", "devices", "fetch", "xp"]


class TensorflowBackend(Backend):
    """TensorFlow on one device, by `tf.function` or operation by operation."""

    def __init__(self, device: str, compiled: bool) -> None:
        super().__init__(f"tensorflow:{device}", xp)
        self.device = device
        self.compiled = compiled
        self.at_once = device.startswith("cpu") and not compiled
        self.block = 4096 if device.startswith("cpu") else 65536

    def scope(self) -> AbstractContextManager[Any]:
        """Compute on the device, whichever others there are."""
        context: AbstractContextManager[Any] = tf.device(self.device)
        return context

    def owns(self, values: Any) -> bool:
        """Return True if these are tensors or variables."""
        return isinstance(values, tf.Tensor | tf.Variable)

    def place(self, values: Any, dtype: str | None = None, copy: bool | None = None) -> Any:
        """Return a tensor on the device: of a NumPy array always a copy."""
        if self.owns(values):
            return tf.identity(xp.asarray(values, dtype))
        return tf.constant(np.asarray(values), dtype)

    def fetch(self, array: Any) -> Any:
        """Return a NumPy array."""
        return fetch(array)

    def for_good(self) -> AbstractContextManager[Any]:
        """Make tensors also while a caller's function is traced."""
        context: AbstractContextManager[Any] = tf.init_scope()
        return context

    def number(self, value: float, dtype: str) -> Any:
        """Return a tensor of no axes: for a Python number `tf.function` would trace again."""
        return tf.constant(value, dtype) if self.compiled else value

    def pad(self, rows: Any) -> Any:
        """Return as many rows as the next power of two: functions are compiled for each number of them."""
        return padded(rows) if self.compiled else rows

    def curve(self, activation: ActivationSpec, Z: Any) -> Any:
        """Return ``g(Z)``, with its own derivative."""
        return curve(activation, Z)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make a graph of a function for each number of rows that it meets."""
        if not self.compiled:
            return function
        # TensorFlow warns of code that is traced often, and ours is, by each network. A partial function is
        # to it a function of its own.
        graph: Callable[..., Any] = tf.function(partial(function), autograph=False)
        return graph


def backend(device: str | None, compiled: bool | None) -> TensorflowBackend:
    """Return the backend of a device; one that is not named is the first GPU, or else the processor."""
    return _backend(_found(device), compiled is not False)


@cache
def _backend(device: str, compiled: bool) -> TensorflowBackend:
    return TensorflowBackend(device, compiled)


def _found(name: str | None) -> str:
    known = devices()
    if name is None:
        return next((device for device in known if device.startswith("gpu")), known[0])
    lower = name.lower()
    found = lower if ":" in lower else f"{lower}:0"
    if found not in known:
        raise EngineError(f"TensorFlow has no device {name!r}; its devices here are {', '.join(known)}")
    return found


def devices() -> tuple[str, ...]:
    """Return the processors and the accelerators."""
    return tuple(_name(device.name) for device in tf.config.list_logical_devices())


def _name(device: str) -> str:
    """Return "gpu:0" of "/job:localhost/replica:0/task:0/device:GPU:0"."""
    return device.rpartition("device:")[2].lower()


def fetch(array: Any) -> Any:
    """Return a tensor as a NumPy array."""
    return array.numpy()


def device_of(array: Any) -> str:
    """Return a tensor's device; "" for one that is being traced."""
    return _name(array.device)


def beside(array: Any) -> AbstractContextManager[Any]:
    """Return the context for computing with an array: its device, as far as a traced one has one."""
    context: AbstractContextManager[Any] = tf.device(array.device) if array.device else nullcontext()
    return context


_SMOOTH = smooth(xp, tf.sigmoid)


def curve(activation: ActivationSpec, Z: Any) -> Any:
    """Return ``g(Z)``, with the derivative that `fastdense.array` gives, kinks and limits included."""

    @tf.custom_gradient
    def differentiable(Z: Any) -> tuple[Any, Callable[[Any], Any]]:
        A = activate(xp, activation, Z)
        return A, lambda dA: activate_backward(_SMOOTH, activation, Z, A, dA)

    return Z if activation.name == "linear" else differentiable(Z)
