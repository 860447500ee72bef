"""What commands print: text for people, which no name can turn into commands to the terminal; and data."""

from __future__ import annotations

import sys

from fastdense.core.printable import printable, printable_lines

__all__ = ["say", "say_aside", "say_lines", "write_data"]


def say(line: object) -> None:
    """Print one line."""
    print(printable(line))


def say_lines(text: object) -> None:
    """Print a text of several lines."""
    print(printable_lines(text))


def say_aside(line: object) -> None:
    """Print one line beside the output, on standard error."""
    print(printable(line), file=sys.stderr)


def write_data(text: str) -> None:
    """Write text for other programs: exactly as it is, unless a terminal shows it."""
    sys.stdout.write(printable_lines(text) if sys.stdout.isatty() else text)
