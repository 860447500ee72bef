"""Which names are public, and what they stand for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

# Public modules that `fastdense.__all__` does not name: they are reached through those that it names.
INNER = (
    "fastdense.formats.c",
    "fastdense.formats.keras",
    "fastdense.formats.onnx",
    "fastdense.formats.torch",
    "fastdense.native",
    "fastdense.optimizers.schedules",
)


def public_names() -> Iterator[tuple[str, object]]:
    """Yield every public name with what it stands for."""
    package = import_module("fastdense")
    for name in package.__all__:
        value = getattr(package, name)
        yield f"fastdense.{name}", value
    modules = [value for _, value in vars_of(package) if isinstance(value, ModuleType)]
    for module in [*modules, *map(import_module, INNER)]:
        yield module.__name__, module
        for name, value in vars_of(module):
            yield f"{module.__name__}.{name}", value


def vars_of(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield a module's public names and values."""
    for name in getattr(module, "__all__", ()):
        yield name, getattr(module, name)


def names_in(module: ModuleType) -> list[str]:
    """Return a module's public names: its ``__all__``, or the functions that it defines."""
    own = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    return list(getattr(module, "__all__", own))


def kind_of(value: object) -> str:
    """Return what autodoc calls a value's kind."""
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if inspect.isroutine(value) else "data"


def resolved(name: str) -> Any:
    """Return what a dotted name stands for: a module or something in one. None where it is neither."""
    parts = name.split(".") if name else []
    for count in range(len(parts), 0, -1):
        try:
            value = import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            value = getattr(value, part, None)
        return value
    return None
