"""The layer of learned slopes: its numbers, its weights, and that it learns them."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import ShapeError
from tests.compare import assert_identical, assert_within

X = np.array([[-2.0, 3.0], [0.0, -4.0]], np.float32)


def network(engine="native", **arguments):
    return fd.Sequential([fd.Input((2,)), fd.layers.PReLU(**arguments)], engine=engine, seed=0)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_values_and_slopes(engine):
    model = network(engine)
    assert_within(model.predict(X), np.maximum(X, 0), 0.0)  # the first slopes are zeros
    model.set_weights([[0.5, -0.25]])
    assert_within(model.predict(X), [[-1.0, 3.0], [0.0, 1.0]], 0.0)
    assert_within(model.layers[0](X), model.predict(X), 0.0)


def test_a_slope_of_zero_has_the_limit_zero():
    assert_within(network().predict(np.array([[-np.inf, np.inf]], np.float32)), [[0.0, np.inf]], 0.0)
    assert np.isnan(network().predict(np.full((1, 2), np.nan, np.float32))).all()


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_one_step_by_hand(engine):
    """The loss of mean squares, (a - y)**2 / 2 per row of two columns, and a rate of 1/2."""
    model = network(engine, alpha_initializer="ones")
    model.compile(fd.optimizers.SGD(0.5), "mse")
    model.fit(X, np.array([[0.0, 0.0], [0.0, -2.0]]), batch_size=2, epochs=1, verbose=0)
    # column 1: a = -2, dz = -2 / 2 of two rows, dalpha = -1 * -2; column 2: a - y = -2, dalpha = -1 * -4
    assert_within(model.layers[0].weights[0], [1 - 0.5 * 2.0, 1 - 0.5 * 4.0], 1e-6)


def test_weights_and_summary(capsys):
    layer = fd.layers.PReLU(fd.initializers.Constant(0.25), "l2", name="leak", input_shape=(3,))
    model = fd.Sequential([layer, fd.Dense(1)], seed=0)
    assert_identical(layer.get_weights()[0], np.full(3, 0.25, np.float32))
    assert [array.shape for array in model.trainable_weights] == [(3,), (3, 1), (1,)]
    assert layer.count_params() == 3
    with pytest.raises(ShapeError, match=r"alpha has shape \(3,\), got an array of \(2,\)"):
        layer.set_weights([[1.0, 2.0]])
    model.summary()
    text = capsys.readouterr().out
    assert "leak (PReLU)" in text
    assert "trained: 7" in text


def test_files_bring_it_back_as_itself(tmp_path):
    layers = [fd.Dense(5), fd.layers.PReLU("random_uniform"), fd.Dense(3), fd.layers.PReLU("ones")]
    model = fd.Sequential([fd.Input((2,)), *layers], seed=0)
    for ending in (".safetensors", ".keras"):
        model.save(tmp_path / f"m{ending}")
        back = fd.load(tmp_path / f"m{ending}")
        assert [type(layer) for layer in back.layers] == [type(layer) for layer in model.layers]
        for found, wanted in zip(back.get_weights(), model.get_weights(), strict=True):
            assert_identical(found, wanted)


def test_an_explanation_shows_the_slopes_and_their_gradient():
    model = network(alpha_initializer="ones")
    model.compile("sgd", "mse")
    text = str(model.explain([-2.0, 3.0], [0.0, 0.0]))
    assert "A1 = max(A0, 0) + alpha1 * min(A0, 0)" in text
    assert "alpha1 (1, 2)" in text
    assert "dalpha1 (1, 2)" in text
    assert "alpha1" in model.explain([-2.0, 3.0])._repr_html_()


@pytest.mark.parametrize("argument", ["alpha_initializer", "alpha_regularizer"])
def test_mistakes_are_named(argument):
    with pytest.raises((TypeError, ValueError), match=r"unknown|must be|not"):
        fd.layers.PReLU(**{argument: "sloop"})
