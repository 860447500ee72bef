"""The guides are run when the site is built, and what their blocks print stands under them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

COLUMNS = "100"


def add_outputs(app: Sphinx, name: str, source: list[str]) -> None:
    """Put under each block of a guide what it prints."""
    if not name.startswith("guides/"):
        return
    text, blocks = source[0], pages.blocks_of(source[0])
    printed = outputs_of(Path(app.srcdir) / f"{name}.md") if blocks else []
    for block, output in reversed(list(zip(blocks, printed, strict=True))):
        if output and output.strip():
            shown = f"\n\n```{{code-block}} text\n:class: output\n\n{output.rstrip()}\n```"
            text = text[: block.end] + shown + text[block.end :]
    source[0] = text


def outputs_of(page: Path) -> list[str | None]:
    """Run a page in an empty folder and a process of its own; return what each block printed."""
    plain = {"COLUMNS": COLUMNS, "TERMINAL_WIDTH": COLUMNS, "NO_COLOR": "1", "TERM": "dumb"}
    with tempfile.TemporaryDirectory() as folder:
        asked = [sys.executable, "-W", "ignore", str(pages.__file__), str(page.resolve())]
        done = subprocess.run(  # noqa: S603
            asked, cwd=folder, env=os.environ | plain, stdout=subprocess.PIPE, text=True, check=True
        )
    found: list[str | None] = json.loads(done.stdout)
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to pages being read."""
    app.connect("source-read", add_outputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
