"""C: a network's predictions as one source file and its header."""

from __future__ import annotations

import os

from fastdense.exchange.c import writer
from fastdense.models.saving import content_of
from fastdense.models.sequential import Sequential

__all__ = ["write_c"]


def write_c(model: Sequential, path: str | os.PathLike[str], name: str | None = None) -> None:
    """Write a model's predictions as C99, which also is C++: two files that need no library but C's own.

    The header declares, for a model of float32 (of float64 with ``double``), ::

        #define NAME_INPUTS 4
        #define NAME_OUTPUTS 3
        void NAME_predict(const float *x, float *y);                         // one row
        void NAME_predict_rows(size_t rows, const float *X, float *Y);       // one after another

    with the name as it is given in the functions, and in upper case in the macros. The functions allocate
    nothing and keep nothing between calls, so any number of threads may be in them.

    Parameters
    ----------
    model : Sequential
    path : path-like
        Of the source file, ending in ".c"; the header, of the same name but ".h", goes beside it. Both are
        replaced, and only once the new ones are safely on the disk.
    name : str, optional
        What the functions' names begin with; the source file's name if not given.

    Raises
    ------
    FormatError
        The path has another ending, odd characters or the name of one of C's own headers, or the functions'
        name is not a C identifier.
    NotBuiltError
        The model's weights do not exist yet.
    OSError
        A file cannot be written; what was there before is untouched.

    Notes
    -----
    A dropout does nothing in predictions and vanishes. A ``model.table`` stays behind: the functions take the
    columns that it makes. The outputs are as near to the definition's as the engines' are, but not the same
    to the last bit: compilers and C libraries round in their own ways.
    """
    writer.write(content_of(model), path, name=name)
