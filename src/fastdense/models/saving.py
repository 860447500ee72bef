"""Writing models to files, and weights to and from them."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from fastdense.core.notes import note
from fastdense.errors import FormatError, NotBuiltError
from fastdense.exchange.content import Content, Training
from fastdense.exchange.table import OWN, exported
from fastdense.network.model import Model

__all__ = ["check_free", "content_of", "export", "load_weights", "save", "save_weights"]


def content_of(model: Model, training: bool = False) -> Content:
    """Return what files hold of a model, all of one moment; with its training if asked for, and compiled.

    Raises
    ------
    NotBuiltError
        The model's shapes are not known yet.
    """
    own = copy.copy(model)  # which nothing changes meanwhile
    compiled = None
    if training and own.loss is not None:
        compiled = Training(
            own.loss, own.optimizer, *own.compiled_metrics, own.optimizer.iterations, own.slot_arrays()
        )
    return Content(own.name, own.layers, own.input_shape[1], own.dtype, own.seed, own.table, compiled)


def save(
    model: Model, path: str | os.PathLike[str], include_optimizer: bool = True, overwrite: bool = True
) -> None:
    """Write a model; see `Sequential.save`."""
    check_free(path, overwrite)
    if Path(path).suffix.lower() != ".keras":
        OWN.write(content_of(model, training=include_optimizer), path)
        return
    export(model, path, "keras")
    left = ["loss, optimizer or metrics"] if include_optimizer and model.loss is not None else []
    left += ["table: what goes in are the features that it makes of the columns"] if model.table else []
    if left:
        note(f"{os.fspath(path)}: a .keras file of ours holds no {', and no '.join(left)}; .safetensors does")


def save_weights(model: Model, path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a model's weights; see `Sequential.save_weights`."""
    name = os.fspath(path).lower()
    if not name.endswith((".weights.h5", ".safetensors")):
        raise FormatError(
            f"weights are saved to a file that ends in .weights.h5 or .safetensors, got {os.fspath(path)!r}"
        )
    if name.endswith(".safetensors"):
        save(model, path, include_optimizer=False, overwrite=overwrite)
        return
    check_free(path, overwrite)
    from fastdense.exchange.keras.weights import write

    write(content_of(model), path)


def load_weights(model: Model, path: str | os.PathLike[str]) -> None:
    """Read a model's weights; see `Sequential.load_weights`."""
    if not model.built:
        raise NotBuiltError("the model has no weights yet: give it an Input, or call build or fit")
    if Path(path).suffix.lower() not in OWN.suffixes:
        from fastdense.exchange.keras.weights import read

        model.set_weights(read(content_of(model), path))
        return
    found = OWN.read(path)
    kinds = [[type(layer).__name__ for layer in each.layers if layer.weights] for each in (found, model)]
    if kinds[0] != kinds[1]:
        raise FormatError(
            f"{os.fspath(path)} has weights of the layers {', '.join(kinds[0])}, but the model has "
            f"{', '.join(kinds[1])}"
        )
    model.set_weights([array for layer in found.layers for array in layer.weights])


def export(model: Model, path: str | os.PathLike[str], format: str | None = None, **options: Any) -> None:
    """Write a model for other software; see `Sequential.export`."""
    chosen = exported(path, format)
    chosen.write(content_of(model), path, **options)


def check_free(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise FileExistsError if there is a file that is not to be replaced."""
    if not overwrite and Path(path).exists():
        raise FileExistsError(f"{os.fspath(path)} is there already: remove it, or leave out overwrite=False")
