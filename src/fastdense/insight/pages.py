"""HTML pages that need no other file and no network; light or dark, as the screen is.

What a page looks like is in ``assets``: templates of Jinja2, which escapes whatever they are given, except
drawings, which a template marks as safe.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastdense.core.files import atomic_file, check_place
from fastdense.core.printable import printable_lines

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["check_path", "render", "save"]


def render(template: str, **values: Any) -> str:
    """Return a page: a template of ``assets`` with values, all of which it must be given.

    What would steer a terminal, or turn the direction of text, is shown as an escape here too.

    Raises
    ------
    ImportError
        Jinja2 is not installed.
    """
    return printable_lines(_environment().get_template(template).render(values))


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise ImportError(f"pages need Jinja2: pip install 'fastdense[plot]' ({error})") from error
    assets = files("fastdense.insight").joinpath("assets")
    return Environment(
        loader=FunctionLoader(lambda name: assets.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def check_path(path: str | os.PathLike[str]) -> None:
    """Raise unless a page can be saved there.

    Raises
    ------
    ValueError
        The name does not end in .html.
    OSError
        No file can be written there.
    ImportError
        Jinja2 is not installed.
    """
    if not os.fspath(path).lower().endswith((".html", ".htm")):
        raise ValueError(f"{os.fspath(path)}: a page's name ends in .html")
    check_place(path)
    _environment()


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
