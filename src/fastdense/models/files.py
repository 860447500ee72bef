"""Models in files of any format: which reader or writer a file's name calls for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastdense.core.checks import one_of
from fastdense.core.notes import note
from fastdense.errors import FormatError, NotBuiltError
from fastdense.formats.foreign import foreign
from fastdense.models.sequential import Sequential

__all__ = ["FORMATS", "TORCH_PICKLES", "export", "load", "load_weights", "save", "save_weights", "suffix_of"]

FORMATS = ("onnx", "keras", "torch", "c")
"""What a model can be exported to."""

_SUFFIXES = {"onnx": ".onnx", "keras": ".keras", "torch": ".safetensors", "c": ".c"}
TORCH_PICKLES = (".pt", ".pth", ".ckpt", ".bin")
"""What PyTorch's own files end in."""

_PICKLES = (*TORCH_PICKLES, ".pkl", ".pickle", ".joblib")


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
        From fastdense's own files with its table, and compiled, where it was saved so: training goes on from
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
    if Path(path).is_dir() and (what := foreign(Path(path))):
        raise FormatError(f"{os.fspath(path)}: it is {what}")
    with Path(path).open("rb"):  # the ordinary errors for a missing file, a directory or no permission
        pass
    suffix = Path(path).suffix.lower()
    if output is not None and suffix != ".onnx":
        raise FormatError(
            f"{os.fspath(path)}: an output can be chosen of ONNX files only; this is another, got {output!r}"
        )
    match suffix:
        case ".safetensors":
            from fastdense.formats.safetensors import load as read_own

            return read_own(path)
        case ".onnx":
            from fastdense.formats.onnx import read_onnx

            return read_onnx(path, output)
        case ".keras" | ".h5" | ".hdf5":
            from fastdense.formats.keras import read_keras

            return read_keras(path)
        case _ if suffix in _PICKLES:
            raise FormatError(
                f"{os.fspath(path)}: pickles run code as they are loaded and are not read; for PyTorch's "
                "weights there is fastdense.formats.torch.network_from_torch_weights, for a module from_torch"
            )
    what = foreign(Path(path))
    if what:
        raise FormatError(f"{os.fspath(path)}: it is {what}")
    raise FormatError(f"{os.fspath(path)}: a model's name ends in .safetensors, .onnx, .keras, .h5 or .hdf5")


def save(
    model: Sequential,
    path: str | os.PathLike[str],
    include_optimizer: bool = True,
    overwrite: bool = True,
) -> None:
    """Write a model; see `Sequential.save`."""
    _check_free(path, overwrite)
    if Path(path).suffix.lower() != ".keras":
        from fastdense.formats.safetensors import save as write_own

        write_own(model, path, include_optimizer)
        return
    export(model, path, "keras")
    left = ["loss, optimizer or metrics"] if include_optimizer and model.loss is not None else []
    left += ["table: what goes in are the features that it makes of the columns"] if model.table else []
    if left:
        note(f"{os.fspath(path)}: a .keras file of ours holds no {', and no '.join(left)}; .safetensors does")


def save_weights(model: Sequential, path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a model's weights; see `Sequential.save_weights`."""
    name = os.fspath(path).lower()
    if not name.endswith((".weights.h5", ".safetensors")):
        raise FormatError(
            f"weights are saved to a file that ends in .weights.h5 or .safetensors, got {os.fspath(path)!r}"
        )
    if name.endswith(".safetensors"):
        save(model, path, include_optimizer=False, overwrite=overwrite)
        return
    _check_free(path, overwrite)
    from fastdense.formats.keras import write_weights

    write_weights(model, path)


def load_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Read a model's weights; see `Sequential.load_weights`."""
    if not model.built:
        raise NotBuiltError("the model has no weights yet: give it an Input, or call build or fit")
    if Path(path).suffix.lower() == ".safetensors":
        found = load(path)
        kinds = [[type(layer).__name__ for layer in each.layers if layer.weights] for each in (found, model)]
        if kinds[0] != kinds[1]:
            raise FormatError(
                f"{os.fspath(path)} has weights of the layers {', '.join(kinds[0])}, but the model has "
                f"{', '.join(kinds[1])}"
            )
        model.set_weights(found.weights)
        return
    from fastdense.formats.keras import read_weights

    model.set_weights(read_weights(model, path))


def export(
    model: Sequential, path: str | os.PathLike[str], format: str | None = None, **options: Any
) -> None:
    """Write a model for other software; see `Sequential.export`."""
    match one_of("format", format, FORMATS) if format is not None else _format_of(path):
        case "onnx":
            from fastdense.formats.onnx import write_onnx

            write_onnx(model, path, **options)
        case "keras":
            from fastdense.formats.keras import write_keras

            write_keras(model, path, **options)
        case "torch":
            from fastdense.formats.torch import write_torch_weights

            write_torch_weights(model, path, **options)
        case "c":
            from fastdense.formats.c import write_c

            write_c(model, path, **options)


def _check_free(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise FileExistsError if there is a file that is not to be replaced."""
    if not overwrite and Path(path).exists():
        raise FileExistsError(f"{os.fspath(path)} is there already: remove it, or leave out overwrite=False")


def _format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's name asks for; .safetensors is our own files' as well as PyTorch's."""
    endings = {suffix: name for name, suffix in _SUFFIXES.items() if name != "torch"}
    suffix = Path(path).suffix.lower()
    if suffix not in endings:
        raise FormatError(
            f"{os.fspath(path)}: exports end in {', '.join(endings)}, or say what they are: "
            f"format={', '.join(map(repr, FORMATS))}"
        )
    return endings[suffix]


def suffix_of(format: str) -> str:
    """Return what a file of a format ends in.

    Examples
    --------
    >>> suffix_of("torch")
    '.safetensors'
    """
    return _SUFFIXES[one_of("format", format, FORMATS)]
