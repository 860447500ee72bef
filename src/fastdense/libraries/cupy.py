"""CuPy: its backend for the array engine, and what `fastdense.dense` asks of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import array_api_compat.cupy as xp
import cupy

from fastdense.array.activations import activate
from fastdense.array.backend import Backend
from fastdense.core.spec import ActivationSpec
from fastdense.errors import EngineError

__all__ = ["CupyBackend", "backend", "beside", "curve", "device_of", "devices", "fetch", "xp"]


class CupyBackend(Backend):
    """CuPy on one GPU."""

    at_once = False
    block = 65536

    def __init__(self, device: int) -> None:
        super().__init__(f"cupy:{device}", xp)
        self.device = device

    def scope(self) -> AbstractContextManager[Any]:
        """Compute on the GPU."""
        context: AbstractContextManager[Any] = cupy.cuda.Device(self.device)
        return context

    def owns(self, values: Any) -> bool:
        """Return True if these are CuPy's arrays."""
        return isinstance(values, cupy.ndarray)

    def place(self, values: Any, dtype: str | None = None, copy: bool | None = None) -> Any:
        """Return an array on the GPU."""
        return cupy.array(values, dtype, copy=bool(copy))

    def fetch(self, array: Any) -> Any:
        """Return a NumPy array."""
        return fetch(array)


def backend(device: str | None, compiled: bool | None) -> CupyBackend:
    """Return the backend of a GPU; one that is not named is the current one."""
    if compiled:
        raise EngineError("CuPy compiles nothing: leave out compiled=True, or choose torch or jax")
    try:
        number = cupy.cuda.Device().id if device is None else int(device)
        with cupy.cuda.Device(number):
            cupy.ones(1)
    except (RuntimeError, ValueError) as error:  # CUDA's errors are RuntimeErrors
        raise EngineError(
            f"CuPy cannot compute on the GPU {device!r} ({error}); the GPUs here are "
            f"{', '.join(devices()) or 'none'}"
        ) from error
    return _backend(number)


@cache
def _backend(device: int) -> CupyBackend:
    return CupyBackend(device)


def devices() -> tuple[str, ...]:
    """Return the numbers of the GPUs."""
    try:
        return tuple(str(i) for i in range(cupy.cuda.runtime.getDeviceCount()))
    except RuntimeError:  # no driver
        return ()


def fetch(array: Any) -> Any:
    """Return an array in main memory, NumPy's."""
    return cupy.asnumpy(array)


def device_of(array: Any) -> str:
    """Return the number of the GPU that an array lies on."""
    return str(array.device.id)


def beside(array: Any) -> AbstractContextManager[Any]:
    """Return the context for computing with an array: on the GPU that it lies on."""
    context: AbstractContextManager[Any] = array.device
    return context


def curve(activation: ActivationSpec, Z: Any) -> Any:
    """Return ``g(Z)``; CuPy differentiates nothing."""
    return activate(xp, activation, Z)
