"""Models from files: the one place where what a file holds becomes a model."""

from __future__ import annotations

import os

from fastdense.exchange.content import Content
from fastdense.exchange.table import read
from fastdense.layers import Input
from fastdense.models.sequential import Sequential

__all__ = ["load", "model_of"]


def load(path: str | os.PathLike[str], *, output: str | None = None) -> Sequential:
    """Read a model: one that `Sequential.save` wrote, or an ONNX or Keras file.

    Parameters
    ----------
    path : path-like
        Ends in ".safetensors" (fastdense's own), ".onnx", ".keras", ".h5" or ".hdf5".
    output : str, optional
        Of an ONNX file with several outputs: the name of the one that the network ends at.

    Returns
    -------
    Sequential
        From fastdense's own files with its table, and compiled if it was saved so: training goes on from
        where it was. From others not compiled; see `fastdense.formats.onnx.read_onnx` and
        `fastdense.formats.keras.read_keras` for what is read.

    Raises
    ------
    FormatError
        The name ends otherwise; the file is damaged, of another version, or holds anything that is not known.
    ImportError
        The format's own package is not installed.
    OSError
        It cannot be opened.
    """
    return model_of(read(path) if output is None else read(path, output=output))


def model_of(content: Content) -> Sequential:
    """Return the model that a file holds, compiled if it was."""
    start = Input((content.n_in,))
    model = Sequential([start, *content.layers], content.name, seed=content.seed, dtype=content.dtype)
    model.table = content.table
    if (training := content.training) is not None:
        metrics = training.metrics, training.weighted_metrics
        model.compile(training.optimizer, training.loss, *metrics)
        model.optimizer.iterations = training.iterations
        model.set_slot_arrays(training.slots)
    return model
