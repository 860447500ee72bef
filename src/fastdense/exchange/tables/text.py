"""The text of a CSV file to columns of texts: encoding, separator, quotes, and the header."""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastdense.core.files import ROOM, require_memory
from fastdense.core.notes import note
from fastdense.errors import TableError, TableWarning
from fastdense.tables.cells import Cells
from fastdense.tables.numerals import read_number
from fastdense.tables.reading import find_reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

__all__ = ["decode", "doubt_header", "sniff", "split"]


_PER_FIELD: Final = 160
"""Bytes that a field takes while a text is read, by trial; polars ends a process that has less."""

_SNIFFED: Final = 20
"""Lines that show the separator."""


class _Quoting(csv.excel):
    """Python's rules for quotes, also after a blank, and an error where one is left open."""

    skipinitialspace = True
    strict = True


def split(path: Path, text: str, separator: str, header: bool) -> pl.DataFrame:
    """Return a text's fields as named columns of texts; TableError where they are not a table."""
    import polars as pl

    first = next(_records(path, text, separator))
    names = [name.strip() if header and name.strip() else f"column_{k}" for k, name in enumerate(first, 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        hint = "; if the first line is a row, say header=False (--no-header)" * all(map(_is_number, twice))
        raise TableError(f"{path}: more than one column is named {', '.join(map(repr, twice))}{hint}")
    if '"' in text:
        # Python's csv module defines what quotes mean: polars refuses some that stand within a field.
        rows = list(_records(path, text, separator))[int(header) :]
        _require_memory(text, len(names))
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return pl.DataFrame([pl.Series(n, c, pl.String) for n, c in zip(names, columns, strict=True)])
    _check_widths(path, text, separator, len(names))
    _require_memory(text, len(names))
    return pl.read_csv(
        text.encode(),
        has_header=False,
        skip_rows=int(header),
        schema=dict.fromkeys(names, pl.String),
        separator=separator,
        quote_char=None,
        raise_if_empty=False,
    )


def _require_memory(text: str, width: int) -> None:
    """Raise MemoryError unless there is enough to make columns of a text."""
    require_memory(3 * len(text) + _PER_FIELD * width * (text.count("\n") + 1) + ROOM)


def doubt_header(path: Path, table: pl.DataFrame) -> None:
    """Say so if the names of a table's columns look like one of its rows."""
    typed = [dtype.is_numeric() for dtype in table.dtypes]
    if _counts_up(table.columns) or (not any(typed) and table.width < 2):
        return
    alike = [
        _is_number(column.name) if is_typed else _looks_alike(column.name, column)
        for column, is_typed in zip(table.iter_columns(), typed, strict=True)
    ]
    if all(alike):
        first = ", ".join(table.columns)
        note(
            f"{path}: the first line, {first[:80]!r}, names the columns but looks like a row; "
            "header=False (--no-header) reads it as one",
            TableWarning,
        )


def _looks_alike(name: str, column: pl.Series) -> bool:
    """Return True if a name is one of a column's texts, or a date or number as its first text is."""
    texts = column.drop_nulls()
    if len(texts) == 0 or (texts == name).any():
        return len(texts) > 0
    kinds = [find_reading([text], [1], Cells()).reading.kind for text in (name, texts[0])]
    return kinds[0] == kinds[1] != "category"


def _is_number(name: str) -> bool:
    try:
        float(name.replace(",", "."))
    except ValueError:
        return False
    return True


def _counts_up(names: Sequence[str]) -> bool:
    """Return True for names such as 0, 1, 2 or 2019, 2020."""
    if len(names) < 2 or not all(name.isascii() and name.isdigit() for name in names):
        return len(names) == 1 and names[0] in ("0", "1")
    start = int(names[0])
    return [int(name) for name in names] == list(range(start, start + len(names)))


def decode(path: Path, data: bytes) -> str:
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


def sniff(text: str, separators: str) -> str:
    """Return the separator that splits the first line into most fields, the first of equals.

    A comma within numbers does not count: of 0,5;1,5 the semicolon separates.
    """
    start = "\n".join(text.split("\n", _SNIFFED)[:_SNIFFED])
    records = {separator: _first_records(start, separator) for separator in separators}
    widths = {separator: len(first[0]) if first else 0 for separator, first in records.items()}
    best = max(separators, key=widths.__getitem__)
    if best != ",":
        return best
    others = [other for other in separators if other != "," and _holds_commas(records[other])]
    return max(others, key=widths.__getitem__, default=best)


def _first_records(text: str, separator: str) -> list[list[str]]:
    found: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # quotes that end elsewhere than at this separator, or are cut off
        found.extend(csv.reader(io.StringIO(text), _Quoting, delimiter=separator))
    return found


def _holds_commas(records: list[list[str]]) -> bool:
    """Return True if records have one width, above 1, and commas in numbers alone, names aside."""
    if len({len(record) for record in records}) != 1 or len(records[0]) < 2:
        return False
    fields = [field.strip() for record in records[1:] or records for field in record if "," in field]
    return bool(fields) and all(read_number(field, ",") for field in fields)


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
