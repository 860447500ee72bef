"""The optimizer's arrays by name, ``slots/<parameter>/<slot>``, as files and backups hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from fastdense.core.spec import NetworkSpec, OptimizerSpec
from fastdense.engines import Slots

__all__ = ["check", "grouped", "named"]

Arrays = Mapping[str, NDArray[Any]]


def named(slots: Slots, optimizer: OptimizerSpec) -> dict[str, NDArray[Any]]:
    """Return the optimizer's state by name."""
    return {
        f"slots/{i}/{name}": array
        for i, of_parameter in enumerate(slots)
        for name, array in zip(optimizer.slots, of_parameter, strict=True)
    }


def grouped(arrays: Arrays, network: NetworkSpec, optimizer: OptimizerSpec) -> Slots | None:
    """Return checked arrays as engines take them, None if there are none."""
    groups: dict[str, list[NDArray[Any]]] = {}
    for name in _shapes(network, optimizer) if arrays else ():
        groups.setdefault(name.split("/")[1], []).append(arrays[name])
    return [tuple(group) for group in groups.values()] or None


def check(arrays: Arrays, network: NetworkSpec, optimizer: OptimizerSpec, iterations: int = 0) -> None:
    """Raise ValueError unless these are the arrays of an optimizer that has taken ``iterations`` steps.

    There may be none before the first step: it starts from fresh ones.
    """
    expected = _shapes(network, optimizer)
    if not arrays and expected and iterations:
        raise ValueError(f"the optimizer has taken {iterations} steps but its state is missing")
    if arrays and set(arrays) != set(expected):
        odd = sorted(set(arrays) ^ set(expected))
        raise ValueError(f"the optimizer's state is not this model's: {str(odd)[:200]} missing or unknown")
    for name, array in arrays.items():
        if array.shape != expected[name] or str(array.dtype) != network.dtype:
            raise ValueError(
                f"{name} should be {network.dtype} of shape {expected[name]}, got {array.dtype} {array.shape}"
            )


def _shapes(network: NetworkSpec, optimizer: OptimizerSpec) -> dict[str, tuple[int, ...]]:
    trained = enumerate(network.trained)
    return {f"slots/{i}/{name}": p.shape for i, p in trained for name in optimizer.slots}
