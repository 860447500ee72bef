"""The model, its loading and its copies without weights, under Keras' name for their module."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from fastdense.layers import Input
from fastdense.layers.base import FAMILY
from fastdense.models.loading import load
from fastdense.models.sequential import Sequential

__all__ = ["Input", "Sequential", "clone_model", "load", "load_model", "save_model"]


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Sequential:
    """Read a model by Keras' arguments; see `fastdense.load`.

    Parameters
    ----------
    filepath : path-like
    custom_objects : mapping, optional
        Only None or an empty one: files name only what fastdense knows.
    compile : bool
        False leaves out the loss, the metrics and the optimizer with its state.
    safe_mode : bool
        Without effect: nothing in a file is ever executed.

    Returns
    -------
    Sequential

    Raises
    ------
    NotImplementedError
        There are custom objects.
    FormatError, ImportError, OSError
        As of `fastdense.load`.
    """
    if custom_objects:
        given = ", ".join(map(str, custom_objects))
        raise NotImplementedError(
            f"load_model takes no custom_objects, got {given}: files name only what fastdense knows: leave "
            "the argument out, and give functions to compile after loading"
        )
    model = load(filepath)
    if not compile and model.loss is not None:
        bare = clone_model(model)
        bare.set_weights(model.get_weights())
        bare.table = model.table
        return bare
    return model


def save_model(model: Sequential, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Save a model; see `Sequential.save`.

    Parameters
    ----------
    model : Sequential
    filepath : path-like
    overwrite : bool

    Raises
    ------
    FormatError, FileExistsError, OSError
        As of `Sequential.save`.
    """
    model.save(filepath, overwrite=overwrite)


def clone_model(model: Sequential) -> Sequential:
    """Return a new model of the same layers, with weights drawn afresh and not compiled.

    Parameters
    ----------
    model : Sequential

    Returns
    -------
    Sequential
        Of another seed, unless the model was given one.

    Examples
    --------
    >>> import fastdense as fd
    >>> model = fd.Sequential([fd.Input((2,)), fd.Dense(3, "relu"), fd.Dense(1)])
    >>> fd.models.clone_model(model).count_params()
    13
    """
    start = [Input(model.input_shape[1:])] if model.built else []
    layers = [FAMILY.restore(FAMILY.describe(layer)) for layer in model.layers]
    seed = None if model.drawn_seed is not None else model.seed
    return Sequential([*start, *layers], model.name, seed=seed, dtype=model.dtype, engine=model.engine)
