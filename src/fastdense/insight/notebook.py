"""What notebooks show of a measurement: its table, and its chart if matplotlib is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from importlib.util import find_spec
from typing import Any

from fastdense.insight.figures import own_style, svg

__all__ = ["framed", "shown"]


def shown(
    title: str, rows: Sequence[Sequence[str]], notes: Sequence[str], drawn: Callable[[], Any] | None = None
) -> str:
    """Return a title, a table whose first row are its headings, notes, and a chart, as HTML.

    Parameters
    ----------
    title : str
    rows : sequence of sequences of str
    notes : sequence of str
    drawn : function, optional
        Returns a figure of matplotlib's.

    Examples
    --------
    >>> shown("A <b>", [("way", "time"), ("loop", "1 s")], ["measured"])
    '<p><b>A &lt;b&gt;</b></p><table><thead><tr><th>way</th>...<p><small>measured</small></p>'
    """
    head, *body = [[escape(cell) for cell in row] for row in rows]
    headings = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in body)
    table = f"<table><thead><tr>{headings}</tr></thead><tbody>{lines}</tbody></table>"
    said = "<br>".join(map(escape, notes))
    chart = ""
    if drawn is not None and _can_draw():
        with own_style():
            chart = svg(drawn(), f"{title}: a chart of the table")
    return f"<p><b>{escape(title)}</b></p>{table}<p><small>{said}</small></p>{chart}"


def framed(page: Callable[[], str], title: str, height: int = 640) -> str | None:
    """Return a whole page within a notebook's, its styles and script apart from the notebook's own.

    None, for which notebooks show the text instead, if what draws pages is not installed.
    """
    if not _can_draw():
        return None
    return (
        f'<iframe srcdoc="{escape(page())}" title="{escape(title)}" '
        f'style="width: 100%; height: {height}px; border: 0"></iframe>'
    )


def _can_draw() -> bool:
    """Return True if the extra ``plot`` is installed."""
    return all(map(find_spec, ("jinja2", "matplotlib")))
