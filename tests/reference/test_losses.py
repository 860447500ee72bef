"""The losses: values worked by hand, gradients against differences, extremes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdense.core.spec import (
    LOSSES,
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    HuberSpec,
    MeanAbsoluteErrorSpec,
    MeanSquaredErrorSpec,
    PoissonSpec,
    QuantileSpec,
    SparseCategoricalCrossentropySpec,
)
from fastdense.reference import loss, loss_gradient, softmax
from fastdense.reference.curves import sigmoid
from tests.cases import loss_named
from tests.compare import assert_within

LOG_2, LOG_3 = math.log(2), math.log(3)
BINARY, CATEGORICAL = "binary_crossentropy", "categorical_crossentropy"
SPARSE = "sparse_categorical_crossentropy"
LOGITS = [LOSSES[name](from_logits=True) for name in (BINARY, CATEGORICAL, SPARSE)]
CLIPPED = -math.log(1e-7)


@pytest.mark.parametrize(
    ("spec", "y", "a", "expected"),
    [
        (MeanSquaredErrorSpec(), [1.0, -1.0], [3.0, 0.0], (4 + 1) / 2),
        (MeanAbsoluteErrorSpec(), [1.0, -1.0], [3.0, -1.5], (2 + 0.5) / 2),
        (HuberSpec(delta=1.0), [0.0, 0.0], [1.0, -2.0], (0.5 + 1.5) / 2),
        (HuberSpec(delta=0.5), [0.0], [2.0], 0.5 * (2 - 0.25)),
        (PoissonSpec(), [2.0, 0.0], [1.0, 3.0], (1 - 2 * math.log(1 + 1e-7) + 3) / 2),
        (PoissonSpec(from_logits=True), [2.0, 1.0], [0.0, LOG_3], (1 + 3 - LOG_3) / 2),
        (QuantileSpec(quantile=0.9), [1.0, 1.0], [3.0, -1.0], (0.1 * 2 + 0.9 * 2) / 2),
        (BinaryCrossentropySpec(), [1.0, 0.0], [0.5, 0.75], (LOG_2 + 2 * LOG_2) / 2),
        (
            BinaryCrossentropySpec(label_smoothing=0.5),
            [1.0],
            [0.25],
            0.75 * 2 * LOG_2 - 0.25 * math.log(0.75),
        ),
        (BinaryCrossentropySpec(from_logits=True), [1.0, 0.0], [0.0, LOG_3], (LOG_2 + math.log(4)) / 2),
        (
            BinaryCrossentropySpec(from_logits=True, label_smoothing=1.0),
            [1.0],
            [LOG_3],
            math.log(4) - LOG_3 / 2,
        ),
        (CategoricalCrossentropySpec(), [0.0, 1.0], [0.75, 0.25], 2 * LOG_2),
        (CategoricalCrossentropySpec(), [0.0, 1.0], [6.0, 2.0], 2 * LOG_2),  # normalised first
        (CategoricalCrossentropySpec(), [0.0, 2.0], [0.75, 0.25], 4 * LOG_2),  # targets need not sum to 1
        (CategoricalCrossentropySpec(from_logits=True), [1.0, 0.0], [0.0, LOG_3], 2 * LOG_2),
        (CategoricalCrossentropySpec(groups=(2, 2)), [0.0, 1.0, 1.0, 0.0], [0.75, 0.25, 0.5, 0.5], 3 * LOG_2),
        (CategoricalCrossentropySpec(groups=(2, 2)), [0.0, 1.0, 1.0, 0.0], [6.0, 2.0, 0.5, 0.5], 3 * LOG_2),
        (
            CategoricalCrossentropySpec(from_logits=True, groups=(2, 1, 2)),
            [1.0, 0.0, 1.0, 0.0, 1.0],
            [0.0, LOG_3, 900.0, 5.0, 5.0],
            2 * LOG_2 + 0 + LOG_2,
        ),
        (
            # 0.7 and 0.3 of two classes; 0.6, 0.2 and 0.2 of three
            CategoricalCrossentropySpec(label_smoothing=0.6, groups=(2, 3)),
            [1.0, 0.0, 1.0, 0.0, 0.0],
            [0.5, 0.5, 0.5, 0.25, 0.25],
            LOG_2 + (0.6 + 0.4 * 2) * LOG_2,
        ),
        (SparseCategoricalCrossentropySpec(), 1, [0.75, 0.25], 2 * LOG_2),
        (SparseCategoricalCrossentropySpec(from_logits=True), 0, [0.0, LOG_3], 2 * LOG_2),
        (
            SparseCategoricalCrossentropySpec(label_smoothing=0.5),
            1,
            [0.5, 0.25, 0.25],
            (1 / 6) * LOG_2 + (5 / 6) * 2 * LOG_2,
        ),
        (BinaryCrossentropySpec(), [1.0], [0.0], CLIPPED),
        (BinaryCrossentropySpec(), [0.0], [1.0], CLIPPED),
        (CategoricalCrossentropySpec(), [1.0, 0.0], [0.0, 1.0], CLIPPED),
    ],
)
def test_values_by_hand(spec, y, a, expected):
    assert_within(loss(spec, y, a), expected, 4e-16 * max(1.0, expected) + 2e-9 * (expected == CLIPPED))


@pytest.mark.parametrize(
    ("spec", "y", "a", "expected"),
    [
        (MeanAbsoluteErrorSpec(), [1.0, 1.0], [3.0, 1.0], [0.5, 0.0]),
        (HuberSpec(delta=0.5), [0.0, 0.0, 0.0], [0.5, -2.0, 0.25], [0.5 / 3, -0.5 / 3, 0.25 / 3]),
        (PoissonSpec(), [1.0], [0.5 - 1e-7], [-1.0]),
        (PoissonSpec(from_logits=True), [2.0, 0.0], [0.0, LOG_3], [-0.5, 1.5]),
        (QuantileSpec(quantile=0.75), [1.0] * 3, [3.0, -1.0, 1.0], [0.25 / 3, -0.75 / 3, 0.0]),
        (BinaryCrossentropySpec(), [1.0, 0.0], [0.5, 0.75], [-1.0, 2.0]),
        (BinaryCrossentropySpec(), [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]),  # clipped
        (CategoricalCrossentropySpec(), [0.0, 1.0], [0.75, 0.25], [1.0, -3.0]),  # (0 + 1) / 1, (-4 + 1) / 1
        (CategoricalCrossentropySpec(), [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]),  # clipped
        # (0 + 1) / 1, (-4 + 1) / 1; (-2 + 1) / 1, (0 + 1) / 1
        (
            CategoricalCrossentropySpec(groups=(2, 2)),
            [0.0, 1.0] * 2,
            [0.75, 0.25, 0.5, 0.5],
            [1.0, -3.0, 1.0, -1.0],
        ),
        (
            CategoricalCrossentropySpec(from_logits=True, groups=(2, 1)),
            [1.0, 0.0, 1.0],
            [0.0, LOG_3, 4.0],
            [0.25 - 1, 0.75, 0.0],
        ),
        (SparseCategoricalCrossentropySpec(from_logits=True), 0, [0.0, LOG_3], [-0.75, 0.75]),
    ],
)
def test_gradients_by_hand(spec, y, a, expected):
    assert_within(loss_gradient(spec, y, a), expected, 1e-15)


@st.composite
def rows(draw):
    """A loss, a target and an output away from the kinks of the absolute losses."""
    name = draw(st.sampled_from(list(LOSSES)))
    n = draw(st.integers(1, 4))
    spec = loss_named(
        name,
        from_logits=draw(st.booleans()),
        label_smoothing=draw(st.sampled_from([0.0, 0.3])),
        delta=0.7,
        quantile=0.2,
    )
    unit = st.floats(0.05, 0.95)
    y = draw(st.integers(0, n - 1)) if name == SPARSE else draw(st.lists(unit, min_size=n, max_size=n))
    a = [draw(unit) for _ in range(n)]
    return spec, y, a


def away_from_kinks(spec, y, a, h):
    if spec.name in ("mean_absolute_error", "quantile"):
        return min(abs(v - t) for v, t in zip(a, y, strict=True)) > h
    if spec.name == "huber":
        return min(abs(abs(v - t) - spec.delta) for v, t in zip(a, y, strict=True)) > h
    if spec.name in (CATEGORICAL, SPARSE):
        return len(a) > 1  # a single class is certain, and clipped
    return True


@given(rows())
def test_gradients_are_the_limits_of_differences(row):
    spec, y, a = row
    h = 1e-6
    if not away_from_kinks(spec, y, a, 2 * h):
        return
    numerical = []
    for i in range(len(a)):
        above, below = ([v + side * h * (k == i) for k, v in enumerate(a)] for side in (1, -1))
        numerical.append((loss(spec, y, above) - loss(spec, y, below)) / (2 * h))
    # third derivatives reach 2 / 0.05**3 = 16000: times h**2 / 6 that is 3e-9; rounding: 3 * eps / h
    assert_within(loss_gradient(spec, y, a), numerical, 1e-8)


@given(st.lists(st.floats(-15.0, 15.0), min_size=2, max_size=4), st.integers(0, 1), st.floats(0.0, 0.5))
def test_logits_and_probabilities_agree_where_nothing_is_clipped(z, y, smoothing):
    t = [float(y)] * len(z)
    binary = BinaryCrossentropySpec(label_smoothing=smoothing)
    from_logits = BinaryCrossentropySpec(from_logits=True, label_smoothing=smoothing)
    # 1 - p has lost up to 15 / log(2) of its bits at z = 15
    assert_within(loss(binary, t, [sigmoid(v) for v in z]), loss(from_logits, t, z), 1e-8)
    sparse = SparseCategoricalCrossentropySpec(label_smoothing=smoothing)
    from_logits = SparseCategoricalCrossentropySpec(from_logits=True, label_smoothing=smoothing)
    p = softmax(z)
    if min(p) > 1e-7 and max(p) < 1 - 1e-7:
        assert_within(loss(sparse, y, p), loss(from_logits, y, z), 1e-8)


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=4), st.integers(0, 9))
def test_means_and_their_logarithms_have_the_same_poisson_loss(z, y):
    means, counts = [math.exp(v) for v in z], [float(y)] * len(z)
    # the loss of a mean a adds 1e-7 to it before the logarithm: up to y * 1e-7 / a
    difference = 9 * 1e-7 * math.exp(5)
    found = loss(PoissonSpec(from_logits=True), counts, z)
    assert_within(found, loss(PoissonSpec(), counts, means), difference)


def test_a_logarithm_that_is_too_large_gives_an_infinite_poisson_loss():
    spec = PoissonSpec(from_logits=True)
    assert_within(loss(spec, [3.0], [1000.0]), math.inf, 0.0)
    assert_within(loss(spec, [3.0], [-1000.0]), 3000.0, 0.0)
    assert_within(loss_gradient(spec, [3.0, 3.0], [1000.0, -1000.0]), [math.inf, -1.5], 0.0)


@pytest.mark.parametrize("spec", LOGITS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("size", [700.0, 1e300])
def test_logits_never_overflow(spec, size):
    right = {BINARY: [1.0, 0.0], CATEGORICAL: [1.0, 0.0], SPARSE: 0}[spec.name]
    z = [size, -size]
    assert_within(loss(spec, right, z), 0.0, 1e-300)
    assert_within(loss_gradient(spec, right, z), [0.0, 0.0], 1e-300)
    wrong = {BINARY: [0.0, 1.0], CATEGORICAL: [0.0, 1.0], SPARSE: 1}[spec.name]
    slope = 0.5 if spec.name == BINARY else 1.0
    assert_within(loss(spec, wrong, z), size if spec.name == BINARY else 2 * size, 0.0)
    assert_within(loss_gradient(spec, wrong, z), [slope, -slope], 1e-300)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("from_logits", [False, True])
def test_nan_makes_the_loss_nan(name, from_logits):
    y = 0 if name == SPARSE else [1.0, 0.0]
    assert math.isnan(loss(loss_named(name, from_logits=from_logits), y, [math.nan, 0.5]))


@pytest.mark.parametrize(
    "name", ["mean_squared_error", "mean_absolute_error", "huber", "poisson", "quantile"]
)
def test_nan_makes_its_own_gradient_nan(name):
    found = loss_gradient(LOSSES[name](), [1.0, 0.0], [math.nan, 0.5])
    assert [math.isnan(slope) for slope in found] == [True, False]


def test_outputs_without_a_logarithm_give_a_loss_that_is_not_finite():
    assert math.isnan(loss(PoissonSpec(), [1.0], [-2.0]))
    assert math.isnan(loss(CategoricalCrossentropySpec(), [1.0, 0.0], [0.0, 0.0]))  # 0 / 0


def test_groups_have_all_outputs():
    spec = CategoricalCrossentropySpec(groups=(2, 2))
    with pytest.raises(ValueError, match=r"groups of \(2, 2\) columns, 4 in all, but gets 3"):
        loss(spec, [1.0, 0.0, 1.0], [0.5, 0.5, 1.0])


def test_losses_read_numpy_rows_too():
    spec = MeanSquaredErrorSpec()
    assert_within(loss(spec, np.array([1.0, 2.0]), np.array([1.0, 5.0])), 4.5, 0.0)
