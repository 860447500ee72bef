"""`fastdense vectorize`: the loops of a source file that whole arrays replace."""

from __future__ import annotations

import difflib
import tokenize
from pathlib import Path
from typing import Annotated

import typer

from fastdense import insight
from fastdense.cli.output import say_lines, write_data
from fastdense.insight.loops.source import LARGEST

__all__ = ["vectorize"]


def vectorize(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Python source; it is read, and never run.")],
    diff: Annotated[bool, typer.Option("--diff", help="Show the changes as a patch instead.")] = False,
) -> None:
    """Point at loops over neurons, columns, rows and numbers, and write the array operation that each is."""
    source = _source(file)
    report = insight.vectorize(source, str(file))
    if not diff:
        say_lines(report)
        return
    before, after = source.splitlines(keepends=True), report.rewritten().splitlines(keepends=True)
    write_data("".join(difflib.unified_diff(before, after, str(file), str(file))))


def _source(file: Path) -> str:
    """Return a file's text, in the encoding that it names."""
    size = file.stat().st_size
    if size > 4 * LARGEST:  # characters are of four bytes at most
        raise ValueError(f"{file}: {size:,} bytes are too many to look through; at most {4 * LARGEST:,}")
    try:
        with tokenize.open(file) as opened:
            return opened.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: not Python that can be read: {error}") from None
