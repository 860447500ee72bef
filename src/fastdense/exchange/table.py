"""The formats of models' files: for each its names, its reader and its writer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from fastdense.core.checks import one_of
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.foreign import foreign

__all__ = ["EXPORTS", "FORMATS", "OWN", "TORCH", "Format", "exported", "read"]


class Format(NamedTuple):
    """A format: what its files are called, and where they are read and written.

    Attributes
    ----------
    name : str
        As in ``model.export(path, name)``.
    title : str
    suffixes : tuple of str
        What its files' names end in; new files end in the first.
    reader : str
        The module under ``fastdense.exchange`` whose ``read(path, **options)`` returns a `Content`;
        empty if a file alone does not make a model.
    writer : str
        The module whose ``write(content, path, **options)`` writes one.
    reads_with, writes_with : tuple of str
        The options that reader and writer take.
    extra : str
        The extra of the package that installs what it needs; empty if it needs nothing.
    beside : tuple of str
        What the names of further files that the writer makes end in.
    means : bool
        Whether the writer's ``write_mean(contents, path, **options)`` writes the mean of several networks.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    reader: str = ""
    writer: str = ""
    reads_with: tuple[str, ...] = ()
    writes_with: tuple[str, ...] = ()
    extra: str = ""
    beside: tuple[str, ...] = ()
    means: bool = False

    def read(self, path: str | os.PathLike[str], **options: Any) -> Content:
        """Return what a file holds."""
        content: Content = import_module(f"fastdense.exchange.{self.reader}").read(path, **options)
        return content

    def write(self, content: Content, path: str | os.PathLike[str], **options: Any) -> None:
        """Write a file; TypeError for an option that the format does not have."""
        self._writer(options).write(content, path, **options)

    def write_mean(self, contents: Sequence[Content], path: str | os.PathLike[str], **options: Any) -> None:
        """Write a file of several networks, that predicts the mean of their outputs.

        Raises
        ------
        FormatError
            The format has no such files.
        TypeError
            It does not have an option.
        """
        if not self.means:
            *others, last = (each.title for each in EXPORTS if each.means)
            raise FormatError(
                f"{self.title} files hold one network and no mean of several, unlike {', '.join(others)} and "
                f"{last}: export the networks of to_networks() one by one"
            )
        self._writer(options).write_mean(contents, path, **options)

    def _writer(self, options: Mapping[str, Any]) -> Any:
        """Return the module that writes, with these options."""
        if unknown := sorted(options.keys() - set(self.writes_with)):
            known = f"only {', '.join(self.writes_with)}" if self.writes_with else "none"
            raise TypeError(f"{self.title} files have no option {', '.join(unknown)}; they have {known}")
        return import_module(f"fastdense.exchange.{self.writer}")


OWN = Format("fastdense", "fastdense's own", (".safetensors",), "safetensors", "safetensors")
TORCH = Format(
    "torch", "PyTorch's weights", (".safetensors", ".pt", ".pth", ".ckpt", ".bin"), writer="torch.weights"
)
EXPORTS = (
    Format(
        "onnx",
        "ONNX",
        (".onnx",),
        "onnx.reader",
        "onnx.writer",
        ("output",),
        ("table", "dtype"),
        "onnx",
        means=True,
    ),
    Format("keras", "Keras", (".keras", ".h5", ".hdf5"), "keras.reader", "keras.writer", extra="h5"),
    TORCH,
    Format(
        "c",
        "C99 source and header",
        (".c",),
        writer="c.writer",
        writes_with=("name",),
        beside=(".h",),
        means=True,
    ),
)
"""What a model can be exported to."""

FORMATS = (OWN, *EXPORTS)


def read(path: str | os.PathLike[str], **options: Any) -> Content:
    """Return what a file of any format holds; its name chooses the reader.

    Raises
    ------
    FormatError
        No reader takes the file, or not with these options; or its reader finds it damaged or unknown.
    OSError
        It cannot be opened.
    """
    place, suffix = Path(path), Path(path).suffix.lower()
    if place.is_dir() and (what := foreign(place)):
        raise FormatError(f"{os.fspath(path)}: it is {what}")
    with place.open("rb"):  # the ordinary errors for a missing file, a directory or no permission
        pass
    readable = {ending: one for one in FORMATS if one.reader for ending in one.suffixes}
    chosen = readable.get(suffix)
    for option, value in options.items():
        takers = [one.title for one in FORMATS if option in one.reads_with]
        if chosen is None or chosen.title not in takers:
            raise FormatError(
                f"{os.fspath(path)}: an {option} can be chosen of {' and '.join(takers)} files only; this is "
                f"another, got {value!r}"
            )
    if chosen is not None:
        return chosen.read(path, **options)
    if what := foreign(place):
        raise FormatError(f"{os.fspath(path)}: it is {what}")
    *endings, last = readable
    raise FormatError(f"{os.fspath(path)}: a model's name ends in {', '.join(endings)} or {last}")


def exported(path: str | os.PathLike[str], name: str | None) -> Format:
    """Return the format that an export is to have: the named one, or the one that the path ends like.

    Raises
    ------
    ValueError
        There is no format of this name.
    FormatError
        The path ends otherwise, or as fastdense's own files do.
    """
    names = tuple(one.name for one in EXPORTS)
    if name is not None:
        return EXPORTS[names.index(one_of("format", name, names))]
    endings = {one.suffixes[0]: one for one in EXPORTS if one.suffixes[0] not in OWN.suffixes}
    suffix = Path(path).suffix.lower()
    if suffix not in endings:
        raise FormatError(
            f"{os.fspath(path)}: exports end in {', '.join(endings)}, or say what they are: "
            f"format={', '.join(map(repr, names))}"
        )
    return endings[suffix]
