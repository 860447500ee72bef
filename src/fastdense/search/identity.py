"""What makes a search the one that was begun: its space, its rows, its splits and how it scores."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn
from scipy.sparse import issparse

from fastdense._version import __version__
from fastdense.search.contest import Contest

__all__ = ["differences", "identity_of"]

_SETTINGS = ("scoring", "refit", "error_score", "return_train_score", "factor")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def identity_of(search: Any, contest: Contest) -> dict[str, Any]:
    """Return what JSON can hold of all that the outcomes of a search depend on."""
    data = contest.evaluation.data
    shown = {name: _text(getattr(search, name)) for name in _SETTINGS}
    return {
        **shown,
        "estimator": _text(search.estimator),
        "the epochs of the rungs": search.n_resources_,
        "candidates": [_text(parameters) for parameters in contest.candidates],
        "X": _digest(data.X),
        "y": _digest(data.y),
        "what fit is given beside X and y": {name: _digest(value) for name, value in data.params.items()},
        "the splits of cv": _digest([rows for split in contest.evaluation.splits for rows in split]),
        "the versions": {
            "fastdense": __version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }


def _text(value: Any) -> str:
    """Return a value's text in full, without addresses in memory, which differ from run to run."""
    show = getattr(value, "__repr__", None)
    whole = show(N_CHAR_MAX=10**6) if hasattr(value, "get_params") and callable(show) else repr(value)
    return _ADDRESS.sub("", whole)


def _digest(values: Any) -> str:
    """Return a checksum of an array, a sparse matrix, a frame, or a list of such."""
    digest = hashlib.sha256()
    _feed(digest, values)
    return digest.hexdigest()


def _feed(digest: Any, values: Any) -> None:
    if issparse(values):
        rows = values.tocsr()
        _feed(digest, [np.array(rows.shape), rows.indptr, rows.indices, rows.data])
    elif hasattr(values, "columns"):
        _feed(
            digest, [[str(name) for name in values.columns], *(np.asarray(values[c]) for c in values.columns)]
        )
    elif isinstance(values, list) and values and isinstance(values[0], np.ndarray | list):
        for each in values:
            _feed(digest, each)
    else:
        array = np.asarray(values)
        digest.update(f"{array.dtype} {array.shape}\n".encode())
        text = array.dtype == object
        digest.update(repr(array.tolist()).encode() if text else np.ascontiguousarray(array).data.tobytes())


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return what differs between two searches in words, or "" if nothing does."""
    return "; ".join(
        _difference(name, found.get(name), wanted.get(name))
        for name in {**wanted, **found}
        if found.get(name) != wanted.get(name)
    )


def _difference(name: str, found: Any, wanted: Any) -> str:
    if name in ("X", "y", "the splits of cv", "what fit is given beside X and y"):
        return f"{name} differ{'' if name.startswith('the') else 's'}"
    if name == "candidates" and isinstance(found, list) and len(found) == len(wanted):
        place = next(i for i, (a, b) in enumerate(zip(found, wanted, strict=True)) if a != b)
        return f"candidate {place} is {found[place]:.200} there and {wanted[place]:.200} here"
    if name == "candidates" and isinstance(found, list):
        return f"it has {len(found)} candidates, not {len(wanted)}"
    return f"{name} is {found!s:.200} there and {wanted!s:.200} here"
