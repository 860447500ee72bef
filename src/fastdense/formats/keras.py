"""Keras' model files, ``.keras`` and the older ``.h5``: read as data alone, and written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from fastdense.exchange.keras import reader, writer
from fastdense.exchange.keras import weights as weight_files
from fastdense.models.loading import model_of
from fastdense.models.saving import content_of
from fastdense.models.sequential import Sequential

__all__ = ["read_keras", "read_weights", "write_keras", "write_weights"]


def read_keras(
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    activations: Sequence[str] | None = None,
) -> Sequential:
    """Read a dense network from a ``.keras`` or an older ``.h5`` file of Keras'.

    Known are ``Sequential`` and functional models of one chain, and models inside them: Dense, the
    activations as layers or by name, Dropout, BatchNormalization (folded into the weights beside it),
    Normalization, Rescaling, Flatten, Reshape, and functions of ``keras.ops`` that scale, limit or activate.
    Neither Keras nor what the file names is imported.

    Parameters
    ----------
    path : path-like
        With ``weights``, also a ``.json`` file of what ``model.to_json()`` returned.
    weights : path-like, optional
        A file that holds the weights instead: what ``model.save_weights`` wrote, or a whole model.
    activations : sequence of str, optional
        The activation of each layer, if ``path`` holds the weights of dense layers alone.

    Returns
    -------
    Sequential
        Not compiled; its layers are named as in the file, with a number if a name comes again. float64 where
        its weights are; weights of half precision become float32.

    Raises
    ------
    FormatError
        A file is damaged, or holds what is not a dense network; the message names the layer.
    ImportError
        The package pyfive is not installed.
    OSError
        A file cannot be opened.

    Warns
    -----
    FormatWarning
        Settings for training, such as constraints, are left out; or an example of the inputs or outputs has
        several axes, which are one row here.
    """
    return model_of(reader.read(path, weights, activations))


def write_keras(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a network as a ``.keras`` file, which Keras 3.4 and later load on any of their backends.

    The layers keep their weights, penalties and names, except for names that Keras on TensorFlow does not
    take: what is not an English letter, a digit, a dot, a hyphen or an underscore becomes an underscore, and
    a second layer of a name gets a number. The model is not compiled there, and a
    table does not go with it. An activation that Keras has as a layer only, such as a leaky ReLU of another
    slope than 0.2, becomes a layer of its own; with ``gelu_tanh``, which is a function there, the model
    becomes a functional one.

    Parameters
    ----------
    model : Sequential
    path : path-like
        Ends in ".keras". The file is replaced only once the new one is safely on the disk.

    Raises
    ------
    FormatError
        Another ending, or a softmax by groups, which Keras does not have.
    NotBuiltError
        The input's width is not known.
    ImportError
        The package h5py is not installed.
    OSError
        The file cannot be written; what was there before is untouched.
    """
    writer.write(content_of(model), path)


def read_weights(model: Sequential, path: str | os.PathLike[str]) -> list[NDArray[Any]]:
    """Read a network's weights from a file of Keras', in the order of `Sequential.get_weights`.

    Keras 3 numbers the layers of each class, and so their weights are found: the file must be of layers of
    the same classes in the same order. In the older ``.h5`` files the layers that have weights are listed in
    order. The names of the layers play no part, as in Keras.

    Parameters
    ----------
    model : Sequential
        Built; it is not changed.
    path : path-like
        A ``.weights.h5`` file, an older ``.h5`` file of weights, or a whole model in ``.keras`` or ``.h5``.

    Returns
    -------
    list of arrays
        Of the model's shapes, float32 or float64 as in the file; half precision becomes float32.

    Raises
    ------
    FormatError
        The file is damaged, or of other layers than the model's; the message names the layer.
    NotBuiltError
        The input's width is not known.
    ImportError
        The package pyfive is not installed.
    OSError
        The file cannot be opened.
    """
    return weight_files.read(content_of(model), path)


def write_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a network's weights as a ``.weights.h5`` file, which ``load_weights`` of Keras 3 reads.

    The model there must have layers of the same classes in the same order.

    Parameters
    ----------
    model : Sequential
    path : path-like
        Ends in ".weights.h5". The file is replaced only once the new one is safely on the disk.

    Raises
    ------
    FormatError
        Another ending, by which Keras would look for another format.
    NotBuiltError
        The input's width is not known.
    ImportError
        The package h5py is not installed.
    OSError
        The file cannot be written; what was there before is untouched.
    """
    weight_files.write(content_of(model), path)
