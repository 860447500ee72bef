"""Normalization: exact statistics, whenever and wherever they are taken, and data that has none."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import NonFiniteError, ShapeError
from tests.compare import assert_identical, assert_within

DATA = np.random.default_rng(8).normal([3.0, -200.0, 1e4], [1.0, 50.0, 0.1], (500, 3))


def adapted(data=DATA):
    layer = fd.Normalization()
    layer.adapt(data)
    return layer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_statistics_are_those_of_the_data(dtype):
    data = DATA.astype(dtype)
    mean, variance, count = adapted(data).get_weights()
    assert_within(mean, data.mean(axis=0, dtype=np.float64), 1e-14 * np.abs(mean))
    assert_within(variance, data.var(axis=0, dtype=np.float64), 1e-9 * variance)
    assert_identical(count, np.int32(0))


def test_by_hand():
    mean, variance, _ = adapted([[1, 10], [3, 30]]).get_weights()
    assert (mean.tolist(), variance.tolist()) == ([2, 20], [1, 100])
    assert_identical(adapted([[1, 10], [3, 30]])([[4, 10]]), np.float32([[2, -1]]))


def test_the_output_has_mean_0_and_deviation_1():
    output = adapted()(DATA)
    # Rounding 1e4 to float32 moves a value, or the mean, by up to 5e-3 of the last column's deviation of 0.1.
    assert_within(output.mean(axis=0), np.zeros(3, np.float32), 5e-3)
    assert_within(output.std(axis=0), np.ones(3, np.float32), 5e-3)


def test_a_constant_column_becomes_zeros():
    output = adapted([[5.0, 1.0], [5.0, 2.0]])([[5.0, 1.5], [5.0, 2.0]])
    assert_identical(output[:, 0], np.zeros(2, np.float32))


def test_one_row_is_data_enough():
    assert_identical(adapted([[2.0, 3.0]])([[2.0, 3.0]]), np.zeros((1, 2), np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_matters_not_whether_it_joins_a_model_before_or_after(dtype):
    before = fd.Sequential([fd.Input((3,)), adapted(), fd.Dense(2)], seed=1, dtype=dtype)
    layer = fd.Normalization()
    after = fd.Sequential([layer, fd.Dense(2)], seed=1, dtype=dtype)
    after.build((None, 3))
    layer.adapt(DATA)
    assert_identical(after.predict(DATA), before.predict(DATA))
    exact = (DATA - DATA.mean(axis=0)) / DATA.std(axis=0)
    if dtype == "float64":
        expected = exact @ before.layers[1].kernel
        assert_within(before.predict(DATA), expected, 1e-9)


def test_a_model_starts_where_its_layer_was_adapted():
    model = fd.Sequential([adapted(), fd.Dense(2)])
    assert model.built
    assert model.input_shape == (None, 3)


def test_adapting_again_counts_at_once():
    layer = adapted()
    model = fd.Sequential([layer], seed=1)
    model.predict(DATA)
    layer.adapt(DATA * 2 + 1)
    assert_within(model.predict(DATA * 2 + 1), fd.Sequential([adapted()]).predict(DATA), 0.02)


def test_without_adapt_nothing_is_changed():
    X = np.float32([[1.5, -2.0]])
    assert_identical(fd.Sequential([fd.Input((2,)), fd.Normalization()]).predict(X), X)


def test_training_leaves_the_statistics_alone():
    layer = adapted()
    before = layer.get_weights()
    model = fd.Sequential([layer, fd.Dense(1)], seed=1)
    model.compile("sgd", "mse")
    model.fit(DATA, DATA[:, 0], verbose=0)
    for found, expected in zip(layer.get_weights(), before, strict=True):
        assert_identical(found, expected)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (DATA[0], ShapeError, r"adapt takes a matrix of at least one row, .*got shape \(3,\)"),
        (DATA[:0], ShapeError, r"adapt takes a matrix of at least one row, .*got shape \(0, 3\)"),
        (DATA[:, :0], ShapeError, "layer 'normalization': A_in has 0 columns but W has 3 rows"),
        (DATA[:, :2], ShapeError, "layer 'normalization': A_in has 2 columns but W has 3 rows"),
        ([[1.0, np.nan, 0.0]], NonFiniteError, "data holds nan at row 0, column 1"),
        ([[1.0, 0.0, np.inf]], NonFiniteError, "data holds inf"),
        ([[1e200, 0.0, 0.0], [-1e200, 0.0, 0.0]], ValueError, "is the data too large to square"),
    ],
)
def test_data_without_statistics_leaves_the_layer_as_it_was(data, error, message):
    layer = adapted()
    before = layer.get_weights()
    with pytest.raises(error, match=message):
        layer.adapt(data)
    for found, expected in zip(layer.get_weights(), before, strict=True):
        assert_identical(found, expected)


def test_given_statistics_stand():
    layer = fd.Normalization(mean=[1, 2], variance=[4, 0])
    assert layer([[3, 2]]).tolist() == [[1, 0]]
    assert layer.get_weights() == []
    with pytest.raises(ValueError, match="was given its mean and variance: there is nothing to adapt"):
        layer.adapt([[1.0, 2.0]])


def test_given_statistics_must_be_as_many_as_the_columns():
    with pytest.raises(ShapeError, match="layer 'norm': its mean has 2 columns, but its input has 3"):
        fd.Sequential([fd.Input((3,)), fd.Normalization(mean=[1, 2], variance=1, name="norm")])
    with pytest.raises(ShapeError, match="its variance has 2 columns, but its input has 3"):
        fd.Normalization(mean=0, variance=[1, 2])(DATA)
