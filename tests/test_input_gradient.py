"""The gradient of a network's outputs by its inputs, against central differences of its predictions."""

from __future__ import annotations

import numpy as np
import pytest

from fastdense.engines import choose, input_gradient
from tests.cases import FLOAT64_CASES
from tests.compare import assert_within

STEP = 1e-5


@pytest.mark.parametrize("case", FLOAT64_CASES, ids=lambda case: case.name)
def test_equals_central_differences(case):
    network, parameters, X = case.network, case.parameters(), case.data().X
    rng = np.random.default_rng(3)
    dA_out = rng.normal(size=(len(X), network.n_out))
    program = choose("reference").compile(network, parameters)
    expected = np.zeros_like(X)
    for j in range(network.n_in):
        ends = [program.predict(X + sign * STEP * np.eye(network.n_in)[j]) for sign in (1, -1)]
        expected[:, j] = ((ends[0] - ends[1]) * dA_out).sum(axis=1) / (2 * STEP)
    found = input_gradient(network, parameters, X, dA_out)
    assert_within(found, expected, 1e-7 * max(1.0, np.abs(expected).max()), case.name)


def test_a_network_without_layers_hands_the_gradient_on():
    from fastdense.core.spec import NetworkSpec

    dA_out = np.array([[1.0, -2.0]])
    assert (input_gradient(NetworkSpec(2, (), "float64"), [], np.zeros((1, 2)), dA_out) == dA_out).all()
