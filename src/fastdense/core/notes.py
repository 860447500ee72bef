"""What has to be said that is not an error: a warning at the caller's own line."""

from __future__ import annotations

import sys
import warnings

from fastdense.core.printable import printable
from fastdense.errors import FormatWarning

__all__ = ["note"]


def note(text: str, category: type[Warning] = FormatWarning) -> None:
    """Warn in one line by ``category``, pointing to the line outside of fastdense that the call came from."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "fastdense":
        level, frame = level + 1, frame.f_back
    warnings.warn(printable(text), category, stacklevel=level)
