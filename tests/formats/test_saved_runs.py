"""What can be saved can be loaded, is written back the same, and trains on to the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastdense as fd
from fastdense import losses, metrics, optimizers
from fastdense.core import files
from fastdense.errors import FormatError, NonFiniteLossError
from fastdense.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from tests.compare import assert_identical
from tests.formats.networks import inputs, networks

RATES = [
    0.01,
    0.0,
    ExponentialDecay(0.05, 3, 0.5, staircase=True),
    CosineDecay(0.0, 5, warmup_target=0.02, warmup_steps=2),
    PiecewiseConstantDecay([1, 3], [0.05, 0.01, 0.001]),
    PolynomialDecay(0.05, 4, cycle=True),
]
CLIPPED = [{}, {"clipnorm": 1.0}, {"clipvalue": 0.5}, {"global_clipnorm": 1.0}]
OPTIMIZERS = {
    "plain": lambda rate, more: optimizers.SGD(rate, **more),
    "momentum": lambda rate, more: optimizers.SGD(rate, momentum=0.9, nesterov=True, **more),
    "rmsprop": lambda rate, more: optimizers.RMSprop(rate, centered=True, momentum=0.5, **more),
    "adagrad": lambda rate, more: optimizers.Adagrad(rate, **more),
    "adam": lambda rate, more: optimizers.Adam(rate, beta_1=0.5, **more),
    "lion": lambda rate, more: optimizers.Lion(rate, beta_1=0.5, **more),
    "adamw": lambda rate, more: optimizers.AdamW(rate, weight_decay=0.1, **more),
}
LOSSES = ["mse", "mae", losses.Huber(2.0), losses.Quantile(0.2), losses.BinaryCrossentropy(from_logits=True)]
METRICS = ["mae", "accuracy", "acc", "MeanSquaredError", "r2_score", "cosine_similarity"]


@st.composite
def compiled(draw):
    """Draw a compiled model, with rows and targets that it can be trained on."""
    model = draw(networks())
    more = draw(st.sampled_from(CLIPPED))
    optimizer = OPTIMIZERS[draw(st.sampled_from(sorted(OPTIMIZERS)))](draw(st.sampled_from(RATES)), more)
    chosen = [draw(st.lists(st.sampled_from(METRICS), max_size=2, unique=True)) for _ in range(2)]
    model.compile(
        optimizer, draw(st.sampled_from(LOSSES)), chosen[0], [*chosen[1], metrics.RootMeanSquaredError("r")]
    )
    y = np.random.default_rng(1).integers(0, 2, (12, model.output_shape[1])).astype(model.dtype)
    return model, np.nan_to_num(inputs(model, 12)), y  # `fit` takes finite rows alone


def content(model, path):
    model.save(path)
    description, arrays = files.read(path)
    return description, {name: (a.dtype.name, a.shape, a.tobytes()) for name, a in arrays.items()}


def outcome(model, X, y):
    """Return what training on comes to: numbers and bits, or where it fails."""
    try:
        history = model.fit(X, y, epochs=2, batch_size=5, verbose=0).history
    except NonFiniteLossError as error:
        history = str(error)
    return repr(history), [w.tobytes() for w in model.weights], model.optimizer.iterations


@settings(max_examples=25, deadline=None)
@given(compiled(), st.integers(0, 2))
def test_a_run_goes_on_from_its_file(tmp_path_factory, drawn, epochs):
    model, X, y = drawn
    folder = tmp_path_factory.getbasetemp()
    path, again = folder / "m.safetensors", folder / "again.safetensors"
    for _ in range(epochs):
        outcome(model, X, y)
    first = content(model, path)
    loaded = fd.load(path)
    assert content(loaded, again) == first
    assert path.read_bytes() == again.read_bytes()
    assert_identical(loaded.predict(X), model.predict(X))
    assert outcome(loaded, X, y) == outcome(model, X, y)
    assert content(loaded, again) == content(model, path)


@pytest.mark.parametrize("layer", [fd.Dropout(0.2), fd.Activation("tanh"), fd.Normalization()])
def test_a_model_without_dense_layers(layer, tmp_path):
    model = fd.Sequential([fd.Input((2,)), layer], seed=0)
    model.compile("adam", "mse")
    X = np.ones((4, 2), np.float32)
    model.fit(X, X, verbose=0)
    model.save(tmp_path / "m.safetensors")
    loaded = fd.load(tmp_path / "m.safetensors")
    assert loaded.optimizer.iterations == 1
    assert outcome(loaded, X, X) == outcome(model, X, X)


def test_a_count_of_steps_that_was_set(tmp_path):
    """A warm-up may be skipped: the optimizer's state is then that of the start."""
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    model.compile("adam", "mse")
    model.optimizer.iterations = 100
    model.save(tmp_path / "m.safetensors")
    loaded = fd.load(tmp_path / "m.safetensors")
    X = np.ones((4, 2), np.float32)
    assert loaded.optimizer.iterations == 100
    assert outcome(loaded, X, X[:, :1]) == outcome(model, X, X[:, :1])


SPOILED = {
    "name must be a string": lambda model: setattr(model, "name", 5),
    "a layer's name": lambda model: setattr(model.layers[0], "name", ["a"]),
    "two names": lambda model: setattr(model.layers[1], "name", model.layers[0].name),
    "seed": lambda model: setattr(model, "seed", 2**64),
    "JSON": lambda model: setattr(model, "seed", np.float32(1)),
    "beta_1": lambda model: setattr(model.optimizer, "beta_1", 1.5),
    "delta": lambda model: setattr(model.loss, "delta", -1.0),
    "rate": lambda model: setattr(model.layers[1], "rate", 1.0),
}


@pytest.mark.parametrize("message", SPOILED)
def test_what_would_not_load_is_not_saved(message, tmp_path):
    path = tmp_path / "m.safetensors"
    model = fd.Sequential([fd.Input((2,)), fd.Dense(2), fd.Dropout(0.5)], seed=0)
    model.compile("adam", losses.Huber())
    model.save(path)
    before = path.read_bytes()
    SPOILED[message](model)
    with pytest.raises(
        FormatError, match=f"cannot be saved.*{message if message != 'two names' else 'two layers'}"
    ):
        model.save(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", [[1], 5, "", {"a": 1}, True])
def test_metrics_have_names_that_are_text(name):
    with pytest.raises(TypeError, match="a metric's name must be a string"):
        metrics.MeanSquaredError(name)
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)])
    with pytest.raises(TypeError, match="a metric's name must be a string"):
        model.compile("sgd", "mse", metrics=[{"class_name": "AUC", "config": {"name": name}}])


@pytest.mark.parametrize("steps", [-1, 2**64, 2.0, True, "3"])
def test_a_count_of_steps_is_a_whole_number(steps):
    optimizer = optimizers.Adam()
    with pytest.raises((TypeError, ValueError), match="iterations must be"):
        optimizer.iterations = steps
    assert optimizer.iterations == 0


def test_class_numbers_beyond_the_outputs_are_named():
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    model.compile("sgd", "mse", metrics=["sparse_top_k_categorical_accuracy"])
    with pytest.raises(
        fd.errors.ShapeError, match="takes class numbers from 0 to 0, the outputs, got 0 to 3"
    ):
        model.fit(np.ones((4, 2)), np.arange(4.0), verbose=0)
