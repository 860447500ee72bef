"""The layer of learned shares of an activation: its numbers, its weights, and that it learns them."""

import numpy as np
import pytest

import fastdense as fd
from tests.compare import assert_identical, assert_within

INF = np.inf
ENGINES = pytest.mark.parametrize("engine", ["native", "array", "reference"])


def network(activation="relu", columns=2, engine="native", **arguments):
    layer = fd.layers.ParametricActivation(activation, **arguments)
    return fd.Sequential([fd.Input((columns,)), layer], engine=engine, seed=0)


@ENGINES
def test_values_and_shares(engine):
    model = network(columns=4, engine=engine)
    model.set_weights([[1.0, 0.25, 0.0, 2.0]])
    outputs = model.predict(np.array([[-4.0] * 4, [3.0] * 4], np.float32))
    assert_within(outputs, [[0.0, -3.0, -4.0, 4.0], [3.0] * 4], 0.0)
    assert_within(model.layers[0]([[-4.0] * 4]), outputs[:1], 0.0)


@ENGINES
@pytest.mark.parametrize("activation", ["mish", "selu", "gelu", "silu", "tanh"])
def test_a_share_of_one_is_the_activation_and_one_of_zero_the_number(activation, engine):
    x = np.linspace(-9.0, 5.0, 50, dtype=np.float32)[:, None]  # where x + (g - x) has lost all digits of g
    model = network(activation, 2, engine)
    model.set_weights([[1.0, 0.0]])
    g = fd.activations.get(activation)(np.float64(x))
    outputs = model.predict(np.hstack([x, x]))
    assert_within(outputs[:, :1], g, 1e-5 * np.abs(g))
    assert_identical(outputs[:, 1:], x)


@ENGINES
def test_infinite_numbers_have_their_limits_and_nan_stays(engine):
    model = network("mish", 3, engine)
    model.set_weights([[1.0, 0.5, 0.0]])
    outputs = model.predict(np.array([[-INF] * 3, [INF] * 3, [np.nan] * 3], np.float32))
    assert_within(outputs, [[0.0, -INF, -INF], [INF] * 3, [np.nan] * 3], 0.0)


@ENGINES
def test_an_activation_that_overflows_reaches_no_share_of_zero(engine):
    model = network("exponential", 1, engine, alpha_initializer="zeros")
    assert_within(model.predict(np.array([[1000.0]], np.float32)), [[1000.0]], 0.0)


@ENGINES
def test_one_step_by_hand(engine):
    """The loss of mean squares, (a - y)**2 / 2 per row of two columns, and a rate of 1/2."""
    model = network(engine=engine, alpha_initializer=fd.initializers.Constant(0.5))
    model.compile(fd.optimizers.SGD(0.5), "mse")
    X = np.array([[-2.0, 3.0], [-4.0, 4.0]], np.float32)
    model.fit(X, np.array([[0.0, 3.0], [0.0, 0.0]]), batch_size=2, epochs=1, verbose=0)
    # column 1: a - y = -1 and -2, g - x = 2 and 4, dalpha = (-1 * 2 + -2 * 4) / 2; column 2: g - x = 0
    assert_within(model.layers[0].weights[0], [0.5 + 0.5 * 5.0, 0.5], 1e-6)


def test_training_computes_the_activation_that_prediction_does():
    """Wide enough for whole vectors and a rest; the loss of a step is that of the weights before it."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 37)).astype(np.float32), rng.normal(size=(20, 37)).astype(np.float32)
    model = network("mish", 37, alpha_initializer="random_uniform")
    model.compile("sgd", "mse")
    before = model.evaluate(X, y, verbose=0)
    assert_within(model.train_on_batch(X, y), before, 1e-6 * before)


def test_weights_and_summary(capsys):
    layer = fd.layers.ParametricActivation("selu", alpha_regularizer="l2", name="bend", input_shape=(3,))
    model = fd.Sequential([layer, fd.Dense(1)], seed=0)
    assert_identical(layer.get_weights()[0], np.ones(3, np.float32))
    assert [array.shape for array in model.trainable_weights] == [(3,), (3, 1), (1,)]
    model.summary()
    text = capsys.readouterr().out
    assert "bend (ParametricActivation)" in text
    assert "x + alpha * (selu(x) - x)" in text


def test_a_file_brings_it_back_as_itself(tmp_path):
    elu = fd.activations.ActivationFunction("elu", 0.5)
    layer = fd.layers.ParametricActivation(elu, "random_uniform", alpha_rate_factor=0.1)
    model = fd.Sequential([fd.Input((2,)), fd.Dense(5), layer, fd.Dense(3)], seed=0)
    model.save(tmp_path / "m.safetensors")
    back = fd.load(tmp_path / "m.safetensors")
    assert back.layers[1].get_config() == layer.get_config()
    for found, wanted in zip(back.get_weights(), model.get_weights(), strict=True):
        assert_identical(found, wanted)


def test_an_explanation_shows_the_shares_and_their_gradient():
    model = network("elu")
    model.compile("sgd", "mse")
    text = str(model.explain([-2.0, 3.0], [0.0, 0.0]))
    assert "A1 = A0 + alpha1 * (elu(A0, alpha=1) - A0)" in text
    assert "alpha1 (1, 2)" in text
    assert "dalpha1 (1, 2)" in text
    assert "alpha1" in model.explain([-2.0, 3.0])._repr_html_()


@pytest.mark.parametrize("activation", ["softmax", "linear", None])
def test_what_is_not_an_activation_of_one_number_is_refused(activation):
    with pytest.raises(ValueError, match=r"blends each number with an activation .* got '(softmax|linear)'"):
        fd.layers.ParametricActivation(activation)


def test_an_unknown_activation_is_named():
    with pytest.raises(ValueError, match="sloop"):
        fd.layers.ParametricActivation("sloop")
