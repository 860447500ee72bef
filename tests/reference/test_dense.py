"""The three loops agree with each other and with the matrix product, and explain shape mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdense.core.spec import ACTIVATIONS, ActivationSpec
from fastdense.errors import ShapeError
from fastdense.reference import dense_neurons, dense_scalars, dense_units
from tests.compare import assert_within, dense_bound

W = np.array([[1.0, 0.0, 1.0], [0.0, 10.0, 1.0]])
B = np.array([-180.0, -200.0, -150.0])


def test_the_articles_example():
    expected = [[1.0, 0.0, 1.0]]
    loops = (
        [dense_neurons([200, 17], list(W.T), list(B), "sigmoid")],
        dense_units(np.array([[200, 17]]), W, B.reshape(1, 3), "sigmoid"),
        dense_scalars([[200, 17]], W.tolist(), [B.tolist()], "sigmoid"),
    )
    for found in loops:
        assert_within(found, expected, 1e-8)  # sigmoid(20) is 1 - 2e-9


@given(st.integers(0, 4), st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_loops_agree_with_the_matrix_product(m, n_in, n_units, seed):
    rng = np.random.default_rng(seed)
    A_in, kernel, b = rng.normal(size=(m, n_in)), rng.normal(size=(n_in, n_units)), rng.normal(size=n_units)
    expected, bound = A_in @ kernel + b, dense_bound(A_in, kernel, b, np.finfo(float).eps)
    assert_within(dense_units(A_in, kernel, b), expected, bound)
    for i in range(m):
        assert_within(dense_neurons(A_in[i], list(kernel.T), list(b)), expected[i], bound[i])
    if m:
        assert_within(dense_scalars(A_in.tolist(), kernel.tolist(), b.tolist()), expected, bound)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_by_name_and_by_spec(name):
    alpha = {"leaky_relu": 0.2, "elu": 1.0, "celu": 1.0}.get(name, 0.0)
    by_name = dense_units([[0.001, 0.002]], W, B / 100, name)
    assert_within(by_name, dense_units([[0.001, 0.002]], W, B / 100, ActivationSpec(name, alpha)), 0.0)
    assert_within([dense_neurons([0.001, 0.002], list(W.T), list(B / 100), name)], by_name, 1e-14)


def test_the_result_is_float64_and_the_inputs_stay():
    A_in, kernel, b = np.float32([[1, 2]]), np.float32(W), np.arange(3)
    for a in (A_in, kernel, b):
        a.setflags(write=False)
    found = dense_units(A_in, kernel, b, "relu")
    assert found.dtype == np.float64
    assert_within(found, [[1.0, 21.0, 5.0]], 0.0)


@pytest.mark.parametrize(
    ("A_in", "kernel", "b", "message"),
    [
        ([200.0, 17.0], W, B, r"A_in has the shape \(2,\).*\n.*A_in.reshape\(1, -1\)"),
        ([[200.0, 17.0]], W[:, 0], B, r"W has the shape \(2,\).*\n.*W.reshape\(-1, 1\)"),
        ([[1.0, 2.0, 3.0]], W, B, r"A_in \(1, 3\) @ W \(2, 3\): 3 columns, 2 rows\n.*pass W.T"),
        (np.ones((2, 5)), W, B, r"A_in \(2, 5\) @ W \(2, 3\): 5 columns, 2 rows\n.*pass A_in.T"),
        (np.ones((4, 5)), W, B, r"Pass examples of 2 numbers, or a W with 5 rows"),
        ([[1.0, 2.0]], W, [1.0, 2.0], r"W \(2, 3\), B \(2,\)\nPass a B of the shape \(3,\) or \(1, 3\)"),
        ([[1.0, 2.0]], W, np.ones((3, 1)), r"B \(3, 1\)"),
        ([[1.0, 2.0]], W, 1.0, r"B \(\)"),
    ],
)
def test_shape_mistakes_are_drawn_with_what_would_fix_them(A_in, kernel, b, message):
    with pytest.raises(ShapeError, match=message):
        dense_units(A_in, kernel, b)


@pytest.mark.parametrize(
    ("x", "weights", "biases", "message"),
    [
        ([[1.0, 2.0]], [[1.0, 2.0]], [0.0], r"x has the shape \(1, 2\): it must have one axis, x.reshape"),
        ([1.0, 2.0], [[1.0, 2.0], [1.0]], [0.0, 0.0], r"x \(2,\) . weights\[1\] \(1,\)"),
        ([1.0], [[1.0], [2.0]], [0.0], "2 weight vectors and 1 biases"),
    ],
)
def test_mistakes_in_the_loop_over_neurons(x, weights, biases, message):
    with pytest.raises(ShapeError, match=message):
        dense_neurons(x, weights, biases)


@pytest.mark.parametrize(
    ("A_in", "kernel", "b", "message"),
    [
        ([[1, 2], [3]], [[1], [2]], [0], r"A_in must have rows, all of one length; .* \[1, 2\]"),
        ([], [[1], [2]], [0], r"A_in must have rows"),
        ([[1, 2]], [[1, 2, 3]], [0, 0, 0], r"2 columns, 1 rows"),
        ([[1, 2]], [[1], [2]], [0, 0], r"Pass a B of the shape \(1,\)"),
    ],
)
def test_mistakes_in_the_loop_over_numbers(A_in, kernel, b, message):
    with pytest.raises(ShapeError, match=message):
        dense_scalars(A_in, kernel, b)
