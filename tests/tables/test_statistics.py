"""Weights of rows: one of weight k counts as k rows."""

import numpy as np

from fastdense.tables import Table
from fastdense.tables.statistics import quantiles

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=50).round(1)  # with ties
COUNTS = RNG.integers(0, 4, 50)
SHARES = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]


def test_weighted_quantiles_are_those_of_repeated_rows():
    expected = np.quantile(np.repeat(VALUES, COUNTS), SHARES)
    np.testing.assert_allclose(quantiles(VALUES, SHARES, COUNTS.astype(float)), expected, rtol=0, atol=1e-15)


def test_weights_of_1_change_nothing():
    assert quantiles(VALUES, SHARES, np.ones(50)) == quantiles(VALUES, SHARES)


def test_rows_of_weight_0_have_no_categories():
    frame = {"x": ["a", "b", "c", "a"], "y": [1, 1, 0, 0]}
    table = Table.learn(frame, "y", task="classify", embedded=True, weights=[1, 1, 0, 1])
    assert table.columns[0].categories == ("a", "b")
    assert table.classes == [0, 1]
    np.testing.assert_array_equal(table.features(frame), [[-1], [1], [0], [-1]])


def test_fractions_compare_rows_at_any_scale():
    frame = {"x": VALUES}
    weights = RNG.random(50)
    expected = Table.learn(frame, weights=weights).columns[0]
    for scale in (1e-200, 0.3, 1e200):
        found = Table.learn(frame, weights=weights * scale).columns[0]
        np.testing.assert_allclose([found.center, found.spread], [expected.center, expected.spread])
