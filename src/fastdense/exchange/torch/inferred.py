"""The network that a file of PyTorch's weights makes, as far as they decide it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.activations import ActivationFunction
from fastdense.core.notes import note
from fastdense.errors import FormatError
from fastdense.exchange.chain import Chain
from fastdense.exchange.content import Content
from fastdense.exchange.torch.groups import Groups, listed, read_groups, shapes
from fastdense.exchange.torch.order import is_norm, ordered
from fastdense.exchange.torch.parts import normalised

__all__ = ["read"]

Group = Mapping[str, NDArray[Any]]
_EPSILON = 1e-5  # PyTorch's default, which a batch normalisation's tensors do not show


def read(
    path: str | os.PathLike[str],
    activation: str | ActivationFunction = "relu",
    last: str | ActivationFunction = "linear",
    order: Sequence[str] | None = None,
    prefix: str | None = None,
) -> Content:
    """Read a network; see `fastdense.formats.torch.network_from_torch_weights`."""
    groups, as_defined = read_groups(path, prefix)
    dtypes = sorted({array.dtype.name for group in groups.values() for array in group.values()})
    if dtypes not in (["float32"], ["float64"]):
        raise FormatError(
            f"{path} holds tensors of {listed(dtypes)}; a network has one dtype, float32 or float64"
        )
    _refuse_others(path, groups)
    names = ordered(path, groups, lambda done, name: _fits(groups, done, name), order, as_defined)
    if any(is_norm(groups[name]) for name in names):
        _tell_of_norms(path, groups, names)
    chain = Chain(dtype=dtypes[0])
    for name, step in _steps(groups, names, activation, last):
        try:
            _take(chain, step)
        except (FormatError, ValueError) as error:
            raise FormatError(f"{path}: {name or 'the module'}: {error}{_choices(groups)}") from None
    return chain.content()


def _refuse_others(path: object, groups: Groups) -> None:
    for name, group in groups.items():
        linear = {"weight"} <= set(group) <= {"weight", "bias"} and group["weight"].ndim == 2
        if not linear and not _is_flat_norm(group):
            what = f"is not a Linear: it has {shapes(group)}"
            raise FormatError(f"{path}: {name or 'the module'} {what}{_choices(groups)}")


def _is_flat_norm(group: Group) -> bool:
    """Return True for a batch normalisation's numbers, one per column each."""
    sizes = {array.shape for array in group.values()}
    known = {"running_mean", "running_var", "weight", "bias"}
    return is_norm(group) and set(group) <= known and len(sizes) == 1 and len(next(iter(sizes))) == 1


def _fits(groups: Groups, done: Sequence[str], name: str) -> bool:
    return not done or _widths(groups[done[-1]])[1] == _widths(groups[name])[0]


def _widths(group: Group) -> tuple[int, int]:
    """Return the columns that a module takes, and those that it makes."""
    if is_norm(group):
        return group["running_mean"].size, group["running_mean"].size
    n_units, n_in = group["weight"].shape
    return n_in, n_units


def _steps(
    groups: Groups, names: Sequence[str], activation: str | ActivationFunction, last: str | ActivationFunction
) -> Iterator[tuple[str, Any]]:
    """Yield what a chain takes, tensors and activations, each with the module that it belongs to."""
    linears = [i for i, name in enumerate(names) if not is_norm(groups[name])]
    for name in names[: linears[0] if linears else len(names)]:
        yield name, groups[name]
    for i, end in zip(linears, [*linears[1:], len(names)], strict=True):
        name, norms = names[i], names[i + 1 : end]
        behind = [norm for norm in norms if _room_between(name, norm)]
        yield name, groups[name]
        yield from ((norm, groups[norm]) for norm in norms if norm not in behind)
        yield name, last if end == len(names) else activation
        yield from ((norm, groups[norm]) for norm in behind)


def _room_between(linear: str, norm: str) -> bool:
    """Return True if the numbers of a Sequential leave room for an activation: of net.0 and net.2."""
    (*parents, number), (*others, behind) = linear.split("."), norm.split(".")
    return parents == others and number.isdecimal() and behind.isdecimal() and int(behind) - int(number) > 1


def _take(chain: Chain, step: Any) -> None:
    if not isinstance(step, Mapping):
        chain.activate(step)
    elif is_norm(step):
        statistics = step["running_mean"], step["running_var"]
        chain.scale(*normalised(*statistics, step.get("weight"), step.get("bias"), _EPSILON))
    else:
        chain.dense(np.ascontiguousarray(step["weight"].T), step.get("bias"))


def _tell_of_norms(path: object, groups: Groups, names: Sequence[str]) -> None:
    behind = [b for a, b in pairwise(names) if is_norm(groups[b]) and _room_between(a, b)]
    place = f"before the activations{', but ' + listed(behind) + ' behind them' if behind else ''}"
    norms = listed(name for name in names if is_norm(groups[name]))
    note(
        f"{path}: the batch normalisations ({norms}) are taken with an epsilon of {_EPSILON}, which is "
        f"PyTorch's default, and {place}; the weights show neither"
    )


def _choices(groups: Groups) -> str:
    """Return a hint to choose one of several networks, if there may be several."""
    heads = dict.fromkeys(name.partition(".")[0] for name in groups)
    containers = dict.fromkeys(name.partition(".")[0] for name in groups if "." in name)
    if len(heads) < 2 or not containers:
        return ""
    return f". If these are several networks, choose one of {listed(containers)} with prefix="
