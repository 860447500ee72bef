"""The layers of a model's description in the order in which the rows go through them."""

from __future__ import annotations

from typing import Any

from fastdense.errors import FormatError
from fastdense.formats.keras.classes import check_own

__all__ = ["in_order"]

Layer = dict[str, Any]


def in_order(model: Any) -> tuple[list[Layer], list[Layer]]:
    """Return a model's layers as its file lists them, and as the rows go through them, its input first.

    Parameters
    ----------
    model : dict
        The ``class_name`` and ``config`` of a ``Sequential`` or a functional model.

    Raises
    ------
    FormatError
        It is neither, or not one chain of layers.
    """
    kind = model.get("class_name") if isinstance(model, dict) else None
    config = model.get("config") if isinstance(model, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else config  # a list, in the first versions
    if kind not in ("Sequential", "Functional", "Model"):
        raise FormatError(f"it is of class {kind!r:.200}: a Sequential or a functional model can be read")
    check_own(model)
    if not isinstance(layers, list) or not all(_is_layer(layer) for layer in layers):
        raise FormatError("its layers are not listed as Keras lists them")
    if kind == "Sequential":
        return layers, layers
    return layers, _chain(config if isinstance(config, dict) else {}, layers)


def _is_layer(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), dict)
    )


def _chain(config: dict[str, Any], layers: list[Layer]) -> list[Layer]:
    """Follow a functional model from its output back to its input."""
    by_name = {_name(layer): layer for layer in layers}
    if len(by_name) != len(layers):
        raise FormatError("two of its layers have the same name")
    first, last = (_end(config.get(key)) for key in ("input_layers", "output_layers"))
    chain: list[Layer] = []
    name: str | None = last
    while name is not None:
        layer = by_name.pop(name, None)
        if layer is None:
            raise FormatError(
                f"layer {name!r:.200} is used twice, or does not exist: the layers must make one chain"
            )
        chain.append(layer)
        name = _source(layer)
    if _name(chain[-1]) != first or by_name:
        raise FormatError(
            "there are layers beside the way from its input to its output: they must make one chain"
        )
    return chain[::-1]


def _name(layer: Layer) -> str:
    name = layer.get("name", layer["config"].get("name"))
    if not isinstance(name, str):
        raise FormatError(f"a layer has the name {name!r:.200}")
    return name


def _end(value: Any) -> str:
    """Return the one name of ``["x", 0, 0]``, ``[["x", 0, 0]]`` or ``{"x": ["x", 0, 0]}``."""
    while isinstance(value, list | dict) and len(value) == 1:
        (value,) = value.values() if isinstance(value, dict) else value
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str):
        raise FormatError("it has several inputs or outputs: a dense network has one of each")
    return value[0]


def _source(layer: Layer) -> str | None:
    """Return the layer whose output a layer is called with, None for an input."""
    nodes, name = layer.get("inbound_nodes"), _name(layer)
    if not nodes:
        return None
    if not isinstance(nodes, list) or len(nodes) != 1:
        raise FormatError(f"layer {name!r:.200} is called several times: the layers must make one chain")
    is_new = isinstance(nodes[0], dict)
    tensors, options = _new_call(nodes[0]) if is_new else _old_call(nodes[0])
    if len(tensors) != 1:
        raise FormatError(f"layer {name!r:.200} takes {len(tensors)} inputs: the layers must make one chain")
    for option, value in options.items():
        if value not in (None, False):  # training=True, say, which makes predictions random
            raise FormatError(f"layer {name!r:.200} is called with {option!s:.100}={value!r:.100}")
    history = tensors[0]
    if history[1:] != [0, 0] or not isinstance(history[0], str):
        raise FormatError(f"layer {name!r:.200} takes another than the first output of {history[0]!r:.200}")
    return history[0]


def _new_call(node: dict[str, Any]) -> tuple[list[list[Any]], dict[str, Any]]:
    """Return the tensors that a layer is called with, as name, node and output, and the other arguments."""
    arguments, options = node.get("args", []), node.get("kwargs", {})
    if not isinstance(arguments, list) or not isinstance(options, dict):
        raise FormatError("how its layers are called is not written as Keras writes it")
    named = dict(enumerate(arguments)) | options
    tensors, others = [], {}
    for key, value in named.items():
        found = _histories(value)
        tensors += found
        if not found:
            others[str(key)] = value
    return tensors, others


def _histories(value: Any) -> list[list[Any]]:
    """Return the tensors in an argument."""
    if isinstance(value, list):
        return [history for item in value for history in _histories(item)]
    if not isinstance(value, dict):
        return []
    config = value.get("config")
    if value.get("class_name") == "__keras_tensor__" and isinstance(config, dict):
        history = config.get("keras_history")
        return [history if isinstance(history, list) and len(history) == 3 else ["", None, None]]
    return [history for item in value.values() for history in _histories(item)]


def _old_call(node: Any) -> tuple[list[list[Any]], dict[str, Any]]:
    """Return the same of ``["x", 0, 0, {}]``, alone or in a list with others, as Keras 2 has it."""
    calls = node if isinstance(node, list) and not (node and isinstance(node[0], str)) else [node]
    if not all(isinstance(call, list) and len(call) in (3, 4) for call in calls):
        raise FormatError("how its layers are called is not written as Keras 2 writes it")
    options = [call[3] for call in calls if len(call) == 4 and isinstance(call[3], dict)]
    return [call[:3] for call in calls], {name: value for own in options for name, value in own.items()}
