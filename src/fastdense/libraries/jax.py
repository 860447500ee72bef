"""JAX: its backend for the array engine, and what `fastdense.dense` asks of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as xp
import numpy as np

from fastdense.array.activations import activate as array_activate
from fastdense.array.activations import activate_backward
from fastdense.array.backend import Backend
from fastdense.errors import EngineError
from fastdense.spec import ActivationSpec

__all__ = ["JaxBackend", "activate", "backend", "device_of", "devices", "of_dtype", "xp"]


class JaxBackend(Backend):
    """JAX on one device, by `jax.jit` or operation by operation."""

    at_once = False

    def __init__(self, device: Any, compiled: bool) -> None:
        super().__init__(f"jax:{_name(device)}", xp)
        self.device = device
        self.compiled = compiled
        self.block = 4096 if device.platform == "cpu" else 65536
        self._take = jax.jit(lambda array, rows: xp.take(array, rows, axis=0))

    def scope(self) -> AbstractContextManager[Any]:
        """Allow float64, in which losses are summed, and let no product be rounded to TensorFloat-32."""
        stack = ExitStack()
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.default_matmul_precision("highest"))
        return stack

    def owns(self, values: Any) -> bool:
        """Say whether these are JAX's arrays."""
        return isinstance(values, jax.Array)

    def place(self, values: Any, dtype: str | None = None, copy: bool | None = None) -> Any:
        """Return an array on the device."""
        array = values if self.owns(values) else np.array(values, dtype, copy=copy)
        array = array if dtype is None else array.astype(dtype)
        return jax.device_put(array, self.device, may_alias=False if copy else None)

    def fetch(self, array: Any) -> Any:
        """Return a NumPy array."""
        return np.asarray(array)

    def number(self, value: float, dtype: str) -> Any:
        """Return a number of that dtype, one compiled function for all."""
        return np.dtype(dtype).type(value)

    def take(self, array: Any, rows: Any) -> Any:
        """Return rows of an array on the device."""
        return self._take(array, rows)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile a function for each number of rows that it meets."""
        return jax.jit(function) if self.compiled else function


def backend(device: str | None, compiled: bool | None) -> JaxBackend:
    """Return the backend of a device; one that is not named is JAX's default."""
    return _backend(_found(device), compiled is not False)


@cache
def _backend(device: Any, compiled: bool) -> JaxBackend:
    return JaxBackend(device, compiled)


def _found(name: str | None) -> Any:
    if name is None:
        default = jax.config.jax_default_device
        return default if isinstance(default, jax.Device) else jax.devices(default)[0]
    platform, _, number = name.partition(":")
    try:
        return jax.devices(platform)[int(number or 0)]
    except (RuntimeError, ValueError, IndexError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EngineError(
            f"JAX has no device {name!r} ({reason}); its devices here are {', '.join(devices())}"
        ) from error


def devices() -> tuple[str, ...]:
    """Return the default platform's devices, and the processor."""
    names = [_name(device) for device in jax.devices()]
    return (*(["cpu"] if "cpu" not in {name.split(":")[0] for name in names} else []), *names)


def _name(device: Any) -> str:
    return f"{device.platform}:{device.id}"


def device_of(array: Any) -> str:
    """Return where an array lies; "" for one that is being traced or lies in several places."""
    device = getattr(array, "device", None)
    return _name(device) if isinstance(device, jax.Device) else ""


def of_dtype(dtype: Any) -> AbstractContextManager[Any]:
    """Return the context in which JAX computes in a dtype: float64 must be allowed."""
    return jax.enable_x64(True) if dtype == np.float64 else nullcontext()


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def activate(activation: ActivationSpec, Z: Any) -> Any:
    """Return ``g(Z)``, with the derivative that `fastdense.array` gives, kinks and limits included."""
    return array_activate(xp, activation, Z)


@activate.defjvp
def _activate_jvp(activation: ActivationSpec, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    """Multiply the tangent by the derivative: a symmetric matrix in each row, so that back is as forth."""
    (Z,), (dZ,) = primals, tangents
    A = activate(activation, Z)
    return A, activate_backward(xp, activation, Z, A, dZ)
