"""The state dict of one of PyTorch's files: found in a checkpoint, a module or a TorchScript program."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.torch.machine import Made
from fastdense.exchange.torch.pickles import Contents, Tensor, read_pickle

__all__ = ["chosen_within", "read_state"]

State = dict[str, Any]

_REPEATED = 4  # tensors may share a storage, as tied weights do
# A module within itself has names without end; no network has as many, or as long ones.
_MOST, _LONGEST = 100_000, 1000
_SCRIPT = "__torch__."  # what TorchScript's names of classes begin with
_PARTS = ("_parameters", "_buffers", "_modules")  # what an nn.Module keeps its tensors in


def read_state(path: str | os.PathLike[str], prefix: str | None = None) -> dict[str, Array]:
    """Return the tensors of a file by name, in its order; float16 and bfloat16 as float32.

    Parameters
    ----------
    path : path-like
    prefix : str, optional
        What the names of the wanted tensors begin with, up to a point; it is cut off. The names of a dict
        within others begin with its keys: ``model_state_dict.``.

    Raises
    ------
    FormatError
        The file is damaged, holds no state dict or several, or claims to be larger than it is.
    OSError
        It cannot be opened.
    """
    limit = Path(path).stat().st_size

    def take(contents: Contents) -> dict[str, Array]:
        state = _chosen(path, contents.objects, prefix)
        for name, value in state.items():
            if not isinstance(value, Tensor):
                raise FormatError(f"{path}: {name!r:.100} is not a dense tensor, but {_kind(value)}")
        size = sum(tensor.nbytes for tensor in state.values())
        if size > _REPEATED * limit:  # a tensor may claim to repeat what is there once
            raise FormatError(f"{path} claims {size} bytes of tensors but is {limit} bytes long")
        return {name: contents.array(tensor) for name, tensor in state.items()}

    state: dict[str, Array] = read_pickle(path, take)
    return state


def chosen_within(path: object, tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the tensors whose names begin with a prefix, without it; FormatError if there are none."""
    chosen = _within(tensors, prefix)
    if not chosen:
        heads = dict.fromkeys(f"{name.partition('.')[0]}." for name in tensors)
        raise FormatError(
            f"{path}: no tensor's name begins with {prefix!r:.100}; they begin with {', '.join(heads):.300}"
        )
    return chosen


def _within(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return those whose names begin with a prefix, without it."""
    start = prefix if prefix.endswith(".") or not prefix else f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _chosen(path: object, objects: Any, prefix: str | None) -> State:
    """Return the state dict that a file holds, or the part of one that a prefix names."""
    found = dict(_states(objects))
    named = {place: state for place, state in found.items() if any(map(_is_weight, state))} or found
    if prefix is not None:
        everything = {_join(place, key): v for place, state in found.items() for key, v in state.items()}
        only = next(iter(named.values())) if len(named) == 1 else everything
        return _within(everything, prefix) or chosen_within(path, only, prefix)
    if not named and isinstance(objects, Made) and objects.name.startswith(_SCRIPT):
        raise FormatError(
            f"{path} is a TorchScript program whose weights are frozen into its code: read it by "
            "from_torch(torch.jit.load(path))"
        )
    if not named:
        raise FormatError(
            f"{path} is not a state_dict or a checkpoint with one, but {_kind(objects)}: save "
            "module.state_dict() in it"
        )
    if len(named) > 1:
        places = ", ".join(repr(place) for place in named)
        raise FormatError(f"{path} holds several state dicts: choose one of {places:.500} with prefix=")
    return next(iter(named.values()))


def _states(objects: Any) -> Iterator[tuple[str, State]]:
    """Yield the state dicts among objects, each with the keys that lead to it."""
    waiting: list[tuple[str, Any]] = [("", objects)]
    seen: set[int] = set()
    while waiting:
        place, value = waiting.pop()
        if id(value) in seen:  # a dict may hold itself
            continue
        seen.add(id(value))
        if (members := _members(value)) is not None:
            state = dict(_flat(members))
        elif isinstance(value, dict):
            state = {key: v for key, v in value.items() if isinstance(key, str) and _is_tensor(v)}
            inner = [(_join(place, key), v) for key, v in value.items() if isinstance(key, str)]
            waiting += reversed(inner)
        else:
            continue
        if state:
            yield place, state


def _members(value: Any) -> State | None:
    """Return a module's tensors and modules by name, if the value is one; TorchScript's have no dicts."""
    if not isinstance(value, Made) or not isinstance(value.state, dict):
        return None
    if value.name.startswith(_SCRIPT):
        return value.state
    parts = [value.state.get(part) for part in _PARTS]
    if not all(isinstance(part, dict) for part in parts):
        return None
    return {name: member for part in parts if isinstance(part, dict) for name, member in part.items()}


def _flat(members: State) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of a module and of those within it, as its state dict names them."""
    waiting = list(reversed(members.items()))
    for _ in range(_MOST):
        if not waiting:
            return
        name, value = waiting.pop()
        if _is_tensor(value):
            yield name, value
        elif (inner := _members(value)) is not None:
            waiting += [(_join(name, key), v) for key, v in reversed(inner.items())]
    raise ValueError("it has too many modules, or one within itself")


def _is_tensor(value: Any) -> bool:
    """Return True for tensors, and for those that are not read: sparse and quantised ones, say."""
    return isinstance(value, Tensor) or (isinstance(value, Made) and "._rebuild_" in value.name)


def _is_weight(name: str) -> bool:
    return name.rpartition(".")[2].startswith(("weight", "original"))


def _join(place: str, name: str) -> str:
    if len(place) + len(name) > _LONGEST:
        raise ValueError(f"a name longer than {_LONGEST} characters")
    return f"{place}.{name}" if place else name


def _kind(value: Any) -> str:
    """Return what an object would have been."""
    if isinstance(value, Made):
        return f"{value.name:.100}"
    if isinstance(value, dict):
        kinds = dict.fromkeys(_kind(v) if isinstance(v, Made) else type(v).__name__ for v in value.values())
        return f"a dict of {', '.join(kinds) or 'nothing'}"[:300]
    return f"a {type(value).__name__}"
