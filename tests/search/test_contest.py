"""A contest: the order that candidates are trained in, and what going on adds to."""

import math
from functools import partial

import pytest

pytest.importorskip("sklearn")

from fastdense import Dense, Input, MLPClassifier, Sequential
from fastdense.search import GridSearch, cross_val
from fastdense.search.contest import Contest
from tests.estimators import data

X, Y = data.X_IRIS, data.Y_IRIS
network = MLPClassifier(max_iter=4, tol=0.0, n_iter_no_change=10, random_state=0)


def contest_of(candidates, until=math.inf):
    evaluation = GridSearch(network, {}, cv=2).evaluation(X, Y, {})
    return Contest(evaluation, candidates, 1, until)


@pytest.mark.parametrize(("until", "order"), [(math.inf, [1, 1, 0, 0]), (1e12, [0, 0, 1, 1])])
def test_the_longest_come_first_unless_time_may_run_out(until, order):
    contest = contest_of([{"hidden_layer_sizes": (300,)}, {"hidden_layer_sizes": (400,)}], until)
    assert contest.advance([0, 1])
    assert [candidate for candidate, _ in contest.outcomes] == order


@pytest.mark.parametrize("estimator", [Sequential([Input((4,)), Dense(1)]), MLPClassifier])
def test_what_is_no_estimator_is_named_with_what_to_give(estimator):
    for call in (GridSearch(estimator, {"alpha": [1.0]}).fit, partial(cross_val, estimator)):
        with pytest.raises(TypeError, match=r"estimator must be one such as MLPClassifier\(\).*Builder"):
            call(X, Y)


def test_the_seconds_of_a_fit_that_goes_on_are_those_of_all_its_epochs():
    contest = contest_of([{}])
    contest.advance([0], 1, keep=True)
    for outcome in contest.outcomes.values():
        outcome.fit_time = 1000.0
    contest.advance([0], 2)
    assert [outcome.epochs for outcome in contest.outcomes.values()] == [2, 2]
    assert all(outcome.fit_time > 1000.0 for outcome in contest.outcomes.values())
