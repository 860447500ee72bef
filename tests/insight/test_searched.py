"""The picture of a search: who is named, and what its axes have room for."""

import pytest

pytest.importorskip("matplotlib")

from fastdense.insight.figures import MUTED, PEER
from fastdense.insight.searched import Course, draw

COURSES = [
    Course([2, 6, 18], [0.60, 0.50, 0.45]),
    Course([2], [90.0]),
    Course([2, 6, 18], [0.55, 0.45, 0.40]),
    Course([2, 6], [0.58, 0.52]),
    Course([], []),
    Course([2], [float("nan")]),
]


def drawn(best=2, courses=COURSES, larger=False):
    figure = draw("Search for 'y'", courses, best, "the plain recipe", "log loss", larger)
    [axes] = figure.axes
    return figure, axes


def test_the_best_and_the_plain_recipe_are_named():
    figure, axes = drawn()
    assert sorted(text.get_text() for text in axes.texts) == ["the best, 2", "the plain recipe"]
    assert figure.texts[0].get_text() == "Search for 'y'"
    assert "Log loss (smaller is better) of 6 candidates" in figure.texts[1].get_text()
    _, axes = drawn(best=0)
    assert [text.get_text() for text in axes.texts] == ["the plain recipe,\nwhich is the best"]


def test_what_was_given_up_at_once_flattens_nothing():
    _, axes = drawn()
    low, high = axes.get_ylim()
    assert 0.3 < low < 0.40
    assert 0.60 < high < 0.7


def test_every_rung_has_a_tick():
    _, axes = drawn()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "6", "18"]


def test_those_that_were_given_up_are_pale():
    _, axes = drawn()
    lines = [line for line in axes.lines if list(line.get_xdata()) == [2, 6]]
    assert [line.get_color() for line in lines] == [PEER]


def test_scores_that_are_none_leave_an_empty_picture():
    _, axes = drawn(best=0, courses=[Course([1], [float("nan")])])
    assert axes.get_ylim() == (0.0, 1.0)


def test_a_large_score_may_be_the_better_one():
    figure, _ = drawn(larger=True)
    assert "(larger is better)" in figure.texts[1].get_text()
    assert figure.texts[1].get_color() == MUTED
