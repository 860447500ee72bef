"""A model's description as a tree of models and layers, and their calls from input to output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastdense.errors import FormatError
from fastdense.exchange.keras.calls import Arguments, History, arguments_of
from fastdense.exchange.keras.classes import check_own
from fastdense.exchange.keras.settings import check_settings

__all__ = ["Call", "Layer", "Model", "model_of", "name_of"]

Layer = dict[str, Any]

_MODELS = ("Sequential", "Functional", "Model")
# Models inside models: Keras' own tools fail long before.
_DEEPEST = 32


class Call(NamedTuple):
    """A layer, or a model in its place, and what it is called with; None in a ``Sequential``."""

    layer: Layer | Model
    arguments: Arguments | None = None


@dataclass(frozen=True)
class Model:
    """A model: its layers as the file lists them, and its calls from input to output.

    A layer that is called several times is listed once.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    layers: list[Layer | Model]
    calls: list[Call]

    def leaves(self) -> Iterator[Call]:
        """Yield the calls, those of the models inside it in their places."""
        for call in self.calls:
            if isinstance(call.layer, Model):
                yield from call.layer.leaves()
            else:
                yield call


def name_of(layer: Layer | Model) -> str:
    """Return the name of a layer, cut short, for messages; empty if it has none."""
    if isinstance(layer, Model):
        return layer.name[:200]
    return str(layer["config"].get("name", layer.get("name", "")))[:200]


def model_of(entry: Any, depth: int = 0) -> Model:
    """Return the model that a description is of.

    Parameters
    ----------
    entry : dict
        The ``class_name`` and ``config`` of a ``Sequential`` or a functional model.
    depth : int
        Models around it.

    Raises
    ------
    FormatError
        It is neither, or not one chain of layers.
    """
    kind = entry.get("class_name") if isinstance(entry, dict) else None
    config = entry.get("config") if isinstance(entry, dict) else None
    config = {"layers": config} if isinstance(config, list) else config  # in the first versions
    if kind not in _MODELS or not isinstance(config, dict):
        raise FormatError(
            f"it is of class {kind!r:.200}: a Sequential or a functional model can be read, but a class of "
            "a user's class has its forward pass in Python code, which the file does not hold"
        )
    check_own(entry)
    check_settings("Sequential" if kind == "Sequential" else "Functional", config)
    if depth > _DEEPEST:
        raise FormatError(f"models are inside models, more than {_DEEPEST} deep")
    listed = config.get("layers")
    if not isinstance(listed, list) or not all(map(_is_layer, listed)):
        raise FormatError("its layers are not listed as Keras lists them")
    if not listed and depth == 0:
        raise FormatError("it has no layers")
    layers = [model_of(one, depth + 1) if one["class_name"] in _MODELS else one for one in listed]
    if kind == "Sequential" and any(one["class_name"] == "InputLayer" for one in listed[1:]):
        raise FormatError(f"{str(config.get('name'))!r:.200} has an InputLayer that is not its first layer")
    names = [_called(one) for one in listed]
    given = [name for name in names if name is not None]
    if len(set(given)) != len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise FormatError(f"two layers of {str(config.get('name'))!r:.200} are named {twice!r:.200}")
    calls = [Call(layer) for layer in layers]
    if kind != "Sequential":
        nodes = [one.get("inbound_nodes") or [] for one in listed]
        if not all(isinstance(calls_of_one, list) for calls_of_one in nodes):
            raise FormatError("how its layers are called is not written as Keras writes it")
        calls = _chain(config, dict(zip(names, zip(layers, nodes, strict=True), strict=True)))
    name = entry.get("name") or config.get("name")
    return Model(name if isinstance(name, str) else "", kind, config, layers, calls)


def _is_layer(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("class_name"), str)
        and (isinstance(value.get("config"), dict) or value["class_name"] in _MODELS)
    )


def _called(entry: Layer) -> str | None:
    """Return the name by which calls speak of a layer."""
    config = entry["config"] if isinstance(entry["config"], dict) else {}
    name = entry.get("name", config.get("name"))
    if name is not None and not isinstance(name, str):
        raise FormatError(f"a layer has the name {name!r:.200}")
    return name


def _chain(config: dict[str, Any], layers: dict[Any, tuple[Layer | Model, list[Any]]]) -> list[Call]:
    """Follow a functional model from its output back to its input."""
    first, history = _end(config.get("input_layers")), _end(config.get("output_layers"))
    left = sum(max(1, len(nodes)) for _, nodes in layers.values())
    calls: list[Call] = []
    while True:
        layer, nodes = layers.get(history.name, (None, []))
        if layer is None or history.output != 0:
            raise FormatError(f"the layer {history.name!r:.200} does not exist, or has several outputs")
        left -= 1
        if left < 0:
            raise FormatError("its layers are called in a circle")
        if not nodes:
            calls.append(Call(layer))
            break
        arguments = arguments_of(_node(layer, nodes, history))
        _check_call(layer, arguments, history.name)
        calls.append(Call(layer, arguments))
        (history,) = arguments.tensors
    if history != first or left:
        raise FormatError(
            "there are layers beside the way from its input to its output: they must make one chain"
        )
    return calls[::-1]


def _node(layer: Layer | Model, nodes: list[Any], history: History) -> Any:
    """Return the call that a history speaks of; that of a model may have the number 1."""
    if type(history.node) is not int:
        raise FormatError("how its layers are called is not written as Keras writes it")
    if isinstance(layer, Model):
        if len(nodes) != 1 or history.node not in (0, 1):
            raise FormatError(
                f"model {layer.name!r:.200} is called several times: the layers must make one chain"
            )
        return nodes[0]
    if not 0 <= history.node < len(nodes):
        raise FormatError(f"layer {history.name!r:.200} is called {len(nodes)} times, not {history.node + 1}")
    return nodes[history.node]


def _check_call(layer: Layer | Model, arguments: Arguments, name: str) -> None:
    """Raise FormatError unless one tensor goes in, and into a model nothing else."""
    count = len(arguments.tensors)
    if count != 1:
        raise FormatError(f"layer {name!r:.200} takes {count} inputs: the layers must make one chain")
    if not isinstance(layer, Model):
        return
    for option, value in arguments.others().items():  # training=True, say, which makes predictions random
        raise FormatError(f"model {name!r:.200} is called with {option!s:.100}={value!r:.100}")


def _end(value: Any) -> History:
    """Return the one tensor of ``["x", 0, 0]``, ``[["x", 0, 0]]`` or ``{"x": ["x", 0, 0]}``."""
    while isinstance(value, list | dict) and len(value) == 1:
        (value,) = value.values() if isinstance(value, dict) else value
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str):
        raise FormatError("it has several inputs or outputs: a dense network has one of each")
    return History(*value)
