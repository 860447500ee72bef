"""JAX: its backend for the array engine, and what `fastdense.dense` asks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as xp
import numpy as np

from fastdense.array.activations import activate, activate_backward
from fastdense.array.backend import Backend
from fastdense.core.spec import ActivationSpec
from fastdense.errors import EngineError
from fastdense.libraries.padding import padded
from fastdense.libraries.smooth import smooth

__all__ = ["JaxBackend", "backend", "beside", "curve", "device_of", "devices", "fetch", "xp"]


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
        """Return True if these are JAX's arrays."""
        return isinstance(values, jax.Array)

    def place(self, values: Any, dtype: str | None = None, copy: bool | None = None) -> Any:
        """Return an array on the device."""
        array = values if self.owns(values) else np.array(values, dtype, copy=copy)
        array = array if dtype is None else array.astype(dtype)
        return jax.device_put(array, self.device, may_alias=False if copy else None)

    def fetch(self, array: Any) -> Any:
        """Return a NumPy array."""
        return fetch(array)

    def fetch_all(self, arrays: Sequence[Any], how: str) -> Any:
        """Return many arrays as one, joined here: on the device JAX compiles that for each number of them."""
        return getattr(np, how)(jax.device_get(list(arrays)))

    def pad(self, rows: Any) -> Any:
        """Return as many rows as the next power of two: functions are compiled for each number of them."""
        return padded(rows) if self.compiled else rows

    def curve(self, activation: ActivationSpec, Z: Any) -> Any:
        """Return ``g(Z)``, with its own derivative."""
        return curve(activation, Z)

    def for_good(self) -> AbstractContextManager[Any]:
        """Make arrays also while a caller's function is traced."""
        context: AbstractContextManager[Any] = jax.ensure_compile_time_eval()
        return context

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
        if not platform or (number and not number.isdigit()):
            raise ValueError("a device is a platform, or a platform:number")
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


def fetch(array: Any) -> Any:
    """Return an array as NumPy's."""
    return np.asarray(array)


def device_of(array: Any) -> str:
    """Return where an array lies; "" for one that is being traced or lies in several places."""
    device = getattr(array, "device", None)
    return _name(device) if isinstance(device, jax.Device) else ""


def beside(array: Any) -> AbstractContextManager[Any]:
    """Return the context for computing with an array: float64 must be allowed."""
    return jax.enable_x64(True) if array.dtype == np.float64 else nullcontext()


_SMOOTH = smooth(xp, jax.nn.sigmoid)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def curve(activation: ActivationSpec, Z: Any) -> Any:
    """Return ``g(Z)``, with the derivative that `fastdense.array` gives, kinks and limits included."""
    return activate(xp, activation, Z)


@curve.defjvp
def _curve_jvp(activation: ActivationSpec, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    """Multiply the tangent by the derivative: a symmetric matrix in each row, so that back is as forth."""
    (Z,), (dZ,) = primals, tangents
    A = curve(activation, Z)
    return A, activate_backward(_SMOOTH, activation, Z, A, dZ)
