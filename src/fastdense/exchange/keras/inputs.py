"""The shapes that a model's description gives: of its input, and of what goes into its layers."""

from __future__ import annotations

from typing import Any

from fastdense.errors import FormatError
from fastdense.exchange.keras.flow import Flow, in_words
from fastdense.exchange.keras.topology import Layer, Model

__all__ = ["check_build", "check_input", "input_shape"]

Shape = tuple[int, ...]


def input_shape(model: Model, layers: list[Layer]) -> Shape | None:
    """Return the shape of one example of a model's input, None if the description does not say.

    Parameters
    ----------
    model : Model
    layers : list of dict
        Its layers in the order of the rows.

    Raises
    ------
    FormatError
        It is not a shape, or one of its sizes is not known.
    """
    given = _declared(layers[0]) if layers else None
    shape = model.config.get("build_input_shape") if given is None else given
    if shape is None:
        return None
    sizes = shape[1:] if isinstance(shape, list) else []
    if not sizes or not all(type(size) is int and size > 0 for size in sizes):
        raise FormatError(
            f"its input has the shape {shape!r:.100}: a dense network takes a matrix of known width"
        )
    return tuple(sizes)


def _declared(layer: Layer) -> Any:
    config = layer["config"]
    shapes = [config[name] for name in ("batch_shape", "batch_input_shape") if config.get(name) is not None]
    return shapes[0] if shapes else None


def check_input(layer: Layer, flow: Flow) -> None:
    """Raise FormatError if the input of a model inside another is not of the shape that comes in."""
    shape = _declared(layer)
    if isinstance(shape, list) and flow.shape is not None:
        _check(shape[1:], flow.shape)


def check_build(layer: Layer, flow: Flow) -> None:
    """Raise FormatError if a layer with weights says that it was made for another width."""
    build = layer.get("build_config")
    if build is None or layer["class_name"] not in ("BatchNormalization", "Dense"):
        return
    shape = build.get("input_shape", [None]) if isinstance(build, dict) else None
    if not isinstance(shape, list) or not shape:
        raise FormatError(f"what it was made for is not described as Keras describes it, {build!r:.200}")
    if flow.shape is not None:
        _check(shape[-1:], flow.shape[-1:])


def _check(given: list[Any], shape: Shape) -> None:
    same = len(given) == len(shape) and all(a is None or a == b for a, b in zip(given, shape, strict=True))
    if not same:
        raise FormatError(
            f"it is made for the shape {in_words(tuple(given))}, but {in_words(shape)} comes in"
        )
