"""The layers of a model's description in the order in which the rows go through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastdense.errors import FormatError

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
    first, last = (_ends(config.get(key)) for key in ("input_layers", "output_layers"))
    chain, name = [], last
    while True:
        layer = by_name.pop(name, None)
        if layer is None:
            raise FormatError(
                f"layer {name!r:.200} is used twice, or does not exist: the layers must make one chain"
            )
        chain.append(layer)
        sources = list(_sources(layer.get("inbound_nodes")))
        if not sources:
            break
        if len(sources) != 1:
            raise FormatError(
                f"layer {name!r:.200} takes {len(sources)} inputs: the layers must make one chain"
            )
        name = sources[0]
    if name != first or by_name:
        raise FormatError(
            "there are layers beside the way from its input to its output: they must make one chain"
        )
    return chain[::-1]


def _name(layer: Layer) -> str:
    name = layer.get("name", layer["config"].get("name"))
    if not isinstance(name, str):
        raise FormatError(f"a layer has the name {name!r:.200}")
    return name


def _ends(value: Any) -> str:
    """Return the one name of ``["x", 0, 0]`` or ``[["x", 0, 0]]``."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str):
        raise FormatError("it has several inputs or outputs: a dense network has one of each")
    return value[0]


def _sources(value: Any) -> Iterator[str]:
    """Yield the layers whose outputs a layer is called with, in either way of writing them."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            value = (
                value.get("config", {}).get("keras_history")
                if isinstance(value.get("config"), dict)
                else None
            )
            yield str(value[0]) if isinstance(value, list) and value else ""
            return
        value = list(value.values())
    if not isinstance(value, list):
        return
    is_history = len(value) in (3, 4) and isinstance(value[0], str) and value[1:3] == [0, 0]
    if is_history:  # Keras 2: [name, node, tensor, settings]
        yield value[0]
        return
    for item in value:
        yield from _sources(item)
