"""Many networks in one call: searches over hyperparameters; each tool loads when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastdense.search.builder import Builder
    from fastdense.search.ensemble import Ensemble
    from fastdense.search.grid import GridSearch, RandomSearch
    from fastdense.search.halving import HalvingSearch
    from fastdense.search.loading import load
    from fastdense.search.spaces import choice, integers, log_uniform, uniform
    from fastdense.search.studies import optuna
    from fastdense.search.tables import TableSearch, search_table
    from fastdense.search.validation import cross_val

__all__ = [
    "Builder",
    "Ensemble",
    "GridSearch",
    "HalvingSearch",
    "RandomSearch",
    "TableSearch",
    "choice",
    "cross_val",
    "integers",
    "load",
    "log_uniform",
    "optuna",
    "search_table",
    "uniform",
]

_HOMES = {
    "Builder": "builder",
    "Ensemble": "ensemble",
    "GridSearch": "grid",
    "HalvingSearch": "halving",
    "RandomSearch": "grid",
    "TableSearch": "tables",
    "choice": "spaces",
    "cross_val": "validation",
    "integers": "spaces",
    "load": "loading",
    "log_uniform": "spaces",
    "optuna": "studies",
    "search_table": "tables",
    "uniform": "spaces",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("sklearn", "scipy"):
            raise
        raise ModuleNotFoundError(
            f"fastdense.search.{name} needs scikit-learn 1.9 or later: pip install 'fastdense[search]'",
            name=error.name,
        ) from error
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
