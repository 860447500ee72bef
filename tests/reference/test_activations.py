"""The activations: derivatives against differences, limits, tails, names."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdense.core.curves import CURVES
from fastdense.core.spec import ACTIVATIONS, ActivationSpec
from fastdense.reference import activate, activate_backward, dense_units, softmax
from tests.cases import ALPHAS
from tests.compare import assert_within

ELEMENTWISE = [name for name in ACTIVATIONS if name != "softmax"]
INF = math.inf
by_name = pytest.mark.parametrize("name", ELEMENTWISE)


def spec(name):
    return ActivationSpec(name, ALPHAS.get(name, 0.0))


def value(name, z):
    (a,) = activate(spec(name), [z])
    return a


def slope(name, z):
    (dz,) = activate_backward(spec(name), [z], activate(spec(name), [z]), [1.0])
    return dz


@by_name
@given(st.floats(-30.0, 30.0))
def test_derivatives_are_the_limits_of_differences(name, z):
    h = 1e-5
    if any(abs(z - kink) < 2 * h for kink in CURVES[name].kinks):
        return
    numerical = (value(name, z + h) - value(name, z - h)) / (2 * h)
    # h**2 / 6 times a third derivative of at most 6 (softsign's); eps * |a| / h of the difference's rounding
    bound = 1e-10 + 4 * 2.3e-16 * (1 + abs(z)) / h
    assert_within(slope(name, z), numerical, bound * max(1.0, math.exp(z) if name == "exponential" else 1.0))


LIMITS = {
    "linear": (-INF, INF, 1.0, 1.0),
    "sigmoid": (0.0, 1.0, 0.0, 0.0),
    "tanh": (-1.0, 1.0, 0.0, 0.0),
    "relu": (0.0, INF, 0.0, 1.0),
    "leaky_relu": (-INF, INF, 0.3, 1.0),
    "elu": (-0.7, INF, 0.0, 1.0),
    "celu": (-0.6, INF, 0.0, 1.0),
    "selu": (-1.7580993408473766, INF, 0.0, 1.0507009873554805),
    "gelu": (0.0, INF, 0.0, 1.0),
    "gelu_tanh": (0.0, INF, 0.0, 1.0),
    "silu": (0.0, INF, 0.0, 1.0),
    "mish": (0.0, INF, 0.0, 1.0),
    "softplus": (0.0, INF, 0.0, 1.0),
    "exponential": (0.0, INF, 0.0, INF),
    "relu6": (0.0, 6.0, 0.0, 0.0),
    "hard_sigmoid": (0.0, 1.0, 0.0, 0.0),
    "hard_silu": (0.0, INF, 0.0, 1.0),
    "softsign": (-1.0, 1.0, 0.0, 0.0),
}


@by_name
def test_limits(name):
    below, above, slope_below, slope_above = LIMITS[name]
    bound = 1e-15 if name == "selu" else 0.0
    assert_within([value(name, -INF), value(name, INF)], [below, above], bound)
    assert_within([slope(name, -INF), slope(name, INF)], [slope_below, slope_above], bound)


@by_name
@pytest.mark.parametrize("size", [700.0, 1e300, 1.7976931348623157e308])
def test_far_out_they_are_at_their_limits(name, size):
    below, above, slope_below, slope_above = LIMITS[name]
    scale = {"selu": 1.0507009873554805}.get(name, 1.0)
    expected_below = {"linear": -size, "leaky_relu": -0.3 * size}.get(name, below)
    expected_above = above if math.isfinite(above) else scale * size
    slow = 1 / size if name == "softsign" else 0.0  # the others are there sooner
    if name == "exponential":
        expected_above = slope_above = math.exp(size) if size < 709 else INF
    if size == 700.0:  # exp(-700) is 1e-304, silu(-700) is 700 times that
        assert_within(value(name, -size), expected_below, 1e-15 if name == "selu" else 1e-300 + slow)
        assert_within(slope(name, -size), slope_below, 1e-300 + slow * slow)
    else:
        assert_within(value(name, -size), expected_below, 1e-15 if name == "selu" else 0.0)
        assert_within(slope(name, -size), slope_below, 0.0)
    assert_within(value(name, size), expected_above, slow)
    assert_within(slope(name, size), slope_above, 1e-300 + slow * slow)


@by_name
def test_nan_passes_through(name):
    assert math.isnan(value(name, math.nan))
    assert math.isnan(slope(name, math.nan)) or name == "linear"


def test_slopes_at_the_kink():
    assert_within(
        [slope(name, 0.0) for name in ("relu", "leaky_relu", "elu", "celu")], [0.0, 0.3, 0.7, 1.0], 0.0
    )
    assert_within([slope("relu6", 0.0), slope("relu6", 6.0)], [0.0, 1.0], 0.0)
    assert_within([slope("hard_sigmoid", -3.0), slope("hard_sigmoid", 3.0)], [0.0, 1 / 6], 0.0)
    assert_within([slope("hard_silu", -3.0), slope("hard_silu", 3.0)], [0.0, 1.5], 0.0)


def test_hard_curves_keep_their_digits_where_they_leave_zero():
    above = 2.0**-40
    assert_within(value("hard_sigmoid", -3.0 + above), above / 6, 1e-28)
    assert_within(value("hard_silu", -3.0 + above), (-3.0 + above) * above / 6, 1e-28)


def test_negative_tails_keep_their_digits():
    # The first terms of the asymptotic series, good to the next term: for gelu at -30, 945 / 30**10.
    z = -30.0
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    series = -density * (1 - 1 / z**2 + 3 / z**4 - 15 / z**6 + 105 / z**8)
    assert_within(value("gelu", z) / series, 1.0, 1e-11)
    for name in ("sigmoid", "softplus"):
        assert_within(value(name, z) / math.exp(z), 1.0, 1e-12)  # 1 - exp(z) and 1 - exp(z) / 2
    for name in ("silu", "mish"):
        assert_within(value(name, z) / (z * math.exp(z)), 1.0, 1e-12)


@given(st.lists(st.floats(-700.0, 700.0), min_size=1, max_size=6), st.floats(-700.0, 700.0))
def test_softmax_is_a_distribution_that_a_shift_does_not_change(z, shift):
    a = softmax(z)
    assert_within(sum(a), 1.0, 1e-14)
    assert min(a) >= 0
    assert_within(softmax([value + shift for value in z]), a, 1e-12)


def test_softmax_of_extremes():
    assert_within(softmax([1e308, -1e308, 1e308]), [0.5, 0.0, 0.5], 0.0)
    assert_within(softmax([-INF, 3.0]), [0.0, 1.0], 0.0)
    for row in ([INF, 0.0], [-INF, -INF], [math.nan, 0.0], [0.0, math.nan]):
        assert all(math.isnan(a) for a in softmax(row))


@given(
    st.lists(st.tuples(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0)), min_size=1, max_size=5),
)
def test_softmax_backward_is_the_limit_of_differences(pairs):
    z, da = (list(column) for column in zip(*pairs, strict=True))
    found = activate_backward(ActivationSpec("softmax"), z, softmax(z), da)
    h, numerical = 1e-5, []
    for i in range(len(z)):
        above, below = ([v + side * h * (k == i) for k, v in enumerate(z)] for side in (1, -1))
        numerical.append((np.dot(softmax(above), da) - np.dot(softmax(below), da)) / (2 * h))
    assert_within(found, numerical, 1e-8)


GROUPS = ActivationSpec("softmax", groups=(2, 1, 2))


def test_a_softmax_of_each_group():
    z = [0.0, math.log(3), 500.0, 7.0, 7.0]
    assert_within(activate(GROUPS, z), [0.25, 0.75, 1.0, 0.5, 0.5], 1e-15)
    # 0.25 * (4 - 1) and 0.75 * (0 - 1), no slope where there is no other, 0.5 * (2 - 3) and 0.5 * (4 - 3)
    slopes = activate_backward(GROUPS, z, [0.25, 0.75, 1.0, 0.5, 0.5], [4.0, 0.0, 9.0, 2.0, 4.0])
    assert_within(slopes, [0.75, -0.75, 0.0, -0.5, 0.5], 0.0)


@pytest.mark.parametrize("groups", [(2, 2), (2, 4), (5, 0), (6, -1)])
def test_groups_have_all_columns(groups):
    with pytest.raises(ValueError, match=r"softmax has groups of .* but gets 5"):
        activate(ActivationSpec("softmax", groups=groups), [1.0, 2.0, 3.0, 4.0, 5.0])


def test_an_unknown_name_is_answered_with_those_known():
    with pytest.raises(ValueError, match=r"'rellu'; known: linear, sigmoid, .*softmax"):
        dense_units([[1.0]], [[1.0]], [0.0], activation="rellu")
