"""Values as the code that makes them, for a record of what was called."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any

import numpy as np

from fastdense.callbacks import Callback
from fastdense.core.config import Configurable

__all__ = ["OMITTED", "call", "written"]

OMITTED = "..."
"""What stands for a value that no code makes, such as an array or a function without a name."""


def written(value: Any) -> str:
    """Return a value as code, the caller's functions and classes by their names.

    Examples
    --------
    >>> written({"rates": (np.float64(0.5), 2)}), written(lambda x: x), written(np.ones(3))
    ("{'rates': (0.5, 2)}", '...', '...')
    """
    match value:
        case np.generic():
            return written(value.item())
        case None | bool() | int() | str():
            return repr(value)
        case float():
            return repr(value) if np.isfinite(value) else f"float({str(value)!r})"
        case PathLike():
            return written(fspath(value))
        case list():
            return f"[{', '.join(map(written, value))}]"
        case tuple():
            return f"({', '.join(map(written, value))}{',' * (len(value) == 1)})"
        case Mapping():
            return f"{{{', '.join(f'{written(key)}: {written(one)}' for key, one in value.items())}}}"
        case Configurable():
            return call(type(value).__name__, value.given())
        case Callback():
            return _callback(value)
    name = getattr(value, "__name__", "")
    return name if callable(value) and name.isidentifier() else OMITTED


def call(function: str, arguments: Mapping[str, Any]) -> str:
    """Return a call with arguments by their names."""
    return f"{function}({', '.join(f'{name}={written(value)}' for name, value in arguments.items())})"


def _callback(callback: Callback) -> str:
    """Return a callback's constructor with the arguments that it kept under their names."""
    parameters = inspect.signature(type(callback)).parameters
    own = vars(callback)
    if any(p.default is p.empty and name not in own for name, p in parameters.items()):
        return f"{type(callback).__name__}({OMITTED})"
    kept = {name: own[name] for name in parameters if name in own}
    given = {name: value for name, value in kept.items() if not _is_same(value, parameters[name].default)}
    return call(type(callback).__name__, given)


def _is_same(value: Any, default: Any) -> bool:
    same = type(value) is type(default) and written(value) == written(default) != OMITTED
    return value is default or same
