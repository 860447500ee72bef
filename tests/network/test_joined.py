"""Networks that predict together: the mean of their outputs as it is defined, to the bit, from any thread."""

import copy
import pickle
import threading

import numpy as np
import pytest

import fastdense as fd
from fastdense.engines import available
from fastdense.errors import DtypeError, NotBuiltError, ShapeError
from fastdense.network.joined import FrozenEnsemble, freeze_together
from tests.compare import assert_identical
from tests.network.test_predict import KINDS


def rows(count, n_in=3, dtype="float32"):
    return np.random.default_rng(2).normal(size=(count, n_in)).astype(dtype)


def networks(count=3, units=(5,), n_in=3, **options):
    def hidden(i):
        return [fd.Dense(n + i % 2, "tanh") for n in units]  # of two shapes

    return [
        fd.Sequential([fd.Input((n_in,)), *hidden(i), fd.Dense(2, "softmax")], seed=i, **options)
        for i in range(count)
    ]


def mean_of(models, X):
    """Return the definition: a sum from 0 in float64, in order, divided and rounded."""
    total = np.zeros((len(X), 2))
    for model in models:
        total += model.predict(X)
    return (total / len(models)).astype(models[0].dtype)


@pytest.mark.parametrize("engine", available())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_predicts_the_mean_as_it_is_defined(engine, dtype):
    models = networks(engine=engine, dtype=dtype)
    frozen = freeze_together(models)
    for count in (0, 1, 9):
        X = rows(count, dtype=dtype)
        assert_identical(frozen.predict(X), mean_of(models, X))
        assert_identical(frozen(X), mean_of(models, X))
    assert (frozen.input_shape, frozen.output_shape, frozen.dtype) == ((None, 3), (None, 2), dtype)
    assert (len(frozen), repr(frozen)) == (3, f"FrozenEnsemble(3 of 3 -> 2, {dtype})")


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 5, 13, 97, 700])
def test_blocks_and_threads_change_no_bit(threads, count):
    models = networks(5, (180, 170), n_in=40)
    frozen, X = freeze_together(models), rows(count, 40)
    expected = mean_of(models, X)
    before = fd.get_threads()
    fd.set_threads(threads)
    try:
        assert_identical(frozen.predict(X), expected)
        assert_identical(frozen.predict(np.asfortranarray(X)), expected)
    finally:
        fd.set_threads(before)


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_what_a_model_takes(kind):
    models = networks()
    assert_identical(freeze_together(models).predict(KINDS[kind](rows(9))), mean_of(models, rows(9)))


def test_a_result_is_written_where_it_is_wanted():
    models, X = networks(), rows(9)
    frozen, expected = freeze_together(models), mean_of(models, X)
    rows_apart = np.full((18, 2), np.nan, np.float32)[::2]
    for out in (np.full((9, 2), np.nan, np.float32), rows_apart):
        assert frozen.predict(X, out=out) is out
        assert_identical(np.ascontiguousarray(out), expected)
    over = X[:, :2]
    assert frozen.predict(X, out=over) is over
    assert_identical(np.ascontiguousarray(over), expected)
    with pytest.raises(ShapeError, match=r"out must be an array of shape \(9, 2\) and dtype float32"):
        frozen.predict(X, out=np.empty((9, 2)))


def test_it_refuses_what_a_model_refuses():
    frozen = freeze_together(networks())
    for wrong, error in ((rows(9)[:, :2], ShapeError), (None, DtypeError), ([["a", "b", "c"]], DtypeError)):
        with pytest.raises(error):
            frozen.predict(wrong)
    with pytest.raises(NotBuiltError):
        freeze_together([fd.Sequential([fd.Dense(2)])])


def test_networks_must_fit_together():
    odd = [*networks(), *networks(1, n_in=4)]
    with pytest.raises(ShapeError, match=r"network 0 has \(3, 2, 'float32'\), but network 3 has \(4, 2"):
        freeze_together(odd)
    with pytest.raises(ShapeError, match="float64"):
        freeze_together([*networks(), *networks(1, dtype="float64")])
    with pytest.raises(ValueError, match="at least one network"):
        freeze_together([])


def test_a_mean_beyond_float32s_digits_is_refused():
    def model(dtype):
        normalization = fd.Normalization(mean=[1e8, 2.0, 3.0], variance=[1.0, 1.0, 1.0])
        return fd.Sequential([fd.Input((3,)), normalization, fd.Dense(2)], seed=0, dtype=dtype)

    with pytest.raises(ValueError, match="normalize the rows before the ensemble"):
        freeze_together([model("float32")])
    X, wide = rows(9, dtype="float64"), model("float64")
    assert_identical(freeze_together([wide]).predict(X), wide.predict(X))


def test_each_and_the_spread_are_those_of_the_models():
    models, X = networks(4), rows(9)
    frozen, outputs = freeze_together(models), [model.predict(rows(9)) for model in networks(4)]
    for found, expected in zip(frozen.each(X), outputs, strict=True):
        assert_identical(found, expected)
    np.testing.assert_allclose(frozen.spread(X), np.std(outputs, axis=0, dtype=np.float64), atol=1e-12)
    assert not freeze_together(models[:1]).spread(X).any()


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("engine", ["native", "array"])
def test_it_travels_as_data_and_so_does_its_predict(travel, engine):
    frozen, X = freeze_together(networks(engine=engine), np.array(["a", "b"])), rows(9)
    arrived = travel(frozen)
    assert isinstance(arrived, FrozenEnsemble)
    assert arrived.classes.tolist() == ["a", "b"]
    assert_identical(arrived.predict(X), frozen.predict(X))
    assert_identical(travel(frozen.predict)(X), frozen.predict(X))


def test_it_keeps_the_weights_that_it_was_frozen_with():
    models, X = networks(), rows(9)
    frozen, before = freeze_together(models), mean_of(models, X)
    models[0].set_weights([w + 1 for w in models[0].get_weights()])
    del models
    assert_identical(frozen.predict(X), before)


def test_threads_may_share_it():
    models, X = networks(4, (90,)), rows(500)
    frozen, expected = freeze_together(models), mean_of(models, X)
    wrong = []

    def serve(start):
        for i in range(start, 500, 8):
            count = 1 + i % 70
            if not np.array_equal(frozen.predict(X[i : i + count]), expected[i : i + count]):
                wrong.append(i)

    threads = [threading.Thread(target=serve, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
