"""Read tables from CSV and Parquet files, whole and checked."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastdense.errors import TableError
from fastdense.formats.tables.files import known_suffix, one_line, require_polars

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["read_table"]

_SEPARATORS: Final = {".csv": ",;\t|", ".csv.gz": ",;\t|", ".txt": ",;\t|", ".tsv": "\t"}


class _Quoting(csv.excel):
    """Python's rules for quotes, also after a blank, and an error where one is left open."""

    skipinitialspace = True
    strict = True


def read_table(path: str | os.PathLike[str], *, header: bool = True) -> pl.DataFrame:
    r"""Read a table from a ``.csv``, ``.csv.gz``, ``.tsv``, ``.txt`` or ``.parquet`` file.

    Text files are UTF-8 with comma, semicolon, tab or bar between fields (the one that splits the first
    line into most). A field may be quoted and then hold separators, quotes (doubled) and line ends.
    Blanks around a field are dropped and empty fields are missing. A column is of integers or floats
    where every field in the file is one, and of texts otherwise; fields with leading zeros, as of postal
    codes, stay texts.

    Parameters
    ----------
    path : path-like
    header : bool
        Whether the first line of a text file names the columns; else they are "column_1", "column_2"...

    Returns
    -------
    table : polars.DataFrame

    Raises
    ------
    TableError
        The file is not there, not such a table, damaged or without rows; the message says in one line
        what is wrong and on which line of the file.
    ImportError
        Polars is not installed.

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
    data = _read_bytes(path, gzipped=suffix == ".csv.gz")
    table = _read_parquet(path, data) if suffix == ".parquet" else _read_text(path, suffix, data, header)
    if table.height == 0:
        raise TableError(f"{path}: the table has no rows")
    return table


def _read_bytes(path: Path, *, gzipped: bool) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if gzipped else data
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise TableError(f"{path}: this is a directory, not a file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TableError(f"{path}: damaged, or not compressed by gzip: {one_line(error)}") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from error


def _read_parquet(path: Path, data: bytes) -> pl.DataFrame:
    import polars as pl

    # Polars panics on some damage; that exception is no Exception, so it has to be named.
    damage = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
    try:
        return pl.read_parquet(io.BytesIO(data))
    except damage as error:
        raise TableError(f"{path}: damaged, or not Parquet: {one_line(error)}") from error


def _read_text(path: Path, suffix: str, data: bytes, header: bool) -> pl.DataFrame:
    import polars as pl

    text = _decode(path, data)
    separator = _sniff(text, _SEPARATORS[suffix])
    names = next(_records(path, text, separator))
    width = len(names)
    names = [name.strip() if header and name.strip() else f"column_{k}" for k, name in enumerate(names, 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{path}: more than one column is named {', '.join(map(repr, twice))}")
    if '"' in text:
        # Python's csv module defines what quotes mean: polars refuses some that stand within a field.
        rows = list(_records(path, text, separator))[int(header) :]
        columns = zip(*rows, strict=True) if rows else [()] * width
        table = pl.DataFrame([pl.Series(n, c, pl.String) for n, c in zip(names, columns, strict=True)])
    else:
        _check_widths(path, text, separator, width)
        table = pl.read_csv(
            text.encode(),
            has_header=False,
            skip_rows=int(header),
            schema=dict.fromkeys(names, pl.String),
            separator=separator,
            quote_char=None,
            raise_if_empty=False,
        )
    return _infer(table)


def _decode(path: Path, data: bytes) -> str:
    """Return the text with one kind of line end, a line feed, and no blank lines at the end."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableError(f"{path}: the encoding is UTF-16; save the file as UTF-8")
    nul = data.find(b"\0")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise TableError(f"{path}, line {line}: a NUL byte at offset {nul}; this is no text file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start + 3 * data.startswith(b"\xef\xbb\xbf")  # the mark is cut off before decoding
        line = data.count(b"\n", 0, offset) + 1
        raise TableError(
            f"{path}, line {line}: byte {data[offset]:#04x} at offset {offset} is not UTF-8; "
            "save the file as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if not text.strip():
        raise TableError(f"{path}: the file is empty")
    return text


def _sniff(text: str, separators: str) -> str:
    """Return the separator that splits the first line into most fields, the first of equals."""

    def width(separator: str) -> int:
        try:
            return len(next(csv.reader(io.StringIO(text), _Quoting, delimiter=separator)))
        except csv.Error:  # quotes that end elsewhere than at this separator
            return 0

    return max(separators, key=width)


def _records(path: Path, text: str, separator: str) -> Iterator[list[str]]:
    """Yield each record's fields; TableError where they are not as many as the first one's."""
    reader = csv.reader(io.StringIO(text), _Quoting, delimiter=separator)
    width, line = 0, 1
    try:
        for fields in reader:
            width = width or len(fields) or 1
            if len(fields) != width and (fields or width > 1):  # in one column a blank line is a value
                _refuse_width(path, line, len(fields), width)
            yield fields or [""]
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{path}, line {line}: {error}") from error


def _check_widths(path: Path, text: str, separator: str, width: int) -> None:
    for line, row in enumerate(text.split("\n"), 1):
        if row.count(separator) + 1 != width or (not row and width > 1):
            _refuse_width(path, line, row.count(separator) + 1 if row else 0, width)


def _refuse_width(path: Path, line: int, found: int, width: int) -> None:
    many = f"{found} field{'s' * (found != 1)}" if found else "a blank line"
    raise TableError(f"{path}, line {line}: {many} where the first line has {width}")


def _infer(table: pl.DataFrame) -> pl.DataFrame:
    """Turn the columns that are wholly numeric into integers or floats."""
    import polars as pl

    table = table.select(pl.all().str.strip_chars().replace("", None))
    return table.with_columns([_numeric(column) for column in table.iter_columns()])


def _numeric(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.null_count() == len(column) or column.str.contains(r"^[+-]?0[0-9]").any():
        return column
    for dtype in (pl.Int64, pl.Float64):
        numbers = column.cast(dtype, strict=False)
        if numbers.null_count() == column.null_count():
            return numbers
    return column
