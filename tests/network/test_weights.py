"""Weights read and replaced: Keras' order, copies, and all or nothing when something is wrong."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import DtypeError, ShapeError
from tests.compare import assert_identical

X = np.linspace(-1, 1, 6).reshape(2, 3)


@pytest.fixture
def model():
    norm = fd.Normalization()
    norm.adapt([[0.0, 0, 0], [2, 4, 6]])
    layers = [fd.Input((3,)), norm, fd.Dense(4, "tanh"), fd.Dropout(0.2), fd.Dense(2, use_bias=False)]
    return fd.Sequential(layers, seed=4)


def test_the_order_and_shapes_are_keras(model):
    assert [w.shape for w in model.get_weights()] == [(3,), (3,), (), (3, 4), (4,), (4, 2)]
    assert [w.tolist() for w in model.get_weights()[:3]] == [[1, 2, 3], [1, 4, 9], 0]
    assert [w.shape for w in model.get_layer("dense").get_weights()] == [(3, 4), (4,)]


def test_parameters_are_counted(model):
    assert model.count_params() == 3 + 3 + 1 + 3 * 4 + 4 + 4 * 2
    assert [layer.count_params() for layer in model.layers] == [7, 16, 0, 8]


def test_what_is_read_is_a_copy(model):
    before = model.predict(X)
    for weights in (*model.get_weights(), *model.layers[1].get_weights()):
        weights[...] = 7
    assert_identical(model.predict(X), before)


def test_what_is_given_is_copied(model):
    new = [np.asarray(w + 1) for w in model.get_weights()]
    model.set_weights(new)
    before = model.predict(X)
    for weights in new:
        weights[...] = 7
    assert_identical(model.predict(X), before)


def test_views_of_the_weights_are_read_only(model):
    views = [*model.weights, *model.layers[1].weights, model.layers[1].kernel, model.layers[1].bias]
    for view in views:
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 7
    assert np.shares_memory(model.weights[3], model.layers[1].kernel)


def test_weights_go_from_one_model_to_another(model):
    other = fd.Sequential(
        [fd.Input((3,)), fd.Normalization(), fd.Dense(4, "tanh"), fd.Dense(2, use_bias=False)], seed=9
    )
    other.set_weights(model.get_weights())
    assert_identical(other.predict(X), model.predict(X))


def test_new_weights_count_at_once(model):
    before = model.predict(X)
    dense = model.layers[1]
    dense.set_weights([np.zeros((3, 4)), np.zeros(4)])
    assert_identical(model.predict(X), np.zeros((2, 2), np.float32))
    assert before.any()


def test_lists_and_other_dtypes_become_the_layers(model):
    dense = model.layers[1]
    dense.set_weights([[[1] * 4] * 3, np.array([1, 2, 3, 4], np.float16)])
    assert_identical(dense.bias, np.float32([1, 2, 3, 4]))


def unchanged_by(model, owner, weights, error, message):
    before = model.get_weights()
    with pytest.raises(error, match=message):
        owner.set_weights(weights)
    for found, expected in zip(model.get_weights(), before, strict=True):
        assert_identical(found, expected)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([np.ones((3, 4))], ShapeError, "layer 'dense' has 2 arrays of weights, got 1"),
        (
            [np.ones((4, 3)), np.ones(4)],
            ShapeError,
            r"kernel has shape \(3, 4\), .*\(4, 3\): pass its transpose",
        ),
        ([np.ones((3, 4)), np.ones((1, 4))], ShapeError, r"bias has shape \(4,\), got an array of \(1, 4\)$"),
        ([np.ones((3, 4)), np.ones(4, complex)], DtypeError, "bias must hold real numbers"),
        ([[[1, 2], [3]], np.ones(4)], ShapeError, "kernel is ragged"),
    ],
)
def test_a_layer_takes_all_or_nothing(model, weights, error, message):
    unchanged_by(model, model.layers[1], weights, error, message)


def test_a_model_takes_all_or_nothing(model):
    good = [w + 1 for w in model.get_weights()]
    unchanged_by(model, model, good[:-1], ShapeError, "the model has 6 arrays of weights, got 5")
    unchanged_by(model, model, [*good[:-1], good[-1].T], ShapeError, "layer 'dense_1': .*pass its transpose")
    unchanged_by(model, model, [*good[:-1], [["a"] * 2] * 4], DtypeError, "real numbers")
    unchanged_by(
        model, model, [good[0], -good[1], *good[2:]], ValueError, "variances finite and not negative"
    )
