"""What several commands save: numbers as JSON, in a folder that is looked for before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from fastdense.cli.output import say
from fastdense.files import atomic_file

__all__ = ["check_folders", "save_json"]


class Measured(Protocol):
    """What has numbers."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON holds."""


def check_folders(*paths: Path | None) -> None:
    """Raise FileNotFoundError unless there is a folder for each file that was asked for."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {path.parent}")


def save_json(found: Measured, path: Path | None) -> None:
    """Save numbers where they were asked for, and say so."""
    if path is not None:
        with atomic_file(path) as file:
            file.write(json.dumps(found.to_dict(), indent=2, allow_nan=False).encode() + b"\n")
        say(f"Numbers saved to {path}")
