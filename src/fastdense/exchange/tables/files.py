"""What reading and writing tables share: names of files, and what polars says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from fastdense.errors import TableError

__all__ = ["known_suffix", "one_line", "require_polars"]


def require_polars() -> None:
    """Refuse to go on without polars; ImportError says what to install."""
    if importlib.util.find_spec("polars") is None:
        raise ImportError("reading and writing tables needs polars: pip install 'fastdense[cli]'")


def known_suffix(path: Path, known: tuple[str, ...]) -> str:
    """Return which of the known endings the file's name has, in any case; TableError for another."""
    name = path.name.lower()
    for suffix in known:
        if name.endswith(suffix):
            return suffix
    raise TableError(f"{path}: a table's name ends in {', '.join(known)}")


def one_line(error: BaseException) -> str:
    """Return an exception's message in one line of at most 200 characters."""
    return re.sub(r"\s+", " ", str(error)).strip()[:200]
