"""A frozen model: the model's numbers, whatever happens to the model afterwards, from any thread."""

import copy
import gc
import multiprocessing
import pickle
import threading
import weakref

import numpy as np
import pandas as pd
import pytest

import fastdense as fd
from fastdense.engines import available
from fastdense.errors import DtypeError, NotBuiltError, ShapeError
from fastdense.tabular import train_table
from tests.compare import assert_identical
from tests.network.test_predict import KINDS

X = np.random.default_rng(2).normal(size=(9, 3)).astype(np.float32)


def network(**options):
    return fd.Sequential([fd.Input((3,)), fd.Dense(5, "tanh"), fd.Dense(2, "softmax")], seed=3, **options)


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.mark.parametrize("engine", available())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_predicts_what_the_model_does(engine, dtype):
    model = network(engine=engine, dtype=dtype)
    frozen = model.freeze()
    rows = X.astype(dtype)
    assert_identical(frozen.predict(rows), model.predict(rows))
    assert_identical(frozen(rows[:1]), model.predict(rows[:1]))
    assert (frozen.input_shape, frozen.output_shape, frozen.dtype) == ((None, 3), (None, 2), dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_what_the_model_takes(model, kind):
    assert_identical(model.freeze().predict(KINDS[kind](X)), model.predict(X))


def test_a_result_is_written_where_it_is_wanted(model):
    frozen, expected = model.freeze(), model.predict(X)
    rows_apart = np.full((18, 2), np.nan, np.float32)[::2]
    for out in (np.full((9, 2), np.nan, np.float32), rows_apart):
        assert frozen.predict(X, out=out) is out
        assert_identical(np.ascontiguousarray(out), expected)
    with pytest.raises(ShapeError, match=r"out must be an array of shape \(9, 2\) and dtype float32"):
        frozen.predict(X, out=np.empty((9, 2)))
    read_only = np.empty((9, 2), np.float32)
    read_only.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        frozen.predict(X, out=read_only)


@pytest.mark.parametrize("n_out", [3, 40])
def test_a_result_may_lie_over_the_rows_it_is_of(n_out):
    model = fd.Sequential([fd.Input((n_out,)), fd.Dense(n_out)], seed=0)
    memory = np.random.default_rng(0).normal(size=(30, n_out)).astype(np.float32)
    for rows, out in (
        (memory, memory),
        (memory[1:], memory[:-1]),
        (memory[:-1], memory[1:]),
        (memory[::-1], memory),
        (memory[:, ::-1], memory),
    ):
        expected = model.predict(rows.copy())
        model.freeze().predict(rows, out=out)
        assert_identical(out, expected)


def test_it_raises_what_the_model_raises(model):
    for wrong, error in (
        (X[:, :2], ShapeError),
        (X[0], ShapeError),
        (None, DtypeError),
        (X.astype(complex), DtypeError),
        ([["a", "b", "c"]], DtypeError),
    ):
        with pytest.raises(error) as of_model:
            model.predict(wrong)
        with pytest.raises(error) as of_frozen:
            model.freeze().predict(wrong)
        assert str(of_frozen.value) == str(of_model.value)
    with pytest.raises(NotBuiltError):
        fd.Sequential([fd.Dense(2)]).freeze()


def test_no_rows_give_no_rows(model):
    assert model.freeze().predict(X[:0]).shape == (0, 2)


def test_it_keeps_the_weights_that_it_was_frozen_with():
    model = network()
    frozen, before = model.freeze(), model.predict(X)
    model.set_weights([w + 1 for w in model.get_weights()])
    assert not np.array_equal(model.predict(X), before)
    assert_identical(frozen.predict(X), before)
    del model
    gc.collect()
    assert_identical(frozen.predict(X), before)


def test_a_table_goes_with_it():
    table = {"x": [0.1 * i for i in range(50)], "kind": ["low"] * 25 + ["high"] * 25}
    model = train_table(table, "kind", verbose=0)
    frame = pd.DataFrame({"x": [0.3, 4.4]})
    assert_identical(model.freeze().predict(frame), model.predict(frame))


def test_threads_may_share_it():
    model = fd.Sequential([fd.Input((64,)), fd.Dense(128, "gelu"), fd.Dense(10, "softmax")], seed=0)
    frozen = model.freeze()
    rows = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    expected = model.predict(rows)
    wrong = []

    def serve(start):
        for i in range(start, 500, 8):
            count = 1 + i % 70
            if not np.array_equal(frozen.predict(rows[i : i + count]), expected[i : i + count]):
                wrong.append(i)

    threads = [threading.Thread(target=serve, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_model_that_has_predicted_is_freed_with_its_last_name():
    model = network()
    model.predict(X)
    model.predict(X.tolist())
    gone = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert gone() is None
    finally:
        gc.enable()


def test_it_stays_as_it_was_whatever_the_model_goes_through():
    model = network()
    model.compile(loss="mse")
    model.fit(X, X[:, :2], verbose=0)
    frozen, expected = model.freeze(), model.predict(X)
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    model.pop()
    assert_identical(frozen.predict(X), expected)


COPIES = {
    "pickled": lambda value: pickle.loads(pickle.dumps(value)),
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
}


@pytest.mark.parametrize("engine", available())
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_predicts_the_same_bits(how, engine):
    frozen = network(engine=engine).freeze()
    expected = frozen.predict(X)
    other, predict = COPIES[how](frozen), COPIES[how](frozen.predict)
    assert_identical(other.predict(X), expected)
    assert_identical(predict(X.tolist()), expected)
    assert (other.input_shape, other.output_shape, other.dtype) == ((None, 3), (None, 2), "float32")
    assert type(predict) is type(other.predict) is type(frozen.predict)  # as quick as the first


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_keeps_scaling_dropout_and_activations(how):
    scale = fd.Normalization(mean=[1.0, -2.0, 1e9], variance=[2.0, 0.5, 1e30])
    layers = [scale, fd.Dense(4, use_bias=False), fd.Dropout(0.5), fd.Activation("gelu"), fd.Dense(1)]
    frozen = fd.Sequential([fd.Input((3,)), *layers], seed=0).freeze()
    assert_identical(COPIES[how](frozen).predict(X), frozen.predict(X))


def test_a_table_goes_with_a_copy():
    table = {"x": [0.1 * i for i in range(50)], "kind": ["low"] * 25 + ["high"] * 25}
    frozen = train_table(table, "kind", verbose=0).freeze()
    rows = {"x": [0.3, 4.4]}
    assert_identical(pickle.loads(pickle.dumps(frozen)).predict(rows), frozen.predict(rows))


@pytest.mark.parametrize("start", multiprocessing.get_all_start_methods())
def test_processes_predict_with_it(model, start):
    frozen = model.freeze()
    with multiprocessing.get_context(start).Pool(1) as pool:
        answers = pool.map(frozen.predict, np.split(X, 3))
        assert_identical(pool.apply(frozen, (X,)), frozen.predict(X))
    assert_identical(np.concatenate(answers), frozen.predict(X))


def test_a_model_s_own_predictor_is_copied_with_it():
    model = network()
    expected = model.predict(X)
    for how in COPIES.values():
        assert_identical(how(model.predict)(X), expected)
    assert_identical(copy.copy(model.predictor())(X), expected)


def test_compiled_code_says_why_it_is_not_pickled(model):
    for how in COPIES.values():
        with pytest.raises(TypeError, match="a compiled program belongs to its process: pickle or copy"):
            how(model.program())
