"""How Keras writes a call of a layer in a functional model: with which layers' outputs, and what else."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from fastdense.errors import FormatError

__all__ = ["TENSOR", "Arguments", "History", "arguments_of"]


class _Tensor:
    """Stands for what comes from the network, among a call's arguments."""

    def __repr__(self) -> str:
        return "the rows"


TENSOR: Final = _Tensor()


class History(NamedTuple):
    """Where a tensor comes from: a layer, which of its calls, and which of that call's outputs."""

    name: Any
    node: Any
    output: Any


class Arguments(NamedTuple):
    """What a layer or a function is called with, the tensors among it replaced by `TENSOR`."""

    args: list[Any]
    kwargs: dict[str, Any]
    tensors: list[History]

    def others(self) -> dict[str, Any]:
        """Return what a layer is called with beside tensors that is not its default, by name or place."""
        named = {str(i): value for i, value in enumerate(self.args)} | self.kwargs
        return {key: v for key, v in named.items() if v not in (None, False) and not _holds_tensor(v)}


def arguments_of(node: Any) -> Arguments:
    """Return the arguments of one of a layer's ``inbound_nodes``, of Keras 3 or before.

    Raises
    ------
    FormatError
        It is not written as Keras writes it.
    """
    if isinstance(node, dict):
        args, kwargs = node.get("args", []), node.get("kwargs", {})
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise FormatError("how its layers are called is not written as Keras writes it")
        tensors: list[History] = []
        args = [_replaced(value, tensors) for value in args]
        return Arguments(args, {name: _replaced(value, tensors) for name, value in kwargs.items()}, tensors)
    return _old(node)


def _replaced(value: Any, tensors: list[History]) -> Any:
    """Return an argument of Keras 3's with its tensors replaced, which are added to the list."""
    if isinstance(value, list):
        return [_replaced(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    config = value.get("config")
    if value.get("class_name") == "__keras_tensor__" and isinstance(config, dict):
        history = config.get("keras_history")
        tensors.append(_history(history))
        return TENSOR
    return {name: _replaced(item, tensors) for name, item in value.items()}


def _old(node: Any) -> Arguments:
    """Return the same of ``["x", 0, 0, {}]``, alone or in a list with others, as Keras 2 has it."""
    calls = node if isinstance(node, list) and not (node and isinstance(node[0], str)) else [node]
    if not all(isinstance(call, list) and len(call) in (3, 4) for call in calls):
        raise FormatError("how its layers are called is not written as Keras 2 writes it")
    tensors: list[History] = []
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for call in calls:
        if call[0] == "_CONSTANT_VALUE":
            args.append(call[2])
        else:
            args.append(TENSOR)
            tensors.append(_history(call[:3]))
        own = call[3] if len(call) == 4 and isinstance(call[3], dict) else {}
        kwargs |= {name: _replaced_old(value, tensors) for name, value in own.items()}
    return Arguments(args, kwargs, tensors)


def _replaced_old(value: Any, tensors: list[History]) -> Any:
    """Return an argument of Keras 2's by name, replaced where it is a tensor, as ``["x", 0, 0]``."""
    if _is_triple(value) and isinstance(value[0], str) and type(value[1]) is type(value[2]) is int:
        tensors.append(_history(value))
        return TENSOR
    return value


def _history(value: Any) -> History:
    return History(*value) if _is_triple(value) else History(None, None, None)


def _is_triple(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3


def _holds_tensor(value: Any) -> bool:
    items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return any(item is TENSOR or (item is not value and _holds_tensor(item)) for item in items)
