"""A search on the disk: a file for every rung that ended, and one for the rung under way."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from fastdense.core import files
from fastdense.errors import FormatError
from fastdense.search.contest import Contest, Place
from fastdense.search.evaluation import Outcome
from fastdense.search.identity import differences, identity_of

__all__ = ["Records"]

_FORMAT = {"format": "fastdense search", "version": 1}
# A rung under way is written when as many seconds have passed, or as many times what writing it takes.
_SECONDS, _TIMES = 10.0, 50.0
# What a file has no name for is written as other bits of the same width.
_STORED = {"uint32": "int32", "uint64": "int64"}


class Records:
    """What a search has written, and writes.

    Parameters
    ----------
    directory : Path or None
        None writes nothing.
    identity : dict
        What has to be the same for a search to go on.
    contest : Contest
    """

    def __init__(self, directory: Path | None, identity: dict[str, Any], contest: Contest) -> None:
        self._directory, self._identity, self._contest = directory, identity, contest
        self._rung, self._known = 0, set[Place]()
        self._pause, self._next = _SECONDS, time.monotonic() + _SECONDS

    @classmethod
    def of(cls, directory: str | os.PathLike[str] | None, search: Any, contest: Contest) -> Self:
        """Return the records of a search in a directory, which is made if there is none."""
        if directory is None:
            return cls(None, {}, contest)
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, identity_of(search, contest), contest)

    def begin(self, rung: int) -> None:
        """Take up what a rung had come to, whether it ended or not.

        Raises
        ------
        FormatError
            A file is damaged, or of another search: the message says what differs.
        """
        self._rung, self._known = rung, set()
        if self._directory is None:
            return
        for path in (self._path(rung), self._directory / "under-way.safetensors"):
            if path.exists() and (found := self._read(path, rung)) is not None:
                self._known = set(found)
                self._contest.outcomes.update(found)
                return

    def ended(self, place: Place, outcome: Outcome) -> None:
        """Be told that a candidate was trained on a split; now and then all of the rung is written."""
        self._known.add(place)
        if self._directory is not None and time.monotonic() > self._next:
            self.save()

    def save(self) -> None:
        """Write what the rung under way has come to."""
        if self._directory is not None:
            self._write(self._directory / "under-way.safetensors")

    def rung_ended(self) -> None:
        """Write a rung that has ended."""
        if self._directory is not None and not self._path(self._rung).exists():
            self._write(self._path(self._rung))
            (self._directory / "under-way.safetensors").unlink(missing_ok=True)

    def _path(self, rung: int) -> Path:
        assert self._directory is not None
        return self._directory / f"rung-{rung}.safetensors"

    def _write(self, path: Path) -> None:
        begun = time.monotonic()
        arrays: dict[str, Any] = {}
        described = []
        for place in sorted(self._known):
            fields, own = _taken_apart(self._contest.outcomes[place])
            described.append([*place, fields])
            arrays |= {f"{place[0]}/{place[1]}/{name}": array for name, array in own.items()}
        description = {**_FORMAT, "search": self._identity, "rung": self._rung, "outcomes": described}
        files.write(path, description, arrays)
        self._next = time.monotonic() + max(_SECONDS, _TIMES * (time.monotonic() - begun))

    def _read(self, path: Path, rung: int) -> dict[Place, Outcome] | None:
        """Return the outcomes in a file, or None if they are another rung's."""
        description, arrays = files.read(path)
        if any(description.get(name) != value for name, value in _FORMAT.items()):
            raise FormatError(f"{path} is not a search of this version of fastdense")
        if differs := differences(description.get("search", {}), self._identity):
            raise FormatError(
                f"{path} is of another search: {differs}. Give the same arguments and rows to go on with it, "
                "or another directory"
            )
        if description["rung"] != rung:
            return None
        own: dict[Place, dict[str, Any]] = {}
        for name, array in arrays.items():
            candidate, split, rest = name.split("/", 2)
            own.setdefault((int(candidate), int(split)), {})[rest] = array
        return {
            (c, s): _put_together(fields, own.get((c, s), {})) for c, s, fields in description["outcomes"]
        }


def _taken_apart(outcome: Outcome) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an outcome's values for JSON, and its arrays."""
    values = vars(outcome).copy()
    arrays = {name: np.array(values.pop(name), dtype=np.float64) for name in ("losses", "validation")}
    state = values.pop("state")
    if state is not None:
        for name, array in state[0].items():
            stored = _STORED.get(str(array.dtype), "")
            arrays[f"state/{stored and array.dtype}/{name}"] = array.view(stored) if stored else array
        values["state"] = state[1]
    return {name: _written(value) for name, value in values.items()}, arrays


def _put_together(fields: Mapping[str, Any], arrays: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `_taken_apart` was given."""
    values = {name: _understood(value) for name, value in fields.items()}
    curves = {name: arrays[name].tolist() for name in ("losses", "validation")}
    state = {}
    for path, array in arrays.items():
        if path.startswith("state/"):
            _, dtype, name = path.split("/", 2)
            state[name] = array.view(dtype) if dtype else array
    values["state"] = (state, values["state"]) if "state" in values else None
    return Outcome(**values, **curves)


def _written(value: Any) -> Any:
    """Return a value for JSON, which has no NaN and no infinity."""
    if isinstance(value, dict):
        return {name: _written(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_written(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    return value


def _understood(value: Any) -> Any:
    """Return the value that `_written` was given."""
    if isinstance(value, dict):
        if value.keys() == {"number"}:
            return float(value["number"])
        return {name: _understood(each) for name, each in value.items()}
    return [_understood(each) for each in value] if isinstance(value, list) else value
