"""Normalization: exact statistics, whenever and wherever they are taken, and data that has none."""

import pickle

import numpy as np
import pandas as pd
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
    assert_within(output.mean(axis=0), np.zeros(3, np.float32), 1e-5)
    assert_within(output.std(axis=0), np.ones(3, np.float32), 1e-5)


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


SECONDS = np.c_[1.7e9 + np.random.default_rng(1).uniform(0, 1000, 300), np.linspace(-1, 1, 300)]
LATER = (SECONDS[:, :1] - 1.7e9) / 1000


def of_seconds(dtype="float32", **options):
    """Return a network that is trained on rows which float32 alone cannot tell apart."""
    layers = [fd.Input((2,)), adapted(SECONDS), fd.Dense(6, "tanh"), fd.Dense(1)]
    model = fd.Sequential(layers, seed=0, dtype=dtype, **options)
    model.compile(fd.optimizers.Adam(0.02), "mse")
    model.fit(SECONDS, LATER, epochs=10, verbose=0, validation_split=0.2)
    return model


@pytest.mark.parametrize("engine", fd.engines.available())
def test_rows_are_centred_before_they_are_rounded(engine, tmp_path):
    model, exact = of_seconds(engine=engine), of_seconds("float64")
    expected = exact.predict(SECONDS)
    found = model.predict(SECONDS)
    assert_within(found.astype(float), expected, 1e-4)
    assert len(np.unique(found)) == 300
    for rows in (SECONDS.tolist(), pd.DataFrame(SECONDS), SECONDS.astype(object).astype(float, order="F")):
        assert_identical(model.predict(rows), found)
    assert_within(model.predict(SECONDS[7:8]), found[7:8], 0.0 if engine == "native" else 1e-6)
    assert_within(model.evaluate(SECONDS, LATER, verbose=0), exact.evaluate(SECONDS, LATER, verbose=0), 1e-5)
    assert_identical(model.freeze().predict(SECONDS), found)
    assert_identical(pickle.loads(pickle.dumps(model.freeze())).predict(SECONDS), found)
    assert_within(model.explain(SECONDS[0]).prediction, expected[:1], 1e-4)
    model.save(tmp_path / "m.safetensors")
    loaded = fd.load(tmp_path / "m.safetensors")
    loaded.engine = engine
    assert_identical(loaded.predict(SECONDS), found)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert_identical(ours, theirs)


def test_float32_rows_are_centred_too():
    model, rows = of_seconds(), SECONDS.astype(np.float32)
    assert_identical(model.predict(rows), model.predict(rows.astype(float)))
    out = np.empty((300, 1), np.float32)
    assert model.predict(rows, out=out) is out
    assert_identical(model.freeze().predict(rows, out=np.empty_like(out)), out)
    for wrong in (SECONDS[:, :1], SECONDS[0]):
        with pytest.raises(ShapeError):
            model.predict(wrong)


def test_given_statistics_centre_a_model_that_is_not_built_yet():
    layer = fd.Normalization(mean=[1.7e9, 0.0], variance=[1e5, 1.0])
    model = fd.Sequential([layer, fd.Dense(1)], seed=0)
    first = model.predict(SECONDS)
    assert_identical(model.predict(SECONDS), first)
    assert len(np.unique(first)) == 300


def test_ordinary_statistics_keep_the_quick_way_and_its_bits():
    model = fd.Sequential([fd.Input((2,)), adapted(DATA[:, :2]), fd.Dense(2)], seed=0)
    rows = DATA[:, :2].astype(np.float32)
    assert model.centre is None
    assert_identical(model.predict(rows), model.predict(rows.astype(float)))
    assert type(model.predictor()) is type(fd.Sequential([fd.Input((2,)), fd.Dense(2)]).predictor())
