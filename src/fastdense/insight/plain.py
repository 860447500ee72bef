"""What was measured, as what JSON holds."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

__all__ = ["as_plain"]


def as_plain(measured: Any) -> dict[str, Any]:
    """Return a dataclass, and those in it, as dicts, lists, strings, numbers and None, which NaN becomes.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Pair:
    ...     both: tuple[int, int]
    >>> as_plain(Pair((1, 2)))
    {'both': [1, 2]}
    """
    found: dict[str, Any] = _listed(asdict(measured))
    return found


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _listed(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [_listed(each) for each in value] if isinstance(value, tuple | list) else value
