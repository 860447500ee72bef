"""The layer that normalises rows: its numbers, its weights, and that rows do not depend on one another."""

import numpy as np
import pytest

import fastdense as fd
from fastdense import native
from tests.compare import assert_identical, assert_within

X = np.array([[1.0, 5.0], [-3.0, 3.0]], np.float32)  # the means 3 and 0, the deviations 2 and 3
RNG = np.random.default_rng(0)


def network(engine="native", **arguments):
    layer = fd.layers.LayerNormalization(epsilon=1e-9, **arguments)
    return fd.Sequential([fd.Input((2,)), layer], engine=engine, seed=0)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_values(engine):
    model = network(engine)
    assert_within(model.predict(X), [[-1.0, 1.0], [-1.0, 1.0]], 1e-6)
    model.set_weights([[2.0, 3.0], [0.5, -1.0]])
    assert_within(model.predict(X), [[-1.5, 2.0], [-1.5, 2.0]], 1e-6)
    assert_within(network(engine, center=False, scale=False).predict(X), [[-1.0, 1.0], [-1.0, 1.0]], 1e-6)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_a_large_mean_costs_no_more_than_its_digits(engine):
    """The mean of the squares less the square of the mean would be off by 1e8 * eps = 6."""
    rows = np.array([[10000.0, 10002.0, 10004.0, 10006.0]], np.float32)
    model = fd.Sequential([fd.Input((4,)), fd.layers.LayerNormalization(epsilon=1e-9)], engine=engine)
    assert_within(model.predict(rows), np.array([[-3.0, -1.0, 1.0, 3.0]]) / np.sqrt(5.0), 1e-6)


def deep(engine="native"):
    """Return a network whose vectors are wider than the native engine updates at once."""
    layers = [fd.Dense(600), fd.layers.LayerNormalization(), fd.layers.PReLU(), fd.Dense(3)]
    return fd.Sequential([fd.Input((9,)), *layers], engine=engine, seed=0)


@pytest.mark.parametrize("isa", native.runnable_isas())
def test_a_row_does_not_depend_on_its_neighbours(isa):
    model = deep()
    program = native.program.NativeEngine(isa).compile(model.network(), model.parameters())
    rows = RNG.normal(size=(200, 9)).astype(np.float32)
    together = program.predict(rows)
    for i in range(0, 200, 7):
        assert_identical(program.predict(rows[i : i + 1])[0], together[i])


def trained(engine, threads):
    rng = np.random.default_rng(1)
    model = deep(engine)
    model.compile(fd.optimizers.SGD(0.01, momentum=0.9, clipnorm=0.5), "mse")
    with native.at_most(threads):
        model.fit(rng.normal(size=(400, 9)), rng.normal(size=(400, 3)), batch_size=200, epochs=3, verbose=0)
    return model.get_weights()


def test_wide_vectors_are_trained_the_same_by_any_number_of_threads_and_by_arrays():
    once = trained("native", 1)
    for one, two, array in zip(once, trained("native", 2), trained("array", 1), strict=True):
        assert_identical(one, two)
        assert_within(one, array, 1e-5)


def test_weights_and_summary(capsys):
    layer = fd.layers.LayerNormalization(gamma_regularizer="l2", name="rows", input_shape=(3,))
    model = fd.Sequential([layer, fd.Dense(1)], seed=0)
    gamma, beta = layer.get_weights()
    assert_identical(gamma, np.ones(3, np.float32))
    assert_identical(beta, np.zeros(3, np.float32))
    model.summary()
    text = capsys.readouterr().out
    assert "rows (LayerNormalization)" in text
    assert "trained: 10" in text


def test_files_bring_it_back_as_itself(tmp_path):
    layers = [fd.Dense(5), fd.layers.LayerNormalization(beta_initializer="random_uniform"), fd.Dense(3)]
    model = fd.Sequential([fd.Input((2,)), *layers, fd.layers.LayerNormalization(epsilon=0.5)], seed=0)
    for ending in (".safetensors", ".keras"):
        model.save(tmp_path / f"m{ending}")
        back = fd.load(tmp_path / f"m{ending}")
        assert [type(layer) for layer in back.layers] == [type(layer) for layer in model.layers]
        for found, wanted in zip(back.get_weights(), model.get_weights(), strict=True):
            assert_identical(found, wanted)


def test_an_explanation_shows_its_formula():
    model = network()
    model.compile("sgd", "mse")
    text = str(model.explain(X[0], [0.0, 0.0]))
    assert "A1 = (A0 - mean(A0)) / sqrt(var(A0) + 1e-09) * gamma1 + beta1" in text
    assert "dgamma1 (1, 2)" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axis": 0}, "axis must be -1, got 0"),
        ({"epsilon": 0.0}, "epsilon must be finite and above 0"),
        ({"gamma_initializer": "one"}, "unknown initializer 'one'"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fd.layers.LayerNormalization(**arguments)
