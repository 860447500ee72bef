"""Write tables to CSV and Parquet files, all or nothing."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastdense.core.files import atomic_file
from fastdense.errors import TableError
from fastdense.exchange.tables.files import known_suffix, one_line, require_polars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["write_table"]

_WRITABLE: Final = (".csv", ".tsv", ".parquet")


def write_table(columns: Mapping[str, Sequence[Any]], path: str | os.PathLike[str]) -> None:
    """Write named columns of one length to a ``.csv``, ``.tsv`` or ``.parquet`` file, all or nothing.

    The file appears whole or, if anything fails, stays as it was. A link and the file's permissions stay.

    Parameters
    ----------
    columns : dict of names to sequences or arrays of shape (m,)
    path : path-like

    Raises
    ------
    TableError
        The columns differ in length, hold what such a file cannot, or the file cannot be written.
    ImportError
        Polars is not installed.
    """
    path = Path(path)
    suffix = known_suffix(path, _WRITABLE)
    require_polars()
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise TableError(f"{path}: a table needs columns of one length, not {lengths}")
    import polars as pl

    buffer = io.BytesIO()
    try:
        table = pl.DataFrame(dict(columns))
        if suffix == ".parquet":
            table.write_parquet(buffer)
        else:
            table.write_csv(buffer, separator="\t" if suffix == ".tsv" else ",")
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise TableError(f"{path}: the columns cannot be written: {one_line(error)}") from error
    try:
        with atomic_file(path) as file:
            file.write(buffer.getbuffer())
    except OSError as error:
        raise TableError(f"{path}: cannot be written: {error.strerror or error}") from error
