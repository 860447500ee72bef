"""The command line's page, made of what each command says of itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

COLUMNS = "92"


class CommandLine(SphinxDirective):
    """Show the help of `fastdense`, and in a section each that of its commands."""

    def run(self) -> list[nodes.Node]:
        """Return the help texts."""
        from fastdense.cli.app import app

        commands = [str(command.name) for command in app.registered_commands]
        return [help_of(), *map(self.section, commands)]

    def section(self, command: str) -> nodes.Node:
        """Return a command's section."""
        found = nodes.section(ids=[nodes.make_id(command)], names=[f"fastdense {command}"])
        found += nodes.title(text=command)
        found += help_of(command)
        self.state.document.note_explicit_target(found)
        return found


def help_of(*command: str) -> nodes.Node:
    """Return what a command prints for ``--help``."""
    plain = {"COLUMNS": COLUMNS, "TERMINAL_WIDTH": COLUMNS, "NO_COLOR": "1", "TERM": "dumb"}
    asked = [sys.executable, "-c", "from fastdense.cli import main; main()", *command, "--help"]
    run = subprocess.run(asked, env=os.environ | plain, capture_output=True, text=True, check=True)  # noqa: S603
    shown = (
        re.sub(r" +$", "", run.stdout, flags=re.MULTILINE).strip().replace("Usage: -c", "Usage: fastdense")
    )
    return nodes.literal_block(shown, shown, language="none")


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
