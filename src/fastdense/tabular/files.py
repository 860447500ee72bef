"""`fastdense.load`, which reads models of tables and all others."""

from __future__ import annotations

import os
from typing import Any

from fastdense.exchange import tabular
from fastdense.exchange.tabular import TabularContent
from fastdense.models import loading
from fastdense.tabular.model import TabularModel

__all__ = ["load"]


def load(path: str | os.PathLike[str], *, output: str | None = None) -> Any:
    """Read a model: one that fastdense saved, or an ONNX or Keras file.

    Parameters
    ----------
    path : path-like
        Ends in ".safetensors" (fastdense's own), ".onnx", ".keras", ".h5" or ".hdf5".
    output : str, optional
        Of an ONNX file with several outputs: the name of the one that the network ends at.

    Returns
    -------
    Sequential or TabularModel
        As it was saved: a network with its table, and compiled if it was saved so, whose training goes on
        from where it was; or what was learned of a table. From others a network that is not compiled; see
        `fastdense.formats.onnx.read_onnx` and `fastdense.formats.keras.read_keras` for what is read.

    Raises
    ------
    FormatError
        The name ends otherwise; the file is damaged, of another version, or holds anything that is not known.
    ImportError
        The format's own package is not installed.
    OSError
        It cannot be opened.
    """
    if output is None and tabular.is_tabular(path):
        return _model_of(tabular.read(path))
    return loading.load(path, output=output)


def _model_of(content: TabularContent) -> TabularModel:
    return TabularModel(
        content.table,
        tuple(map(loading.model_of, content.networks)),
        content.metric,
        content.quantile,
        content.temperature,
        content.clamp,
        content.residuals,
        content.honest,
    )
