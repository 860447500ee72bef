"""Prediction: every kind of input array, the promises about rows, and the messages for the wrong ones."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest

import fastdense as fd
from fastdense.errors import DtypeError, ShapeError
from tests.compare import assert_identical, assert_within

X = np.random.default_rng(2).normal(size=(9, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    return fd.Sequential([fd.Input((3,)), fd.Dense(5, "tanh"), fd.Dense(2, "sigmoid")], seed=3)


def test_the_model_is_its_layers_one_after_the_other(model):
    A = X
    for layer in model.layers:
        A = fd.dense(A, layer.kernel, layer.bias, activation=layer.activation)
    assert_identical(model.predict(X), A)
    assert_identical(model(X), A)
    assert_identical(model.predict_on_batch(X), A)


def memory_map(X, folder):
    path = folder / "X.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


def read_only(X):
    copy = X.copy()
    copy.flags.writeable = False
    return copy


KINDS = {
    "read-only": read_only,
    "F-ordered": np.asfortranarray,
    "sliced": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "backwards": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda X: X.astype(">f4"),
    "list": lambda X: X.tolist(),
    "float64": lambda X: X.astype(np.float64),
    "long double": lambda X: X.astype(np.longdouble),
    "pandas": lambda X: pd.DataFrame(X, columns=list("abc")),
    "object rows": lambda X: [tuple(row) for row in X],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_array_does_not_matter(model, kind):
    assert_identical(model.predict(KINDS[kind](X)), model.predict(X))


def test_memory_mapped_rows(model, tmp_path):
    assert_identical(model.predict(memory_map(X, tmp_path)), model.predict(X))


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16])
def test_narrow_inputs_take_the_models_dtype(model, dtype):
    narrow = np.arange(6).reshape(2, 3).astype(dtype)
    assert_identical(model.predict(narrow), model.predict(narrow.astype(np.float32)))


def test_float64_models_compute_in_float64():
    model = fd.Sequential([fd.Input((1,)), fd.Dense(1, kernel_initializer="ones")], dtype="float64")
    assert_identical(model.predict([[1 + 2.0**-40]]), np.array([[1 + 2.0**-40]]))


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_a_predictor_outlives_its_model(engine):
    model = fd.Sequential([fd.Input((3,)), fd.Dense(2, "tanh")], seed=3, engine=engine)
    predict, expected, gone = model.predictor(), model.predict(X), weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    for rows in (X, X.tolist(), X.astype(np.float64)):
        assert_identical(predict(rows), expected)
    with pytest.raises(ShapeError, match="3 "):
        predict(X.T)


def test_the_input_is_not_modified(model):
    mine = X.copy()
    model.predict(mine)
    assert_identical(mine, X)


def test_a_layer_that_changes_nothing_gives_no_view_of_the_input():
    model = fd.Sequential([fd.Input((3,)), fd.Dropout(0.5)])
    mine = X.copy()
    for output in (model.predict(mine), model.layers[0](mine)):
        output[...] = 0
        assert_identical(mine, X)


def test_no_rows_give_no_rows(model):
    assert_identical(model.predict(X[:0]), np.zeros((0, 2), np.float32))


def test_many_rows_equal_blocks_of_them(model):
    many = np.random.default_rng(4).normal(size=(100_000, 3)).astype(np.float32)
    whole = model.predict(many)
    assert whole.shape == (100_000, 2)
    blocks = [model.predict(many[i : i + 777]) for i in range(0, 100_000, 777)]
    assert_within(np.concatenate(blocks), whole, 1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_row(model, bad):
    spoilt = X.copy()
    spoilt[4, 1] = bad
    output = model.predict(spoilt)
    others = np.arange(9) != 4
    assert_within(output[others], model.predict(X)[others], 1e-6)
    assert np.isnan(output[4]).all() == np.isnan(bad)


def test_out_is_filled_and_returned(model):
    out = np.full((9, 2), 7, np.float32)
    assert model.predict(X, out=out) is out
    assert_identical(out, model.predict(X))
    wide = np.full((9, 4), 7, np.float32)
    model.predict(X, out=wide[:, ::2])
    assert_identical(wide[:, ::2], out)
    assert (wide[:, 1::2] == 7).all()


@pytest.mark.parametrize(
    "out", [np.empty((9, 3), "f4"), np.empty((8, 2), "f4"), np.empty((9, 2)), [[0] * 2] * 9]
)
def test_an_out_that_does_not_fit_is_refused(model, out):
    with pytest.raises(ShapeError, match=r"out must be an array of shape \(9, 2\) and dtype float32"):
        model.predict(X, out=out)


@pytest.mark.parametrize("first", [[fd.Input((1,))], []])
def test_a_vector_is_one_column_where_the_input_has_one(first):
    model = fd.Sequential([*first, fd.Dense(2)], seed=0)
    assert_identical(model.predict([1.0, 2.0]), model.predict([[1.0], [2.0]]))


@pytest.mark.parametrize("first", [[], [fd.Normalization(mean=0, variance=1)], [fd.Dropout(0.1)]])
def test_the_wrong_width_is_drawn_with_the_first_kernel(first):
    model = fd.Sequential([fd.Input((3,)), *first, fd.Dense(5, name="hidden"), fd.Dense(2)])
    with pytest.raises(ShapeError) as caught:
        model.predict(np.zeros((3, 4)))
    assert str(caught.value) == (
        "layer 'hidden': X has 4 columns but W has 3 rows\n"
        "       X               W\n"
        "  ┌─────────┐     ┌─────────┐\n"
        "3 │         │  3  │         │\n"
        "  └─────────┘     └─────────┘\n"
        "       4      ≠  3     5\n"
        "  fix: X looks transposed (one example per column): pass X.T\n"
        "  fix: declare the model's input as Input((4,))"
    )


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 1), r"pass X.reshape\(len\(X\), -1\)"),
        ((), r"X must be a matrix, one example per row, but has shape \(\)"),
    ],
)
def test_what_is_no_matrix_is_told_how_to_become_one(built, shape, message):
    model = fd.Sequential([*([fd.Input((3,))] if built else []), fd.Dense(2)])
    with pytest.raises(ShapeError, match=message):
        model.predict(np.zeros(shape))


def test_one_example_is_told_to_be_a_row(model):
    with pytest.raises(ShapeError, match=r"one example is a row: pass X.reshape\(1, -1\)"):
        model.predict(X[0])


def test_a_model_without_dense_layers_teaches_too():
    model = fd.Sequential([fd.Input((3,)), fd.Activation("relu")], name="plain")
    with pytest.raises(ShapeError, match="model 'plain': X has 4 columns but W has 3 rows"):
        model.predict(np.zeros((1, 4)))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (X.astype(complex), "got dtype complex128: take the real and the imaginary part"),
        (X.astype(str), "encode text as numbers first"),
        (np.array([[1.0, {}, 2.0]]), r"there is {} at row 0, column 1: convert it to a number"),
        (np.zeros((2, 3), "M8[D]"), "turn dates into numbers first"),
        (pd.DataFrame({"a": [1.0], "b": ["x"], "c": [2]}), "column 'b' of X .* 'x' at row 0: encode text"),
        (None, "X must hold real numbers"),
    ],
)
def test_what_holds_no_numbers_is_refused(model, bad, message):
    with pytest.raises(DtypeError, match=message):
        model.predict(bad)


def test_ragged_rows_are_called_ragged(model):
    with pytest.raises(ShapeError, match="X is ragged"):
        model.predict([[1.0, 2.0, 3.0], [1.0]])


def test_an_activation_after_a_linear_layer_joins_it_and_after_another_does_not():
    def predict(*layers):
        return fd.Sequential([fd.Input((3,)), *layers], seed=3).predict(X)

    joined = predict(fd.Dense(4), fd.layers.ReLU(), fd.Dense(2), fd.layers.Softmax())
    kernels = fd.Sequential([fd.Input((3,)), fd.Dense(4), fd.layers.ReLU(), fd.Dense(2)], seed=3).weights
    hidden = np.maximum(X @ kernels[0] + kernels[1], 0)
    logits = hidden @ kernels[2] + kernels[3]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert_within(joined, powers / powers.sum(axis=1, keepdims=True), 1e-6)
    twice = predict(fd.Dense(4, "tanh"), fd.Activation("sigmoid"))
    assert_within(twice, 1 / (1 + np.exp(-predict(fd.Dense(4, "tanh")))), 1e-6)
    both = predict(fd.Dense(4), fd.Activation("tanh"), fd.Activation("sigmoid"))
    assert_within(both, twice, 1e-6)
