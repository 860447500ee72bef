"""The layer of learned factors per column: its numbers, its weights, and that it learns them."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import ShapeError
from tests.compare import assert_identical, assert_within

X = np.array([[-2.0, 3.0], [0.5, -4.0]], np.float32)


def network(engine="native", **arguments):
    return fd.Sequential([fd.Input((2,)), fd.layers.FeatureScale(**arguments)], engine=engine, seed=0)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_values_and_factors(engine):
    model = network(engine)
    assert_within(model.predict(X), X, 0.0)  # the first factors are ones
    model.set_weights([[0.5, -0.25]])
    assert_within(model.predict(X), [[-1.0, -0.75], [0.25, 1.0]], 0.0)
    assert_within(model.layers[0](X), model.predict(X), 0.0)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_a_factor_of_zero_makes_zero_of_infinite_numbers_and_keeps_nan(engine):
    model = network(engine, scale_initializer="zeros")
    outputs = model.predict(np.array([[-np.inf, np.inf], [np.nan, 3.0]], np.float32))
    assert_within(outputs, [[0.0, 0.0], [np.nan, 0.0]], 0.0)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_one_step_by_hand(engine):
    """The loss of mean squares, (a - y)**2 / 2 per row of two columns, and a rate of 1/2."""
    model = network(engine)
    model.compile(fd.optimizers.SGD(0.5), "mse")
    model.fit(X, X - [[1.0, 0.0], [0.0, 2.0]], batch_size=2, epochs=1, verbose=0)
    # column 1: a - y = 1 and 0, dscale = (1 * -2) / 2; column 2: a - y = 0 and 2, dscale = (2 * -4) / 2
    assert_within(model.layers[0].weights[0], [1 + 0.5 * 1.0, 1 + 0.5 * 4.0], 1e-6)


def test_weights_and_summary(capsys):
    layer = fd.layers.FeatureScale("random_uniform", "l2", name="importance", input_shape=(3,))
    model = fd.Sequential([layer, fd.Dense(1)], seed=0)
    assert [array.shape for array in model.trainable_weights] == [(3,), (3, 1), (1,)]
    with pytest.raises(ShapeError, match=r"scale has shape \(3,\), got an array of \(2,\)"):
        layer.set_weights([[1.0, 2.0]])
    model.summary()
    text = capsys.readouterr().out
    assert "importance (FeatureScale)" in text
    assert "x * scale of each column" in text


def test_a_file_brings_it_back_as_itself(tmp_path):
    layer = fd.layers.FeatureScale("random_uniform", "l2", scale_rate_factor=6.0, scale_decay_factor=0.5)
    model = fd.Sequential([fd.Input((2,)), layer, fd.Dense(3)], seed=0)
    model.save(tmp_path / "m.safetensors")
    back = fd.load(tmp_path / "m.safetensors")
    assert back.layers[0].get_config() == layer.get_config()
    for found, wanted in zip(back.get_weights(), model.get_weights(), strict=True):
        assert_identical(found, wanted)


def test_an_explanation_shows_the_factors_and_their_gradient():
    model = network()
    model.compile("sgd", "mse")
    text = str(model.explain([-2.0, 3.0], [0.0, 0.0]))
    assert "A1 = A0 * scale1" in text
    assert "scale1 (1, 2)" in text
    assert "dscale1 (1, 2)" in text
    assert "scale1" in model.explain([-2.0, 3.0])._repr_html_()
