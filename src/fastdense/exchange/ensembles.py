"""Several models in one file, whose mean is what they predict, beside the classes that they predict.

The file is as strict as a single model's: the description of each is a model's own, and nothing is executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.core import files
from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange import safetensors
from fastdense.exchange.content import Content
from fastdense.exchange.safetensors import ENSEMBLE, check_version, fields_of, refusals

__all__ = ["read", "write"]

_VERSION = 1


def write(contents: Sequence[Content], classes: Array | None, path: str | os.PathLike[str]) -> None:
    """Write models of the same inputs, outputs and dtype; see `fastdense.search.Ensemble.save`.

    Raises
    ------
    FormatError
        Another ending, or classes that are neither numbers nor texts.
    OSError
        The file cannot be written; what was there before is untouched.
    """
    if Path(path).suffix.lower() != ".safetensors":
        raise FormatError(
            f"an ensemble is saved to a file that ends in .safetensors, got {os.fspath(path)!r}"
        )
    packed = [safetensors.pack(content) for content in contents]
    arrays = {
        f"members/{i}/{name}": array for i, (_, own) in enumerate(packed) for name, array in own.items()
    }
    named = None if classes is None else _listed(classes)
    members = [description for description, _ in packed]
    files.write(path, {"format": ENSEMBLE, "version": _VERSION, "classes": named, "members": members}, arrays)


def read(path: str | os.PathLike[str]) -> tuple[list[Content], Array | None]:
    """Return the models of a file that `write` wrote, and their classes.

    Raises
    ------
    FormatError
        The file is damaged, of another kind or version, or holds anything that is not known here.
    OSError
        It cannot be opened.
    """
    description, arrays = files.read(path)
    with refusals(path):
        if description.get("format") != ENSEMBLE:
            raise FormatError("the file holds no ensemble; fastdense.load reads a single model")
        check_version(description, _VERSION)
        _, _, named, members = fields_of(description, "file", ("format", "version", "classes", "members"))
        if not isinstance(members, list) or not members:
            raise FormatError("an ensemble has a list of at least one member")
        contents = [safetensors.member(f"members/{i}/", each, arrays) for i, each in enumerate(members)]
        if arrays:
            raise FormatError(f"the tensors {', '.join(sorted(arrays))[:200]} are of no member")
        return contents, _checked(named, contents)


def _checked(named: Any, contents: Sequence[Content]) -> Array | None:
    """Return the classes, once they and the members are found to fit together."""
    networks = [content.network for content in contents]
    shapes = {(network.n_in, network.n_out, network.dtype) for network in networks}
    if len(shapes) > 1:
        raise FormatError("the members differ in their inputs, outputs or dtype")
    if named is None:
        return None
    n_out = networks[0].n_out
    if not isinstance(named, list) or len(named) not in {n_out, 2 if n_out == 1 else n_out}:
        raise FormatError(f"the classes are not a list that fits {n_out} outputs")
    classes = np.array(named)
    if _listed(classes) != named:
        raise FormatError("the classes are not all numbers or all texts")
    return classes


def _listed(classes: Array) -> list[Any]:
    """Return classes as JSON holds them, none of them changed by it."""
    listed: list[Any] = classes.tolist()
    kinds = {type(each) for each in listed}
    if classes.ndim == 1 and len(kinds) == 1 and kinds <= {bool, int, float, str}:
        again = np.array(json.loads(json.dumps(listed)))
        if again.dtype.kind in "biufU" and np.array_equal(again, classes):
            return listed
    raise FormatError(f"a file holds classes that are numbers or texts, and these are {listed!r:.200}")
