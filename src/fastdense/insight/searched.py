"""A search as a picture: every candidate's score against its epochs, and which of them went on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastdense.insight.figures import GRID, INK, MUTED, OURS, PAPER, PEER, new_figure, plain

__all__ = ["Course", "draw"]

_FIRST = "#c2571a"


class Course(NamedTuple):
    """What a candidate came to.

    Attributes
    ----------
    epochs : sequence of int
        After which it was scored, rising.
    scores : sequence of float
        One for each of these; NaN where there is none.
    """

    epochs: Sequence[int]
    scores: Sequence[float]


def draw(title: str, courses: Sequence[Course], best: int, first: str, measure: str, larger: bool) -> Any:
    """Return the picture as a figure.

    Parameters
    ----------
    title : str
    courses : sequence of Course
        A candidate's each; the first is the one that the others are compared with.
    best : int
        The number of the best candidate.
    first : str
        What the first candidate is called.
    measure : str
        The score's name.
    larger : bool
        True if a larger score is better.
    """
    figure = new_figure((10, 6))
    axes = figure.add_axes((0.085, 0.11, 0.77, 0.74))
    rungs = sorted({epochs for course in courses for epochs in course.epochs}) or [1]
    _axes(axes, rungs, _limits(courses))
    text = f"{measure[0].upper()}{measure[1:]} ({'larger' if larger else 'smaller'} is better) of"
    _titles(figure, title, f"{text} {len(courses):,} candidates; a dot is where one was given up")
    for number, course in enumerate(courses):
        if number not in (0, best):
            survived = course.epochs[-1:] == rungs[-1:]
            _line(axes, course, OURS if survived else PEER, *((1.3, 3.5) if survived else (0.8, 2.5)))
    _line(axes, courses[0], _FIRST, 2.0, 5.5)
    _line(axes, courses[best], INK, 2.4, 6.5)
    _names(axes, courses[0], courses[best], first, best)
    return figure


def _limits(courses: Sequence[Course]) -> tuple[float, float]:
    """Return the ends of the axis of scores: there is room for those of all candidates that went on.

    What is given up at once may be so much worse that the others could not be told apart beside it.
    """
    went_on = [course for course in courses if len(course.epochs) > 1] or courses
    scores = np.array([score for course in [courses[0], *went_on] for score in course.scores])
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return 0.0, 1.0
    room = 0.05 * float(np.ptp(scores)) or 0.5
    return float(scores.min()) - room, float(scores.max()) + room


def _axes(axes: Any, rungs: Sequence[int], limits: tuple[float, float]) -> None:
    axes.set_facecolor(PAPER)
    axes.set_xscale("log")
    plain(axes, labels=11)
    axes.set_xticks(rungs, [f"{epochs:,}" for epochs in rungs])
    axes.set_xlim(rungs[0] / 1.05, rungs[-1] * 1.05)
    axes.set_ylim(*limits)
    axes.set_xlabel("epochs", color=MUTED, fontsize=11)
    axes.grid(visible=True, color=GRID, linewidth=0.8)


def _titles(figure: Any, title: str, text: str) -> None:
    look: dict[str, Any] = {"va": "top", "parse_math": False}
    figure.text(0.02, 0.965, title, color=INK, fontsize=15, fontweight="bold", **look)
    figure.text(0.02, 0.905, text, color=MUTED, fontsize=11, **look)


def _line(axes: Any, course: Course, color: str, width: float, dot: float) -> None:
    """Draw a candidate's line, with a dot at its last score."""
    axes.plot(course.epochs, course.scores, color=color, linewidth=width)
    axes.plot(course.epochs[-1:], course.scores[-1:], "o", color=color, markersize=dot, markeredgewidth=0)


def _names(axes: Any, compared: Course, best: Course, first: str, number: int) -> None:
    """Write the names of the two candidates beside their ends, the upper one's above the lower one's."""
    if compared is best:
        _name(axes, best, f"{first},\nwhich is the best", INK, "center")
        return
    upper = compared.scores[-1] >= best.scores[-1]
    _name(axes, compared, first, _FIRST, "bottom" if upper else "top")
    _name(axes, best, f"the best, {number}", INK, "top" if upper else "bottom")


def _name(axes: Any, course: Course, text: str, color: str, side: str) -> None:
    axes.annotate(
        text,
        (course.epochs[-1], course.scores[-1]),
        xytext=(9, 0),
        textcoords="offset points",
        va=side,
        color=color,
        fontsize=11,
        annotation_clip=True,
        parse_math=False,
    )
