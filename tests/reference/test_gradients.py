"""The gradients of every layer, activation, loss and penalty against central differences, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from fastdense.core.spec import PeriodicEmbeddingSpec, trained_arrays
from fastdense.reference import ReferenceEngine
from tests.cases import FLOAT64_CASES
from tests.compare import assert_within

H = 1e-5


def trainable(case, parameters):
    """Return the arrays that gradients belong to, in their order."""
    return trained_arrays(case.network, parameters)


def loss_at(case, parameters, data):
    program = ReferenceEngine().compile(case.network, parameters, case.training)
    weights = 1.0 if data.sample_weight is None else data.sample_weight
    return float(np.mean(weights * program.losses(data.X, data.y))) + program.penalty()


@pytest.mark.parametrize("case", FLOAT64_CASES, ids=lambda case: case.name)
def test_gradients_are_the_limits_of_differences(case):
    data, parameters = case.data(), case.parameters()
    program = ReferenceEngine().compile(case.network, parameters, case.training)
    loss, gradients = program.gradients(data.X, data.y, data.sample_weight)
    assert_within(loss, loss_at(case, parameters, data), 1e-14 * max(1.0, abs(loss)))
    weights = trainable(case, parameters)
    assert len(gradients) == len(weights)
    for place, (w, g) in enumerate(zip(weights, gradients, strict=True)):
        numerical = np.empty_like(w)
        for index in np.ndindex(w.shape):
            middle = w[index]
            w[index] = middle + H
            above = loss_at(case, parameters, data)
            w[index] = middle - H
            below = loss_at(case, parameters, data)
            w[index] = middle
            numerical[index] = (above - below) / (2 * H)
        # H**2 / 6 is 2e-11, times third derivatives of up to some tens, and by a frequency of up to
        # (2 pi x)**3; the losses' rounding over H is 1e-11
        turns = any(isinstance(layer, PeriodicEmbeddingSpec) for layer in case.network.layers)
        assert_within(g, numerical, 1e-7 if turns else 2e-9, f"gradient {place}")
