"""HTML pages that need nothing beside themselves, no file and no network; light or dark, as the screen is."""

from __future__ import annotations

import os
from html import escape
from importlib.resources import files

from fastdense.core.files import atomic_file, check_folder
from fastdense.core.printable import printable_lines

__all__ = ["check_path", "folded", "page", "resource", "save"]


def page(title: str, body: str, script: str = "") -> str:
    """Return a whole page around a body; nothing in it is asked for from elsewhere.

    What would steer a terminal, or turn the direction of text, is shown as an escape here too.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML, in which what comes from models and tables has been escaped.
    script : str
        JavaScript, run once the body is there.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    return printable_lines(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{resource("page.css")}</style>
</head>
<body>
{body}
<script>
{script}</script>
</body>
</html>
""")


def folded(title: str, content: str) -> str:
    """Return HTML that is shown once its title is chosen; on paper it is there."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def resource(name: str) -> str:
    """Return the text of a file of this room."""
    return files("fastdense.insight").joinpath("assets", name).read_text(encoding="utf-8")


def check_path(path: str | os.PathLike[str]) -> None:
    """Raise unless a page can be saved there.

    Raises
    ------
    ValueError
        The name does not end in .html.
    FileNotFoundError
        There is no such folder.
    """
    if not os.fspath(path).lower().endswith((".html", ".htm")):
        raise ValueError(f"{os.fspath(path)}: a page's name ends in .html")
    check_folder(path)


def save(text: str, path: str | os.PathLike[str]) -> None:
    """Write a page, atomically.

    Raises
    ------
    ValueError
        The name does not end in .html.
    OSError
        The file cannot be written; what was there before is untouched.
    """
    check_path(path)
    with atomic_file(path) as file:
        file.write(text.encode())
