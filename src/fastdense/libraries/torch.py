"""PyTorch: its backend for the array engine, and what `fastdense.dense` asks of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
import torch

from fastdense.array.activations import activate, activate_backward
from fastdense.array.backend import Backend
from fastdense.core.spec import ActivationSpec
from fastdense.errors import EngineError
from fastdense.libraries import torch_functions as xp
from fastdense.libraries.smooth import smooth

__all__ = ["TorchBackend", "backend", "beside", "curve", "device_of", "devices", "fetch", "xp"]


class TorchBackend(Backend):
    """PyTorch on one device, operation by operation or by `torch.compile`."""

    def __init__(self, device: torch.device, compiled: bool) -> None:
        super().__init__(f"torch:{device}", xp)
        self.device = device
        self.compiled = compiled
        self.at_once = device.type == "cpu" and not compiled
        self.block = 4096 if device.type == "cpu" else 65536

    def scope(self) -> AbstractContextManager[Any]:
        """Compute in full precision, and without recording for gradients: the engine has its own."""
        stack = ExitStack()
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.autocast(self.device.type, enabled=False))
        return stack

    def owns(self, values: Any) -> bool:
        """Return True if these are tensors."""
        return isinstance(values, torch.Tensor)

    def place(self, values: Any, dtype: str | None = None, copy: bool | None = None) -> Any:
        """Return a tensor on the device; a GPU fetches it when it comes to it."""
        wanted = None if dtype is None else getattr(torch, dtype)
        tensor = values if self.owns(values) else torch.from_numpy(_shareable(np.asarray(values)))
        return tensor.detach().to(self.device, wanted, non_blocking=True, copy=bool(copy))

    def fetch(self, array: Any) -> Any:
        """Return a NumPy array."""
        return fetch(array)

    def number(self, value: float, dtype: str) -> Any:
        """Return a number; for compiled code, which takes others as constants, a tensor."""
        return (
            torch.tensor(value, dtype=getattr(torch, dtype), device=self.device) if self.compiled else value
        )

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile a function for the first number of rows that it meets, and then for all."""
        if not self.compiled:
            return function
        # Compiled code is kept with a function's code object, which all networks share, and only so much of
        # it: with a code object of its own no network is driven out by others.
        assert isinstance(function, FunctionType)
        own = FunctionType(function.__code__.replace(), function.__globals__, closure=function.__closure__)
        return torch.compile(own, fullgraph=True)


def backend(device: str | None, compiled: bool | None) -> TorchBackend:
    """Return the backend of a device; one that is not named is PyTorch's default."""
    return _backend(_found(device), bool(compiled))


@cache
def _backend(device: torch.device, compiled: bool) -> TorchBackend:
    return TorchBackend(device, compiled)


def _found(name: str | None) -> torch.device:
    """Return a device with its number, having computed on it: in double, as the losses are summed."""
    try:
        number = torch.ones(1, dtype=torch.float64, device=name)
        number.cpu()
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EngineError(
            f"PyTorch cannot compute on the device {name!r} ({reason}); its devices here are "
            f"{', '.join(devices())}"
        ) from error
    return torch.device("cpu") if number.device.type == "cpu" else number.device


def devices() -> tuple[str, ...]:
    """Return the processor and the accelerators."""
    if not torch.accelerator.is_available():
        return ("cpu",)
    kind = torch.accelerator.current_accelerator()
    return ("cpu", *(f"{kind}:{i}" for i in range(torch.accelerator.device_count())))


def fetch(array: Any) -> Any:
    """Return a tensor as a NumPy array."""
    return array.detach().cpu().numpy()


def device_of(array: Any) -> str:
    """Return a tensor's device."""
    return str(array.device)


def beside(array: Any) -> AbstractContextManager[Any]:
    """Return the context for computing with an array: in its dtype, whatever is cast automatically."""
    kind = array.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


_SMOOTH = smooth(xp, torch.sigmoid)


class _Curve(torch.autograd.Function):
    """An activation with the derivative that `fastdense.array` gives, kinks and limits included."""

    generate_vmap_rule = True

    @staticmethod
    def forward(Z: Any, activation: ActivationSpec) -> Any:
        return activate(xp, activation, Z)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.activation = inputs[1]
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, dA: Any) -> Any:
        Z, A = ctx.saved_tensors
        return activate_backward(_SMOOTH, ctx.activation, Z, A, dA), None

    @staticmethod
    def jvp(ctx: Any, dZ: Any, _: None) -> Any:
        """Multiply by the derivative: a symmetric matrix in each row, so that forth is as back."""
        Z, A = ctx.saved_tensors
        return activate_backward(_SMOOTH, ctx.activation, Z, A, dZ)


def curve(activation: ActivationSpec, Z: Any) -> Any:
    """Return ``g(Z)``, to be differentiated by PyTorch."""
    return Z if activation.name == "linear" else _Curve.apply(Z, activation)


def _shareable(array: Any) -> Any:
    """Return an array that PyTorch can share the memory of: it warns of read-only ones."""
    if any(stride < 0 for stride in array.strides):
        return np.ascontiguousarray(array)
    return array if array.flags.writeable else np.asarray(_Writable(array))


class _Writable:
    """A read-only array, described to NumPy as one that could be written to."""

    def __init__(self, array: Any) -> None:
        self.array = array
        described = array.__array_interface__
        self.__array_interface__ = {**described, "data": (described["data"][0], False)}
