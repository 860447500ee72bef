"""What a file of Keras' holds: a description of a model, its weights, or both, and which Keras wrote it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastdense.errors import FormatError
from fastdense.exchange.foreign import foreign
from fastdense.exchange.keras.archive import CONFIG, METADATA, WEIGHTS, members
from fastdense.exchange.keras.hdf5 import SIGNATURE, Hdf5
from fastdense.exchange.keras.inferred import description_of
from fastdense.exchange.keras.settings import OF_KERAS_1
from fastdense.exchange.keras.stores import Weights, grouped, named, named_root
from fastdense.exchange.keras.topology import Model

__all__ = ["ZIP", "Source", "opened"]

ZIP = b"PK\x03\x04"
"""What a ``.keras`` file starts with."""


class Source(NamedTuple):
    """A file, taken apart.

    Attributes
    ----------
    description : dict or None
    weights : Hdf5 or None
    version : str
        Of the Keras that wrote it; empty if the file does not say.
    size : int
        Bytes of the whole file.
    """

    description: Any
    weights: Hdf5 | None
    version: str
    size: int

    @property
    def is_old(self) -> bool:
        """Whether Keras 1 or 2 wrote it."""
        return self.version.split(".")[0] in ("", "1", "2")

    def arrays(self, model: Model, is_own: bool) -> Weights:
        """Return the arrays of each layer of a model, its own or another, by ``id`` of its description.

        Raises
        ------
        FormatError
            There are none, or not those of the model.
        """
        if self.weights is None:
            raise FormatError("it describes a model without its weights: give their file too (weights=...)")
        root = named_root(self.weights)
        if root is not None:
            return named(self.weights, model, root, is_own)
        return grouped(self.weights, model)


def opened(path: Path, activations: Sequence[str] | None = None, is_weights: bool = False) -> Source:
    """Return what a file holds.

    Parameters
    ----------
    path : Path
    activations : sequence of str, optional
        Makes the description of dense layers, for a file that holds weights alone.
    is_weights : bool
        Whether only the weights are wanted; else the file must have a description.

    Raises
    ------
    FormatError
        It is not a file of Keras', of Keras 1, or lacks what it must have.
    """
    data = path.read_bytes()
    if data.startswith(ZIP):
        found = members(data)
        metadata = _parse(found[METADATA], METADATA)
        source = Source(
            _parse(found[CONFIG], CONFIG),
            Hdf5(found[WEIGHTS]),
            str(metadata.get("keras_version", "")),
            len(data),
        )
    elif data.startswith(SIGNATURE):
        source = _from_hdf5(data)
    elif not is_weights and data.lstrip()[:1] == b"{":
        source = _from_json(data)
    else:
        what = foreign(path)
        raise FormatError(f"it is {what}" if what else "it is neither a zip nor an HDF5 file, so not Keras'")
    if is_weights:
        return source
    if activations is not None:
        if source.description is not None or source.weights is None:
            raise FormatError("it describes its layers: activations are for files of weights alone")
        description = description_of(source.weights, activations)
        # Keras 3 numbers the groups of its files of weights, and does not say its version in them.
        version = source.version or ("" if named_root(source.weights) is not None else "3")
        return source._replace(description=description, version=version)
    if source.description is None:
        raise FormatError(
            "it holds weights alone, without the layers that they belong to: make those by "
            "fastdense.Sequential, and then call its load_weights with this file; or name the activation of "
            "each dense layer, fastdense.formats.keras.read_keras(path, activations=['relu', ...])"
        )
    return source


def _from_hdf5(data: bytes) -> Source:
    file = Hdf5(data)
    description, versions = file.texts("", "model_config"), file.texts("", "keras_version")
    version = versions[0] if versions else ""
    if version.startswith("1."):
        raise FormatError(f"Keras {version:.20} wrote it, {OF_KERAS_1}")
    parsed = _parse("".join(description).encode(), "model_config") if description else None
    return Source(parsed, file, version, len(data))


def _from_json(data: bytes) -> Source:
    description = _parse(data, "text")
    # Keras 2 says which it was; Keras 3 does not, but names the modules of its classes.
    version = description.get("keras_version", "3" if "module" in description else "")
    if str(version).startswith("1."):
        raise FormatError(f"Keras {version!s:.20} wrote it, {OF_KERAS_1}")
    return Source(description, None, str(version), len(data))


def _parse(data: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"its {what} is not JSON: {error!s:.200}") from error
    if not isinstance(found, dict):
        raise FormatError(f"its {what} is not a JSON object")
    return found
