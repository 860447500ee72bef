"""The commands together, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
import warnings
from typing import TextIO

import typer

from fastdense._version import __version__
from fastdense.cli.evaluate import evaluate
from fastdense.cli.explain import explain
from fastdense.cli.export import export
from fastdense.cli.import_ import import_
from fastdense.cli.info import info
from fastdense.cli.ladder import ladder
from fastdense.cli.options import in_options
from fastdense.cli.output import say_aside
from fastdense.cli.predict import predict
from fastdense.cli.profile import profile
from fastdense.cli.search import search
from fastdense.cli.train import train
from fastdense.cli.vectorize import vectorize
from fastdense.core.printable import printable, printable_lines
from fastdense.errors import FastdenseError, ShapeError

__all__ = ["app", "run"]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Dense neural networks: train on a table, predict, and see why it is fast.",
)
for command in (train, search, predict, evaluate, explain, export, import_, info, ladder, profile, vectorize):
    app.command(command.__name__.strip("_"))(command)


def run() -> None:
    """Run the command that the process was called with."""
    warnings.showwarning = _print_warning
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as head, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (FastdenseError, OSError, ValueError, ImportError, MemoryError) as error:
        if os.environ.get("FASTDENSE_DEBUG"):
            raise
        sys.exit(f"fastdense: {_said(error)}")


def _said(error: Exception) -> str:
    """Return what an error says; of the operating system's without their number, the file first."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return printable(f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}")
    shown = printable_lines if isinstance(error, ShapeError) else printable  # which draws its matrices
    return in_options(shown(error)) or type(error).__name__


def _print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning as people at a terminal want it: what it says."""
    say_aside(f"fastdense: note: {in_options(str(message))}")


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        print(f"fastdense {__version__}")
        raise typer.Exit
