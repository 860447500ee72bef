"""Dense neural networks: learned from loops that can be read, run at the speed of the hardware.

Everything public is here, and loads when it is first used: importing fastdense imports NumPy and nothing
heavier.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastdense._version import __version__

if TYPE_CHECKING:
    from fastdense import (
        activations,
        array,
        callbacks,
        engines,
        errors,
        estimators,
        formats,
        initializers,
        insight,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        reference,
        regularizers,
        search,
        tables,
        tabular,
        utils,
    )
    from fastdense.engines.machine import Info, info
    from fastdense.estimators import MLPClassifier, MLPRegressor, from_sklearn
    from fastdense.exchange.tables import read_table
    from fastdense.formats.torch import from_torch, to_torch
    from fastdense.functional import dense
    from fastdense.layers import Activation, Dense, Dropout, Input, Normalization
    from fastdense.models.sequential import Sequential
    from fastdense.native import get_threads, set_threads
    from fastdense.tabular.files import load

_MODULES = (
    "activations",
    "array",
    "callbacks",
    "engines",
    "errors",
    "estimators",
    "formats",
    "initializers",
    "insight",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "reference",
    "regularizers",
    "search",
    "tables",
    "tabular",
    "utils",
)
_HOMES = {
    "Activation": "fastdense.layers",
    "Dense": "fastdense.layers",
    "Dropout": "fastdense.layers",
    "Info": "fastdense.engines.machine",
    "Input": "fastdense.layers",
    "MLPClassifier": "fastdense.estimators",
    "MLPRegressor": "fastdense.estimators",
    "Normalization": "fastdense.layers",
    "Sequential": "fastdense.models.sequential",
    "dense": "fastdense.functional",
    "from_sklearn": "fastdense.estimators",
    "from_torch": "fastdense.formats.torch",
    "info": "fastdense.engines.machine",
    "load": "fastdense.tabular.files",
    "get_threads": "fastdense.native",
    "read_table": "fastdense.exchange.tables",
    "set_threads": "fastdense.native",
    "to_torch": "fastdense.formats.torch",
}

__all__ = [
    "Activation",
    "Dense",
    "Dropout",
    "Info",
    "Input",
    "MLPClassifier",
    "MLPRegressor",
    "Normalization",
    "Sequential",
    "__version__",
    "activations",
    "array",
    "callbacks",
    "dense",
    "engines",
    "errors",
    "estimators",
    "formats",
    "from_sklearn",
    "from_torch",
    "get_threads",
    "info",
    "initializers",
    "insight",
    "layers",
    "load",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "read_table",
    "reference",
    "regularizers",
    "search",
    "set_threads",
    "tables",
    "tabular",
    "to_torch",
    "utils",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"fastdense.{name}")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    from fastdense.core.absent import advice

    instead = advice(name)
    raise AttributeError(f"module 'fastdense' has no attribute {name!r}{f': {instead}' if instead else ''}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
