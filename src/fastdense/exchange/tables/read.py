"""Read tables from CSV and Parquet files, whole and checked."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastdense.core.files import ROOM, require_memory
from fastdense.errors import TableError
from fastdense.exchange.tables.files import known_suffix, one_line, require_polars
from fastdense.exchange.tables.parquet import unpacked_size
from fastdense.exchange.tables.text import decode, doubt_header, sniff, split
from fastdense.exchange.tables.types import typed
from fastdense.tables.cells import Cells

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MAX_SIZE", "read_table"]

MAX_SIZE: Final = 2**30
"""Bytes that a compressed table may unpack to by default: a table takes a few times that in memory."""

_SEPARATORS: Final = {".csv": ",;\t|", ".csv.gz": ",;\t|", ".txt": ",;\t|", ".tsv": "\t"}


def read_table(
    path: str | os.PathLike[str],
    *,
    header: bool = True,
    cells: Cells | None = None,
    max_size: int = MAX_SIZE,
) -> pl.DataFrame:
    r"""Read a table from a ``.csv``, ``.csv.gz``, ``.tsv``, ``.txt`` or ``.parquet`` file.

    Text files are UTF-8 with comma, semicolon, tab or bar between fields (the one that splits the first
    line into most). A field may be quoted and then hold separators, quotes (doubled) and line ends.
    Blanks around a field are dropped and empty fields are missing. A column is of integers or floats
    if every field in the file is one or means missing, see `fastdense.tables.Cells`, and of texts otherwise;
    fields with leading zeros, as of postal codes, stay texts. The decimal sign is found from the file as a
    whole. What leaves a doubt stays text, for `fastdense.tables.Table` to read as the rest of the table
    and the model ask: numbers with units or beside other cells, and dates.

    A `TableWarning` says which numbers are not spelled as programs do, and that a first line of names
    looks like a row.

    Parameters
    ----------
    path : path-like
    header : bool
        Whether the first line of a text file names the columns; else they are "column_1", "column_2"...
    cells : Cells, optional
        The decimal sign and what means missing, if that should not be found.
    max_size : int
        Bytes that a ``.csv.gz`` or ``.parquet`` file may unpack to.

    Returns
    -------
    table : polars.DataFrame

    Raises
    ------
    TableError
        The file is not there, not such a table, damaged, too large or without rows; the message says in
        one line what is wrong and on which line of the file, counted from 1 with the header.
    ImportError
        Polars is not installed.
    MemoryError
        There is not enough memory for the table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "people.csv"
    ...     _ = path.write_text('age;name\n39;"Smith; Ann"\n50;Bob\n')
    ...     read_table(path).rows()
    [(39, 'Smith; Ann'), (50, 'Bob')]
    """
    path = Path(path)
    suffix = known_suffix(path, (*_SEPARATORS, ".parquet"))
    require_polars()
    if suffix == ".parquet":
        table = _read_parquet(path, _read_bytes(path), max_size)
    else:
        data = _read_bytes(path, max_size if suffix == ".csv.gz" else None)
        table = _read_text(path, data, _SEPARATORS[suffix], header, cells or Cells())
    if table.height == 0:
        raise TableError(f"{path}: the table has no rows")
    return table


def _read_bytes(path: Path, unzipped: int | None = None) -> bytes:
    """Return a file's bytes, or what they unzip to if that is at most ``unzipped`` bytes."""
    try:
        if unzipped is None:
            return path.read_bytes()
        with gzip.open(path) as file:
            data = file.read(unzipped + 1)
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise TableError(f"{path}: this is a directory, not a file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TableError(f"{path}: damaged, or not compressed by gzip: {one_line(error)}") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > unzipped:
        raise _too_large(path, "more than", unzipped)
    return data


def _too_large(path: Path, size: str, limit: int) -> TableError:
    return TableError(
        f"{path}: unpacks to {size} {limit:,} bytes; max_size= (--max-size) sets how much is read"
    )


def _read_parquet(path: Path, data: bytes, max_size: int) -> pl.DataFrame:
    import polars as pl

    # Polars panics on some damage; that exception is no Exception, so it has to be named.
    damage = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
    try:
        size = unpacked_size(data)
        table = None
        if size <= max_size:
            # Pages, what they unpack to, and columns: up to three times the table at once, by trial.
            require_memory(3 * size + 4 * ROOM)
            table = pl.read_parquet(io.BytesIO(data))
    except damage as error:
        raise TableError(f"{path}: damaged, or not Parquet: {one_line(error)}") from error
    if table is None:
        raise _too_large(path, f"{size:,} bytes, more than", max_size)
    return table


def _read_text(path: Path, data: bytes, separators: str, header: bool, cells: Cells) -> pl.DataFrame:
    text = decode(path, data)
    separator = sniff(text, separators)
    table = typed(path, split(path, text, separator, header), separator, cells)
    if header:
        doubt_header(path, table)
    return table
