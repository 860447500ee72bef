"""The words that spaces are written in."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from fastdense.search import choice, integers, log_uniform, uniform


def drawn(space, count=2000):
    state = np.random.RandomState(0)
    return np.array([space.rvs(random_state=state) for _ in range(count)])


def test_uniform_spreads_evenly():
    values = drawn(uniform(-1.0, 3.0))
    assert values.min() >= -1
    assert values.max() <= 3
    assert abs((values < 0).mean() - 0.25) < 0.04


def test_log_uniform_gives_each_decade_its_share():
    values = drawn(log_uniform(1e-4, 1e-1))
    assert values.min() >= 1e-4
    assert values.max() <= 1e-1
    assert abs((values < 1e-3).mean() - 1 / 3) < 0.04


def test_integers_have_both_ends():
    values = drawn(integers(-2, 2))
    assert set(values) == {-2, -1, 0, 1, 2}
    assert abs((values == 2).mean() - 0.2) < 0.04


def test_logarithmic_integers():
    values = drawn(integers(1, 100, log=True))
    assert values.min() == 1
    assert values.max() == 100
    assert abs((values < 10).mean() - 0.5) < 0.05


def test_the_same_seed_draws_the_same():
    assert (drawn(uniform(0, 1), 5) == drawn(uniform(0, 1), 5)).all()


def test_a_choice_is_a_list():
    sizes = choice([(8,), (16, 16)])
    assert len(sizes) == 2
    assert list(sizes) == [(8,), (16, 16)]


def test_spaces_say_what_they_are():
    shown = [
        uniform(0, 1),
        log_uniform(0.1, 1),
        integers(1, 5),
        integers(1, 5, log=True),
        choice(["ab"]),
    ]
    assert [eval(repr(space), vars(fd.search)) for space in shown[:4]] == shown[:4]
    assert repr(shown[4]) == "choice(['ab'])"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: uniform(1, 1), "below the high one"),
        (lambda: uniform("a", 1), "low must be a number"),
        (lambda: uniform(0, np.inf), "high must be finite"),
        (lambda: log_uniform(0, 1), "above 0"),
        (lambda: integers(0, 8, log=True), "at least 1"),
        (lambda: integers(1.5, 8), "whole number"),
        (lambda: choice([]), "not empty"),
        (lambda: choice("relu"), "list of values"),
    ],
)
def test_what_is_no_space(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
