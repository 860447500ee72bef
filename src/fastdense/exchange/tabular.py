"""What was learned of a table in one file: networks whose mean predicts, the table, and how sure they are.

The file is as strict as a single model's: the description of each network is a model's own, and nothing is
executed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.core import files
from fastdense.core.arrays import Array
from fastdense.core.checks import number, text
from fastdense.errors import FormatError
from fastdense.exchange import safetensors
from fastdense.exchange.content import Content
from fastdense.exchange.safetensors import TABULAR, check_version, fields_of, refusals
from fastdense.tables import Table

__all__ = ["TabularContent", "is_tabular", "read", "write"]

_VERSION = 1
_FIELDS = ("metric", "quantile", "temperature", "clamp", "honest", "table", "networks")


@dataclass(frozen=True, eq=False)
class TabularContent:
    """A `fastdense.tabular.TabularModel` as its file holds it; the attributes are the model's."""

    table: Table
    networks: Sequence[Content]
    metric: str
    quantile: float
    temperature: float
    clamp: tuple[float, float] | None
    residuals: tuple[Array, ...]
    honest: Mapping[str, float]


def is_tabular(path: str | os.PathLike[str]) -> bool:
    """Return True if a file is one that `write` wrote, by its header alone."""
    if Path(path).suffix.lower() != ".safetensors":
        return False
    with suppress(FormatError, OSError), files.open_tensors(path) as tensors:
        return any(f'"format": "{TABULAR}"' in value for value in tensors.metadata.values())
    return False


def write(content: TabularContent, path: str | os.PathLike[str]) -> None:
    """Write a file.

    Raises
    ------
    FormatError
        Another ending.
    OSError
        The file cannot be written; what was there before is untouched.
    """
    if Path(path).suffix.lower() != ".safetensors":
        raise FormatError(
            f"a table's model is saved to a file that ends in .safetensors, got {os.fspath(path)!r}"
        )
    packed = [safetensors.pack(network) for network in content.networks]
    arrays = {f"networks/{i}/{name}": each for i, (_, own) in enumerate(packed) for name, each in own.items()}
    arrays |= {f"residuals/{i}": each for i, each in enumerate(content.residuals)}
    description = {
        "format": TABULAR,
        "version": _VERSION,
        "metric": content.metric,
        "quantile": content.quantile,
        "temperature": content.temperature,
        "clamp": None if content.clamp is None else list(content.clamp),
        "honest": dict(content.honest),
        "table": content.table.to_dict(),
        "networks": [each for each, _ in packed],
    }
    files.write(path, description, arrays)


def read(path: str | os.PathLike[str]) -> TabularContent:
    """Return what a file holds that `write` wrote.

    Raises
    ------
    FormatError
        The file is damaged, of another kind or version, or holds anything that is not known here.
    OSError
        It cannot be opened.
    """
    description, arrays = files.read(path)
    with refusals(path):
        if description.get("format") != TABULAR:
            raise FormatError("the file holds no model of a table")
        check_version(description, _VERSION)
        _, _, metric, quantile, temperature, clamp, honest, table, networks = fields_of(
            description, "file", ("format", "version", *_FIELDS)
        )
        if not isinstance(networks, list) or not networks:
            raise FormatError("a table's model has a list of at least one network")
        content = TabularContent(
            Table.from_dict(table),
            [safetensors.member(f"networks/{i}/", each, arrays) for i, each in enumerate(networks)],
            text("metric", metric),
            _float("quantile", quantile, above=0.0, below=1.0),
            _float("temperature", temperature, above=0.0),
            _clamp(clamp),
            _residuals(arrays, len(networks)),
            _scores(honest),
        )
        if arrays:
            raise FormatError(f"the tensors {', '.join(sorted(arrays))[:200]} are not known")
        _check(content)
        return content


def _check(content: TabularContent) -> None:
    """Raise FormatError unless the networks fit the table, and there is what its task needs."""
    target, classify = content.table.target, content.table.task == "classify"
    if target is None:
        raise FormatError("the table has no target")
    shape = len(content.table.feature_names), len(content.table.classes) if classify else 1
    for network in content.networks:
        if (network.n_in, network.network.n_out) != shape or network.dtype != "float32":
            raise FormatError(f"a network is not float32 with {shape[0]} inputs and {shape[1]} outputs")
        if network.table is not None or network.training is not None:
            raise FormatError("a network has a table or an optimizer of its own")
    if classify != (content.clamp is None) or (classify and content.residuals):
        raise FormatError("only a model that regresses has a clamp and residuals, and it has a clamp")


def _float(name: str, value: Any, **bounds: float) -> float:
    if type(value) is not float:
        raise FormatError(f"{name} is not a number with a fraction")
    return number(name, value, **bounds)


def _clamp(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise FormatError("the clamp is two numbers")
    low, high = (_float("clamp", each) for each in value)
    if not low < high:
        raise FormatError("the clamp's first number is below its second")
    return low, high


def _scores(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise FormatError("the honest scores are an object")
    return {text("a score's name", name): _float(name, each) for name, each in value.items()}


def _residuals(arrays: dict[str, Array], networks: int) -> tuple[Array, ...]:
    """Return the residuals of each network, taken out of all arrays: of all of them or of none."""
    found = tuple(arrays.pop(f"residuals/{i}") for i in range(networks) if f"residuals/{i}" in arrays)
    if len(found) not in (0, networks):
        raise FormatError("some networks have residuals, and others none")
    for each in found:
        if each.dtype != np.float64 or each.ndim != 1 or not len(each):
            raise FormatError("residuals are float64 numbers in one dimension")
        if not math.isfinite(float(np.abs(each).max())) or (np.diff(each) < 0).any():
            raise FormatError("residuals are finite numbers in order")
    return found
