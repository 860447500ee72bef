"""A page as a program: its fenced blocks, and what each prints when the page is run from top to bottom.

``python pages.py PAGE`` runs one in the current folder and prints a JSON list, a text or null for each block.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
# Not run: what was printed, drawings, files; and Sphinx's directives, whose names are in braces.
SHOWN = ("", "text", "json", "toml")
# Commands of sh blocks that set a machine up, take a checkout or compile, and are not run.
KNOWN = ("./main", "cc", "git", "make", "pip", "pytest")


class Block(NamedTuple):
    """A fenced block: its language, its text, and where its text begins and the whole ends in the page."""

    language: str
    text: str
    line: int
    end: int


def blocks_of(text: str) -> list[Block]:
    """Return a page's fenced blocks."""
    return [
        Block(found[1].strip(), found[2], text.count("\n", 0, found.start(2)) + 1, found.end())
        for found in FENCE.finditer(text)
    ]


def imported(text: str) -> set[str]:
    """Return the packages that a page's Python imports."""
    found = set()
    for block in blocks_of(text):
        for node in ast.walk(ast.parse(block.text if block.language == "python" else "")):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
    return found


def run(page: Path) -> tuple[dict[str, Any], list[str | None]]:
    """Run a page in the current folder; return the names that its Python made, and what each block printed.

    It is None for blocks that are not run.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = [run_block(block, names, page) for block in blocks_of(page.read_text(encoding="utf-8"))]
    return names, printed


def run_block(block: Block, names: dict[str, Any], page: Path) -> str | None:
    """Run one block and return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        match block.language:
            case "python":
                source = "\n" * (block.line - 1) + block.text  # so that a traceback shows the page's line
                exec(compile(source, str(page), "exec"), names)  # noqa: S102
            case "sh":
                for words in commands(block.text):
                    run_command(words)
            case "c":
                print(compiled_and_run(block.text), end="")
            case language:
                if language not in SHOWN and not language.startswith("{"):
                    raise ValueError(f"{page}:{block.line}: a block of {language!r} is neither run nor known")
                return None
    return said.getvalue()


def commands(text: str) -> Iterator[list[str]]:
    """Yield the commands of an sh block, split into words, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def run_command(words: list[str]) -> None:
    """Run a line of an sh block if it is a `fastdense` command, in this process; know the others by name."""
    from fastdense import cli

    if words[0] != "fastdense":
        if words[0] not in KNOWN:
            raise ValueError(f"neither run nor known: {shlex.join(words)}")
        return
    arguments, sys.argv, shown = sys.argv, words, warnings.showwarning
    try:
        cli.main()
    except SystemExit as stop:
        if stop.code:
            raise RuntimeError(f"{shlex.join(words)}: {stop.code}") from stop
    finally:
        sys.argv, warnings.showwarning = arguments, shown


def compiled_and_run(text: str) -> str:
    """Compile a C program with the folder's sources; return what it prints, "" without a compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        return ""
    Path("main.c").write_text(text, encoding="utf-8")
    sources = [str(path) for path in Path.cwd().glob("*.c")]
    strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-o", "main"]
    subprocess.run([compiler, *strict, *sources, "-lm"], check=True)  # noqa: S603
    return subprocess.run(["./main"], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))[1]))
