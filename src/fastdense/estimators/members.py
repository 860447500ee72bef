"""Networks of several fitted estimators: with the same outputs, whichever classes each of them saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.estimators.blueprint import Weights
from fastdense.estimators.exports import to_network
from fastdense.estimators.goal import Goal
from fastdense.estimators.labels import Binary, Labels, ManyLabels, labels_of
from fastdense.models.sequential import Sequential

__all__ = ["common_goal", "networks_of"]


def common_goal(y: Array, members: Sequence[Any]) -> Goal:
    """Return what several fitted estimators learned together, given all targets.

    Raises
    ------
    ValueError
        The targets are several columns of classes.
    """
    goal: Goal = members[0]._goal
    if not isinstance(goal, Labels):
        return goal
    every = labels_of(y)
    if isinstance(every, ManyLabels):
        raise ValueError(
            "an ensemble takes one column of classes, or columns of zeros and ones, not several columns of "
            "classes: fit an ensemble to each column"
        )
    return every


def networks_of(members: Sequence[Any], goal: Goal) -> list[Sequential]:
    """Return the fitted estimators' networks, all with the outputs of ``goal`` and of one dtype.

    A class that a member has not seen has the probability 0 in it.
    """
    dtype = np.result_type(*(member.coefs_[0] for member in members))
    networks = []
    for member in members:
        weights = _widened((member.coefs_, member.intercepts_), member._goal, goal)
        same: Weights = ([W.astype(dtype) for W in weights[0]], [B.astype(dtype) for B in weights[1]])
        networks.append(to_network(member, same, goal))
    return networks


def _widened(weights: Weights, own: Goal, goal: Goal) -> Weights:
    """Return weights of a network that gives the probabilities of all of the goal's classes."""
    if not isinstance(own, Labels) or np.array_equal(own.classes, goal.classes):  # type: ignore[attr-defined]
        return weights
    assert isinstance(goal, Labels)
    coefs, intercepts = weights
    W, B = coefs[-1], intercepts[-1]
    found = np.searchsorted(goal.classes, own.classes)
    if isinstance(own, Binary):  # the logits of its two classes, or of its only one
        count = len(own.classes)
        W, B = (np.hstack([np.zeros_like(a), a])[..., :count] for a in (W, B))
    if isinstance(goal, Binary):  # it saw one of them alone
        W, B = np.zeros((len(W), 1), W.dtype), np.array([np.inf if found[0] else -np.inf], B.dtype)
        return [*coefs[:-1], W], [*intercepts[:-1], B]
    wide = np.zeros((len(W), goal.n_outputs), W.dtype), np.full(goal.n_outputs, -np.inf, B.dtype)
    wide[0][:, found], wide[1][found] = W, B
    return [*coefs[:-1], wide[0]], [*intercepts[:-1], wide[1]]
