"""The `fastdense` command."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; a user's mistake ends in one line and a non-zero exit status."""
    try:
        from fastdense.cli.app import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastdense"):
            raise
        sys.exit(f"fastdense: the command line needs {error.name}: pip install 'fastdense[cli]'")
    run()
