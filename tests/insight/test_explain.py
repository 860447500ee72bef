"""What a model makes of one row, written out: the article's numbers, the engines', and the mistakes."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastdense as fd
from fastdense.core.shapes import draw_product
from fastdense.core.spec import TrainingSpec
from fastdense.engines import choose
from fastdense.errors import DtypeError, NotBuiltError, ShapeError
from tests.compare import assert_within
from tests.formats.networks import inputs, networks


def article():
    """Return the article's layer and one more."""
    model = fd.Sequential([fd.Input((2,)), fd.Dense(3, "sigmoid"), fd.Dense(1)])
    W, B = [[1.0, -3.0, 5.0], [-2.0, 4.0, -6.0]], [-1.0, 1.0, 2.0]
    model.set_weights([W, B, [[1.0], [2.0], [-1.0]], [0.5]])
    model.compile("sgd", "mean_squared_error")
    return model


def test_the_articles_numbers():
    found = article().explain([200.0, 17.0])
    first, second = found.steps
    assert_within(first.Z, [[165.0, -531.0, 900.0]], 0.0)
    assert_within(first.A_out, [[1.0, 0.0, 1.0]], 1e-12)
    assert_within(found.prediction, [[0.5]], 1e-12)
    assert (second.A_in is first.A_out) or (second.A_in == first.A_out).all()
    assert first.dZ is None
    assert found.loss is None


def test_the_text():
    text = str(article().explain([200.0, 17.0]))
    assert "Layer 1: dense 'dense', 2 to 3\n  Z1 = A0 @ W1 + B1\n  A1 = sigmoid(Z1)" in text
    assert "unit 1: 200 * 1 + 17 * -2 + -1 = 165" in text
    assert "│  1  -3   5 │" in text
    assert "A2 = A1 @ W2 + B2" in text
    assert "Loss" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_the_way_back():
    """The mean squared error of one output: dA = 2 (a - y); then by hand."""
    found = article().explain([0.0, 0.5], 1.0)
    first, second = found.steps
    z = np.array([-2.0, 3.0, -1.0])
    a = 1 / (1 + np.exp(-z))
    output = a @ [1.0, 2.0, -1.0] + 0.5
    dz2 = 2 * (output - 1)
    assert_within(found.loss, (output - 1) ** 2, 1e-12)
    assert_within(second.dA_out, [[dz2]], 1e-12)
    assert_within(second.dW, dz2 * a[:, None], 1e-12)
    assert_within(second.dB, [[dz2]], 1e-12)
    dz1 = dz2 * np.array([1.0, 2.0, -1.0]) * a * (1 - a)
    assert_within(first.dZ, [dz1], 1e-12)
    assert_within(first.dW, np.outer([0.0, 0.5], dz1), 1e-12)
    text = str(found)
    assert "Loss: mean_squared_error(Y, A2)" in text
    assert "dW1 = A0.T @ dZ1   dB1 = dZ1   dA0 = dZ1 @ W1.T" in text
    assert text.index("Back through layer 2") < text.index("Back through layer 1")


@settings(max_examples=60, deadline=None)
@given(networks(), st.integers(0, 3))
def test_random_networks_are_explained_as_they_predict(model, number):
    X = inputs(model, 4)[number : number + 1]
    found = model.explain(X)
    assert {step.name for step in found.steps} <= {layer.name for layer in model.layers}
    expected = model.predict(X)
    bound = 1e-4 * np.maximum(1.0, np.abs(expected)) + 1e-3 * np.abs(expected).max()
    with np.errstate(all="ignore"):
        assert_within(np.float64(found.prediction), np.float64(expected), bound)
    assert str(found)


LOSSES = {
    "mean_squared_error": (fd.Dense(2), [0.3, -1.0]),
    "huber": (fd.Dense(2, "tanh"), [0.3, -1.0]),
    "binary_crossentropy": (fd.Dense(2, "sigmoid"), [1.0, 0.0]),
    "categorical_crossentropy": (fd.Dense(3, "softmax"), [0.0, 1.0, 0.0]),
    "sparse_categorical_crossentropy": (fd.Dense(3, "softmax"), 2),
    "poisson": (fd.Dense(1, "exponential"), 3.0),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_the_engines(name):
    last, target = LOSSES[name]
    layers = [fd.Input((4,)), fd.Normalization(mean=1.0, variance=4.0), fd.Dense(5, "gelu"), fd.Dropout(0.5)]
    model = fd.Sequential([*layers, fd.layers.ELU(), type(last)(last.units, last.activation)], seed=1)
    model.compile("adam", name)
    x = np.array([0.5, -1.0, 2.0, 0.0], np.float32)
    found = model.explain(x, target)
    spec = TrainingSpec(model.loss.spec(), model.optimizer.spec())
    program = choose("reference").compile(model.network(), model.parameters(), spec)
    y = np.array([target], np.int64 if name.startswith("sparse") else np.float32)
    loss, gradients = program.gradients(
        x[None], y.reshape(1, -1) if y.ndim == 1 and y.dtype != np.int64 else y, None
    )
    assert_within(found.loss, loss, 1e-6)
    own = [g for step in found.steps for g in (step.dW, step.dB) if g is not None]
    for ours, theirs in zip(own, gradients, strict=True):
        assert_within(ours.reshape(theirs.shape), np.float64(theirs), 1e-6)


def test_tables():
    table = pytest.importorskip("fastdense.tabular")
    frame = {"size": [1.0, 2.0, 3.0, 4.0] * 5, "kind": ["a", "b", "a", "b"] * 5, "y": ["no", "yes"] * 10}
    model = table.train_table(frame, "y", recipe=table.Recipe(hidden=(4,), epochs=2), verbose=0, seed=0)
    row = {"size": [2.0], "kind": ["b"]}
    found = model.explain(row, "yes")
    assert found.outputs == ("no", "yes")
    assert found.features[0] == "size"
    assert model.explain(MappingProxyType(row), "yes").loss == found.loss
    assert_within(found.prediction, np.float64(model.predict(row)), 1e-6)
    text = str(found)
    assert "A0: size = " in text
    assert "  yes: " in text


def test_quantities_are_in_their_own_units():
    table = pytest.importorskip("fastdense.tabular")
    frame = {"size": [1.0, 2.0, 3.0, 4.0] * 5, "y": [100.0, 90.0, 85.0, 120.5] * 5}
    model = table.train_table(frame, "y", recipe=table.Recipe(hidden=(4,), epochs=2), verbose=0, seed=0)
    found = model.explain({"size": [2.0]}, 90.0)
    value = table.predict_table(model, {"size": [2.0]}).values[0]
    assert found.answer == f"y: {value:.6g}, the right one 90.0"
    assert found.answer in str(found)
    assert_within(found.Y, np.float64(model.table.targets({"y": [90.0]})).reshape(1, 1), 1e-6)


def test_penalties_are_part_of_the_loss():
    l2 = fd.regularizers.L2(0.5)
    dense = fd.Dense(1, kernel_regularizer=l2, bias_regularizer=fd.regularizers.L1(0.25))
    model = fd.Sequential([fd.Input((1,)), dense], dtype="float64")
    model.set_weights([[[2.0]], [-1.0]])
    model.compile("sgd", "mean_squared_error")
    found = model.explain([1.0], 1.0)
    assert_within(found.loss, model.evaluate([[1.0]], [1.0], verbose=0), 1e-12)
    assert_within(found.penalty, 0.5 * 4 + 0.25, 1e-12)
    assert_within(found.steps[0].dW, [[2 * 0.5 * 2.0]], 1e-12)
    assert_within(found.steps[0].dB, [[-0.25]], 1e-12)
    assert "with 2.25 for the size of the weights" in str(found)


def test_large_layers_are_elided():
    model = fd.Sequential([fd.Input((300,)), fd.Dense(200, "relu"), fd.Dense(1)], seed=0)
    text = str(model.explain(np.zeros(300)))
    assert "W1 (300, 200)" in text
    assert draw_product("A0", (1, 300), "W1", (300, 200)) in text
    assert "(295 more)" in text
    assert max(map(len, text.splitlines())) <= 115


def test_mistakes():
    model = article()
    with pytest.raises(ShapeError, match="one row is explained at a time, got 2"):
        model.explain(np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="x has 3 columns but W has 2 rows"):
        model.explain([1.0, 2.0, 3.0])
    with pytest.raises(DtypeError, match="x"):
        model.explain(["a", "b"])
    with pytest.raises(ShapeError, match="target"):
        model.explain([1.0, 2.0], [1.0, 2.0])
    plain = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    with pytest.raises(NotBuiltError, match=r"call compile\(loss=...\) first"):
        plain.explain([1.0, 2.0], 1.0)


def test_settings_are_written_out():
    gentle = fd.activations.ActivationFunction("leaky_relu", 0.01)
    pairs = fd.activations.ActivationFunction("softmax", groups=(2, 2))
    model = fd.Sequential([fd.Input((2,)), fd.Dense(4, gentle), fd.layers.ELU(), fd.Dense(4, pairs)], seed=0)
    model.compile("sgd", fd.losses.CategoricalCrossentropy(label_smoothing=0.1, groups=(2, 2)))
    text = str(model.explain([1.0, 2.0], [1, 0, 0, 1]))
    assert "A1 = leaky_relu(Z1, alpha=0.01)" in text
    assert "A2 = elu(A1, alpha=1)" in text
    assert "A3 = softmax(Z3, groups=(2, 2))" in text
    assert "categorical_crossentropy(Y, A3, label_smoothing=0.1, groups=(2, 2)) = " in text
