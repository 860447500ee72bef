"""Other array libraries: which there are, which are here, and each one's backend for the array engine.

Nothing is imported before it is asked for; each library is imported in the module of its own name alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from fastdense.array.backend import Backend
from fastdense.errors import DtypeError, EngineError

__all__ = [
    "LIBRARIES",
    "Library",
    "accelerators",
    "backend_of",
    "check_writable",
    "devices",
    "installed",
    "library_of",
    "module_of",
    "parse",
]

LIBRARIES = {
    "torch": "pip install torch array-api-compat",
    "jax": "pip install jax",
    "tensorflow": "pip install tensorflow",
    "cupy": "pip install cupy-cuda13x array-api-compat (for CUDA 13)",
}
"""The libraries' names, which are those of their modules too, and how to get each."""


@dataclass(frozen=True)
class Library:
    """An engine that computes with another array library.

    Attributes
    ----------
    name : {"torch", "jax", "tensorflow", "cupy"}
    device : str, optional
        Where: "cpu", "cuda", "cuda:1", "gpu:0"..., in the library's own words; for CuPy the number of the
        GPU. None is the library's default.
    compiled : bool, optional
        Whether steps and predictions are compiled: by ``torch.compile``, ``tf.function`` or ``jax.jit``, the
        first time that they meet a number of rows. None is what suits the library: true for JAX and
        TensorFlow, whose operations one by one are slow, false for PyTorch. CuPy compiles nothing.

    Examples
    --------
    >>> Library("torch", device="cuda", compiled=True)
    Library(name='torch', device='cuda', compiled=True)
    """

    name: str
    device: str | None = None
    compiled: bool | None = None

    def __post_init__(self) -> None:
        if self.name not in LIBRARIES:
            raise EngineError(
                f"there is no array library {self.name!r}; choose one of {', '.join(LIBRARIES)}"
            )
        device: object = self.device
        if device is not None and not (isinstance(device, str) and device):
            raise TypeError(f"device must be a string such as 'cuda:0', or None, got {device!r}")
        compiled: object = self.compiled
        if compiled is not None and not isinstance(compiled, bool):
            raise TypeError(f"compiled must be True, False or None, got {compiled!r}")

    def __str__(self) -> str:
        return self.name if self.device is None else f"{self.name}:{self.device}"


def parse(name: str) -> Library | None:
    """Return the library that an engine's name such as "torch" or "torch:cuda:1" means, None for others.

    Examples
    --------
    >>> parse("jax:gpu").device, parse("native")
    ('gpu', None)
    """
    library, colon, device = name.partition(":")
    if library not in LIBRARIES:
        return None
    if colon and not device:
        raise EngineError(f"the engine {name!r} names no device: leave out the colon for the default one")
    return Library(library, device or None)


def installed() -> tuple[str, ...]:
    """Return the names of the libraries that are installed; none of them is imported."""
    return tuple(name for name in LIBRARIES if find_spec(name) is not None)


def library_of(values: Any) -> str | None:
    """Return the name of the library that an array is of, None for NumPy's and for anything else.

    It is found by the modules of the array's classes, so that none has to be imported.

    Examples
    --------
    >>> library_of([1.0, 2.0])
    """
    if isinstance(values, (np.ndarray, list, tuple)) or not hasattr(values, "dtype"):
        return None
    if type(values).__name__ in ("RaggedTensor", "SparseTensor", "IndexedSlices"):
        raise DtypeError(f"a {type(values).__name__} is not a dense matrix: make a dense tensor of it")
    modules = (cls.__module__.partition(".")[0] for cls in type(values).__mro__)
    return next((_OF_MODULE[module] for module in modules if module in _OF_MODULE), None)


def check_writable(out: Any) -> None:
    """Raise DtypeError for an array of a library whose arrays cannot be written to."""
    library = library_of(out)
    if library in ("jax", "tensorflow"):
        raise DtypeError(
            f"arrays of {library} cannot be written to: leave out=None, and take what is returned"
        )


_OF_MODULE = {**{name: name for name in LIBRARIES}, "jaxlib": "jax"}


def backend_of(library: Library) -> Backend:
    """Return the library's backend: one object for the same library, device and way of running.

    Raises
    ------
    EngineError
        The library is not installed or cannot be loaded, or has no such device: the message says what to
        install, or which devices there are.
    """
    backend: Backend = module_of(library.name).backend(library.device, library.compiled)
    return backend


def devices(name: str) -> tuple[str, ...]:
    """Return the devices that a library finds here, in its own words.

    Raises
    ------
    EngineError
        The library is not installed or cannot be loaded.
    """
    found: tuple[str, ...] = module_of(name).devices()
    return found


def accelerators(name: str) -> tuple[str, ...]:
    """Return a library's devices except the processor; none if the library cannot be loaded."""
    try:
        return tuple(device for device in devices(name) if not device.startswith("cpu"))
    except EngineError:
        return ()


def module_of(name: str) -> Any:
    """Return the module of this room that is a library's own.

    Raises
    ------
    EngineError
        The library is not installed or cannot be loaded.
    """
    try:
        return _imported(name)
    except (ImportError, OSError) as error:  # a shared library that is not found is an OSError
        raise EngineError(f"the engine {name!r} cannot be loaded ({error}): {LIBRARIES[name]}") from error


def _imported(name: str) -> Any:
    """Import a library's module, by statements, which ``torch.compile`` can trace through."""
    if name == "torch":
        from fastdense.libraries import torch

        return torch
    if name == "jax":
        from fastdense.libraries import jax

        return jax
    if name == "tensorflow":
        from fastdense.libraries import tensorflow

        return tensorflow
    from fastdense.libraries import cupy

    return cupy
