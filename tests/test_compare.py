"""The comparator rejects what comparators let through: NaN, signs, zeros, shapes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compare import (
    assert_identical,
    assert_trajectory_within,
    assert_within,
    dense_bound,
    ulp_error,
)

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("actual", "expected", "bound"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.25], [1.0, 2.0], 0.25),
        ([1.0, 2.25], [1.0, 2.0], [0.0, 0.25]),
        ([NAN, INF, -INF], [NAN, INF, -INF], 0.0),
        ([0.0], [-0.0], 0.0),
        ([3, 4], [3, 4], 0),
        ([True], [True], 0),
        (2.0, 2.0, 0.0),
        ([], [], 0.0),
    ],
)
def test_accepts_what_is_within(actual, expected, bound):
    assert_within(actual, expected, bound)


@pytest.mark.parametrize(
    ("actual", "expected", "bound"),
    [
        ([1.0, 2.5], [1.0, 2.0], 0.25),
        ([-3.0], [3.0], 1.0),  # a flipped sign
        ([-5.0], [-3.0], 1.0),
        ([3.0], [-3.0], 5.0),
        ([0.0], [1e-30], 1e-31),  # zero for something tiny
        ([1e-30], [0.0], 1e-31),
        ([NAN], [1.0], 1e300),
        ([1.0], [NAN], 1e300),
        ([INF], [1.0], 1e300),
        ([1.0], [INF], 1e300),
        ([INF], [-INF], 1e300),
        ([NAN], [INF], 1e300),
        ([1.7e308], [-1.7e308], 1e308),  # the difference overflows
        ([2**62], [2**62 + 1], 0.0),  # equal after conversion to float64
        ([True], [False], 0.5),
    ],
)
def test_rejects_what_is_not(actual, expected, bound):
    with pytest.raises(AssertionError):
        assert_within(actual, expected, bound)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ([1.0, 1.0], [1.0]),
        ([[1.0]], [1.0]),
        ([[1.0, 2.0]], [[1.0], [2.0]]),
        (1.0, [1.0]),
        ([], [1.0]),
        ([1], [1.0]),
        ([1.0], [True]),
    ],
)
def test_rejects_another_shape_or_kind(actual, expected):
    with pytest.raises(AssertionError, match=r"shape|dtype"):
        assert_within(actual, expected, 1e300)


@pytest.mark.parametrize("bound", [NAN, INF, -1.0, [0.0, INF]])
def test_rejects_a_bound_that_tests_nothing(bound):
    with pytest.raises(AssertionError, match="bound"):
        assert_within([1.0, 1.0], [1.0, 1.0], bound)


def test_the_message_names_the_worst_place():
    with pytest.raises(AssertionError, match=r"weights: 2 of 4 .* at \(1, 0\)"):
        assert_within([[1.0, 2.5], [9.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]], 0.1, "weights")


def test_identical_means_every_bit():
    assert_identical(np.float32([1, NAN]), np.float32([1, NAN]))
    for other in (np.float64([1.0]), np.float32([1.0000001]), np.float32([[1.0]])):
        with pytest.raises(AssertionError):
            assert_identical(other, np.float32([1.0]))
    with pytest.raises(AssertionError):
        assert_identical([-0.0], [0.0])


def test_a_trajectory_may_drift_in_proportion_to_its_steps():
    expected = [np.array([100.0, 1.0])] * 3
    drifting = [wanted + 0.09 * step for step, wanted in enumerate(expected, start=1)]
    assert_trajectory_within(drifting, expected, growth=1.0, eps=1e-3)
    with pytest.raises(AssertionError, match="step 1"):
        assert_trajectory_within(drifting[::-1], expected, growth=1.0, eps=1e-3)
    with pytest.raises(AssertionError, match="2 steps"):
        assert_trajectory_within(drifting[:2], expected, growth=1.0, eps=1e-3)


def test_dense_bound_by_hand():
    # (2 + 2) * eps * (|1| |-3| + |-2| |4| + |-5|)
    assert_within(dense_bound(np.array([[1.0, -2.0]]), np.array([[-3.0], [4.0]]), [-5.0], 0.5), [[32.0]], 0)


def test_dense_bound_holds_for_float32_and_is_not_slack():
    rng = np.random.default_rng(0)
    A_in, W, B = rng.normal(size=(64, 50)), rng.normal(size=(50, 8)), rng.normal(size=8)
    A_in, W, B = (np.float32(a) for a in (A_in, W, B))
    expected = np.float64(A_in) @ np.float64(W) + B
    bound = dense_bound(A_in, W, B, np.finfo(np.float32).eps)
    assert_within(A_in @ W + B, expected, bound)
    with pytest.raises(AssertionError):
        assert_within(A_in @ W + B * np.float32(1.001), expected, bound)


def test_ulp_error_by_hand():
    one = np.float32(1.0)
    above = np.nextafter(one, np.float32(2.0))
    assert_within(ulp_error(np.array([one, above, -one]), [1.0, 1.0, 1.0]), [0.0, 1.0, 2.0**24], 0)
    assert_within(ulp_error(np.float32([1.0]), [1 + 2.0**-25]), [0.25], 0)


def test_ulp_error_of_what_is_not_finite():
    found = np.float32([NAN, INF, NAN, INF, 1.0, 1.0, 0.0])
    wanted = [NAN, INF, 1.0, -INF, NAN, INF, 1e-45]
    units = ulp_error(found, wanted)
    assert_within(units[:2], [0.0, 0.0], 0.0)
    assert_within(units[2:6], [INF] * 4, 0.0)
    assert units[6] > 0.5
