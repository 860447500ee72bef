"""The errors fastdense raises for a caller's mistakes, one kind each."""

from __future__ import annotations

__all__ = [
    "BusyError",
    "DtypeError",
    "EngineError",
    "FastdenseError",
    "FormatError",
    "FormatWarning",
    "NonFiniteError",
    "NonFiniteLossError",
    "NotBuiltError",
    "PrecisionWarning",
    "ShapeError",
    "TableError",
    "TableWarning",
]


class FastdenseError(Exception):
    """Base of every error that fastdense raises on purpose."""


class ShapeError(FastdenseError, ValueError):
    """Two shapes disagree; the message draws them and says what would fix it."""


class DtypeError(FastdenseError, TypeError):
    """An array's dtype cannot be used, or two dtypes disagree."""


class NonFiniteError(FastdenseError, ValueError):
    """The data hold NaN or infinity; the message names the first place."""


class NonFiniteLossError(FastdenseError, ArithmeticError):
    """Training met a loss that is NaN or infinite; the last good weights are kept."""


class NotBuiltError(FastdenseError, ValueError, AttributeError):
    """A network or layer is used before its input width, loss or statistics are known.

    An AttributeError too, so that ``hasattr`` and ``getattr`` take what is not known yet for absent.
    """


class EngineError(FastdenseError, RuntimeError):
    """The engine that was asked for does not exist or cannot run here."""


class BusyError(FastdenseError, RuntimeError):
    """Something else is training the model, which one call at a time may change."""


class FormatError(FastdenseError, ValueError):
    """A model file cannot be read: damaged, of another version, or holding unknown parts."""


class FormatWarning(UserWarning):
    """A part of a model file was left out, because fastdense's networks have no place for it."""


class PrecisionWarning(UserWarning):
    """The model's dtype cannot tell apart the values of a column; the message names it and what to do."""


class TableError(FastdenseError, ValueError):
    """A table cannot be read, or lacks what the model needs of it."""


class TableWarning(UserWarning):
    """A table was read in a way that its owner should know of; the message names the column."""
