"""What annotations call NumPy's arrays."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

__all__ = ["Array"]

Array: TypeAlias = NDArray[Any]
"""An array of any dtype; shapes and dtypes are in the docstrings."""
