"""ONNX (https://onnx.ai): networks to its files and from them, by data alone."""

from __future__ import annotations

import os

from fastdense.exchange.onnx import reader, writer
from fastdense.models.loading import model_of
from fastdense.models.saving import content_of
from fastdense.models.sequential import Sequential

__all__ = ["read_onnx", "write_onnx"]


def read_onnx(path: str | os.PathLike[str], output: str | None = None) -> Sequential:
    """Read a dense network from an ONNX file.

    Known are Gemm, MatMul, additions and products with constants, every activation of fastdense's, as one
    operator or composed of several, BatchNormalization, Softmax, Dropout, scikit-learn's scalers and linear
    models, what chooses columns or puts them side by side, and what changes nothing (Identity, Flatten,
    Reshape, Cast). A scaling by columns is folded into the weights beside it. Weights of half precision
    become float32. Weights in another file are read if it lies beside the model.

    Parameters
    ----------
    path : path-like
    output : str, optional
        Which of the graph's outputs to read, if several are not labels.

    Returns
    -------
    Sequential
        Not compiled; it predicts what the file's graph computes, labels cut off.

    Raises
    ------
    FormatError
        The file is damaged, its numbers in other files are not in files beside it, or its graph is not a
        dense network; the message names the node.
    ImportError
        The package onnx is not installed.
    OSError
        The file cannot be opened.

    Warns
    -----
    FormatWarning
        If the graph ends in labels: the network ends at the numbers that they are chosen by. If it ends in
        logarithms of probabilities: the network ends in the probabilities. If inputs or outputs have other
        axes than a matrix, or several inputs go in as one row.
    """
    return model_of(reader.read(path, output))


def write_onnx(
    model: Sequential, path: str | os.PathLike[str], *, table: bool = False, dtype: str | None = None
) -> None:
    """Write a network as an ONNX file, any number of rows at a time.

    Its input is named "X", of shape (rows, n_in), its output "Y", of shape (rows, n_out).

    Parameters
    ----------
    model : Sequential
    path : path-like
        Ends in ".onnx". The file is replaced only once the new one is safely on the disk.
    table : bool
        Include what the model's table does to the columns. Then raw rows go in, as two inputs: "X", the
        columns of numbers in float64, NaN where missing, and "texts", the columns of texts, "" where missing;
        one is left out if the table has no such columns. A target that is a quantity comes out in its own
        units, in float64. The names of the columns, in order, and of the classes are in the file's metadata
        as JSON, as "columns", "texts" and "classes".
    dtype : "float32" or "float64", optional
        What the network computes in there; None is the model's own. ONNX Runtime lacks many activations in
        float64.

    Raises
    ------
    FormatError
        Another ending; or with ``table``, a model without a table or with columns of dates.
    NotBuiltError
        The input's width is not known.
    ImportError
        The package onnx is not installed.
    OSError
        The file cannot be written; what was there before is untouched.
    """
    writer.write(content_of(model), path, table=table, dtype=dtype)
