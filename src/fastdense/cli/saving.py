"""What commands write: checked before anything is computed, so that nothing is computed in vain or lost."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from fastdense.cli.output import say
from fastdense.core.files import atomic_file, check_place

__all__ = ["check_outputs", "save_json"]


class Measured(Protocol):
    """What has numbers."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON holds."""


def check_outputs(outputs: Mapping[str, Path | None], *inputs: Path | None) -> None:
    """Check the files that a command is to write, before it computes anything.

    Parameters
    ----------
    outputs : mapping of option to path
        None for what was not asked for.
    *inputs : path or None
        The files that the command reads.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        Nothing can be written there.
    ValueError
        A file to write is one that the command reads, or another that it writes; links count as the file.
    """
    asked = {option: path for option, path in outputs.items() if path is not None}
    others: list[tuple[str, Path]] = [
        ("which the command reads", path) for path in inputs if path is not None
    ]
    for option, path in asked.items():
        _check_place(option, path)
        for role, other in others:
            if _is_same(path, other):
                raise ValueError(f"{option} is {other}, {role}: choose another place")
        others.append((f"which {option} writes", path))


def _check_place(option: str, path: Path) -> None:
    """Raise what `check_place` raises, with the option's name."""
    try:
        check_place(path)
    except OSError as error:
        raise type(error)(f"{option}: {error.strerror}: {error.filename}") from None


def _is_same(one: Path, other: Path) -> bool:
    """Return True if two paths are of one file, by symbolic or hard links too."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)


def save_json(found: Measured, path: Path | None) -> None:
    """Save numbers to the files asked for, and say so."""
    if path is not None:
        with atomic_file(path) as file:
            file.write(json.dumps(found.to_dict(), indent=2, allow_nan=False).encode() + b"\n")
        say(f"Numbers saved to {path}")
