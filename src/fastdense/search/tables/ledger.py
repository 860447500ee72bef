"""What every candidate scored on every fold, kept in a file that a search can go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastdense.core.files import atomic_file
from fastdense.errors import FormatError

__all__ = ["Entry", "Ledger", "Place"]

_NAME = "search.jsonl"
_FORMAT = {"format": "fastdense.search.tables", "version": 1}


class Place(NamedTuple):
    """A candidate and a fold, by their numbers, and the epochs trained."""

    candidate: int
    fold: int
    epochs: int


class Entry(NamedTuple):
    """What a candidate came to at a place: a score, NaN where an error is why there is none."""

    score: float
    error: str | None = None


class Ledger:
    """The entries of a search; a ``with`` block holds the file that they are added to.

    The file has a line of JSON that describes the search, and one for each entry. Training repeats bit for
    bit, so that no weights have to be kept: what pauses when a search is stopped is trained again.

    Parameters
    ----------
    folds : int
    folder : Path, optional
        Where the file is; it is made if it is not there. None keeps nothing.
    search : mapping
        What the scores depend on, as what JSON holds.

    Raises
    ------
    FormatError
        The folder's file is of another search, and the message says what differs, or is damaged.
    """

    def __init__(
        self, folds: int, folder: Path | None = None, search: Mapping[str, Any] | None = None
    ) -> None:
        self._folds, self._entries = folds, dict[Place, Entry]()
        self._path = None if folder is None else folder / _NAME
        self._file: IO[str] | None = None
        self._head = {**_FORMAT, **(search or {})}
        if self._path is not None and self._path.exists():
            self._read(self._path)

    def __enter__(self) -> Self:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = [self._head, *(_line(place, entry) for place, entry in self._entries.items())]
            with atomic_file(self._path) as whole:
                whole.write("".join(f"{json.dumps(line)}\n" for line in lines).encode())
            self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def __contains__(self, place: object) -> bool:
        return place in self._entries

    def add(self, place: Place, entry: Entry) -> None:
        """Add an entry."""
        self._entries[place] = entry
        if self._file is not None:
            self._file.write(f"{json.dumps(_line(place, entry))}\n")
            self._file.flush()

    def scores(self, candidate: int, epochs: int) -> NDArray[np.float64]:
        """Return a candidate's score on every fold after so many epochs; NaN where there is none."""
        nothing = Entry(float("nan"))
        places = [Place(candidate, fold, epochs) for fold in range(self._folds)]
        return np.array([self._entries.get(place, nothing).score for place in places])

    def is_whole(self, candidate: int, epochs: int) -> bool:
        """Return True if a candidate has an entry for every fold after so many epochs."""
        return all(Place(candidate, fold, epochs) in self._entries for fold in range(self._folds))

    def error(self, candidate: int, epochs: int) -> str | None:
        """Return the first error of a candidate after so many epochs."""
        found = (self._entries.get(Place(candidate, fold, epochs)) for fold in range(self._folds))
        return next((entry.error for entry in found if entry is not None and entry.error), None)

    def _read(self, path: Path) -> None:
        first, *lines = path.read_text(encoding="utf-8").split("\n")
        self._check(path, first)
        for number, line in enumerate(lines[:-1], start=2):  # the last one is empty, or was not written whole
            try:
                found = json.loads(line)
                place = Place(*(int(found[name]) for name in ("candidate", "fold", "epochs")))
                score = float("nan") if found["score"] is None else float(found["score"])
                self._entries[place] = Entry(score, found["error"])
            except (ValueError, TypeError, KeyError) as error:
                raise FormatError(f"{path}: line {number} is damaged: {error}") from error

    def _check(self, path: Path, line: str) -> None:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("format") != _FORMAT["format"]:
            raise FormatError(f"{path} is not the record of a search of a table")
        for name, value in json.loads(json.dumps(self._head)).items():
            if found.get(name) != value:
                raise FormatError(
                    f"{path} is of another search: {name} is {found.get(name)!r} there and {value!r} here; "
                    "take up that one, or choose another folder"
                )


def _line(place: Place, entry: Entry) -> dict[str, Any]:
    score = None if np.isnan(entry.score) else entry.score
    return {**place._asdict(), "score": score, "error": entry.error}
