"""Results in files: one per method, table and split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Cache:
    """A folder with a folder per method; times that were measured for themselves lie beside the others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, method: str, table: str, split: int) -> bool:
        return self._file(method, table, str(split)).exists()

    def keep(self, result: dict[str, Any]) -> None:
        self._write(result, str(result["split"]))

    def keep_timing(self, result: dict[str, Any]) -> None:
        self._write(result, "timing")

    def results(self) -> list[dict[str, Any]]:
        """Return everything kept but the timings, in the order of the files' names."""
        return [self._read(path) for path in self._files() if not path.stem.endswith("-timing")]

    def timings(self) -> list[dict[str, Any]]:
        return [self._read(path) for path in self._files() if path.stem.endswith("-timing")]

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*/*.json"))

    def _file(self, method: str, table: str, end: str) -> Path:
        return self._folder / method.replace("/", "_") / f"{table}-{end}.json"

    def _write(self, result: dict[str, Any], end: str) -> None:
        path = self._file(result["method"], result["table"], end)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1))

    def _read(self, path: Path) -> dict[str, Any]:
        return json.loads(path.read_text())
