"""Figures of matplotlib's in one look: made, saved atomically, and turned into svg elements."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from fastdense.core.files import atomic_file

__all__ = ["GRID", "INK", "MUTED", "OURS", "PAPER", "PEER", "WRONG"]
__all__ += ["check_drawing", "check_path", "new_figure", "own_style", "plain", "save_figure", "svg"]

INK, MUTED, GRID, PAPER = "#1f2933", "#66727f", "#e4e8ec", "#ffffff"
OURS, PEER, WRONG = "#2f6db5", "#a9b7c6", "#b3403a"


def check_path(path: str | os.PathLike[str]) -> str:
    """Return the format that a chart's name asks for, "png" or "svg"; raise ValueError for another."""
    suffix = Path(path).suffix.lower()
    if suffix not in {".png", ".svg"}:
        raise ValueError(f"{path}: a chart's name ends in .png or .svg")
    return suffix[1:]


@contextmanager
def own_style() -> Iterator[None]:
    """Return a context in which matplotlib draws by its defaults, whatever its user has set.

    It does not warn of letters that its fonts lack: in pages texts stay texts.
    """
    check_drawing()
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def check_drawing() -> None:
    """Raise ImportError if matplotlib is not installed."""
    try:
        import_module("matplotlib.figure")
    except ImportError as error:
        raise ImportError(f"charts need matplotlib: pip install 'fastdense[plot]' ({error})") from error


def new_figure(size: tuple[float, float], tight: bool = False) -> Any:
    """Return an empty figure, ``size`` in inches, that belongs to no window and leaves pyplot's state alone.

    A tight one makes room for the labels of its axes, and no more.
    """
    check_drawing()
    from matplotlib.figure import Figure

    return Figure(figsize=size, facecolor=PAPER, layout="tight" if tight else None)


def plain(axes: Any, labels: float = 10) -> None:
    """Leave nothing of axes but muted labels, of this size in points, and what is drawn upon a grid."""
    axes.set_axisbelow(True)
    axes.minorticks_off()
    axes.tick_params(length=0, labelcolor=MUTED, labelsize=labels)
    axes.spines[:].set_visible(False)


def save_figure(drawn: Callable[[], Any], path: str | os.PathLike[str]) -> None:
    """Save what a function draws, atomically, once the path is known to be a chart's."""
    kind = check_path(path)
    with own_style():
        figure = drawn()
        with atomic_file(path) as file:
            figure.savefig(file, format=kind, dpi=160, facecolor=PAPER)


def svg(figure: Any, words: str, **attributes: str) -> str:
    """Return a figure as an svg element, its texts as text and without what differs from run to run.

    Parameters
    ----------
    figure : Figure
    words : str
        What it shows, for those who do not see it.
    **attributes : str
        Of the element; ``style`` and ``class_``, say.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fastdense"}):
        figure.savefig(buffer, format="svg", facecolor=figure.get_facecolor(), metadata=nothing)
    named = {name.rstrip("_"): value for name, value in attributes.items()}
    given = "".join(
        f' {name}="{escape(v)}"' for name, v in {**named, "role": "img", "aria-label": words}.items()
    )
    return buffer.getvalue().partition('.dtd">')[2].strip().replace("<svg", f"<svg{given}", 1)
