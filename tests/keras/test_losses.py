"""Every loss: its value on given numbers, and training by it, in Keras and here."""

from __future__ import annotations

import numpy as np
import pytest

from tests.keras.both import LIBRARIES, assert_close, assert_same_training

RNG = np.random.default_rng(3)
X = RNG.normal(size=(160, 6)).astype(np.float32)
CLASSES = (X[:, :3] + 0.3 * RNG.normal(size=(160, 3))).argmax(axis=1)
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES]
REALS = np.column_stack([X[:, 0] * X[:, 1], 2 * X[:, 2], X[:, 3] - 1]).astype(np.float32)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, :3])).astype(np.float32)
SIGNS = (X[:, :3] > 0).astype(np.float32)

# The loss by the library's module of losses, the last layer's activation, the targets.
LOSSES = {
    "binary": (lambda k: k.BinaryCrossentropy(), "sigmoid", SIGNS),
    "binary, smooth": (lambda k: k.BinaryCrossentropy(label_smoothing=0.2), "sigmoid", SIGNS),
    "binary, logits": (lambda k: k.BinaryCrossentropy(from_logits=True), "linear", SIGNS),
    "binary, logits, smooth": (
        lambda k: k.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        "linear",
        SIGNS,
    ),
    "binary of softmax": (lambda k: k.BinaryCrossentropy(), "softmax", ONE_HOT),
    "categorical": (lambda k: k.CategoricalCrossentropy(), "softmax", ONE_HOT),
    "categorical, smooth": (lambda k: k.CategoricalCrossentropy(label_smoothing=0.2), "softmax", ONE_HOT),
    "categorical, logits": (lambda k: k.CategoricalCrossentropy(from_logits=True), "linear", ONE_HOT),
    "categorical, logits, smooth": (
        lambda k: k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        "linear",
        ONE_HOT,
    ),
    "categorical of sigmoids": (lambda k: k.CategoricalCrossentropy(), "sigmoid", ONE_HOT),
    "sparse": (lambda k: k.SparseCategoricalCrossentropy(), "softmax", CLASSES),
    "sparse, logits": (lambda k: k.SparseCategoricalCrossentropy(from_logits=True), "linear", CLASSES),
    "sparse of sigmoids": (lambda k: k.SparseCategoricalCrossentropy(), "sigmoid", CLASSES),
    "squares": (lambda k: k.MeanSquaredError(), "linear", REALS),
    "squares of exponentials": (lambda k: k.MeanSquaredError(), "exponential", COUNTS),
    "distances": (lambda k: k.MeanAbsoluteError(), "linear", REALS),
    "huber": (lambda k: k.Huber(), "linear", REALS),
    "huber 0.3": (lambda k: k.Huber(delta=0.3), "linear", REALS),
    "poisson": (lambda k: k.Poisson(), "softplus", COUNTS),
    "poisson, log link": (lambda k: k.Poisson(), "exponential", COUNTS),
}
NAMES = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "poisson"]
NAMES += ["mean_squared_error", "mse", "mean_absolute_error", "mae", "huber"]


@pytest.mark.parametrize("name", LOSSES)
def test_training(name):
    loss, last, y = LOSSES[name]

    def layers(lib):
        dense = lib.layers.Dense
        return [lib.Input((6,)), dense(5, activation="tanh"), dense(3, activation=last)]

    assert_same_training(
        layers, lambda lib: {"loss": loss(lib.losses), "optimizer": lib.optimizers.SGD(0.05)}, X, y
    )


@pytest.mark.parametrize("name", LOSSES)
def test_values(name):
    make, last, y = LOSSES[name]
    outputs = RNG.uniform(0.05, 0.95, (160, 3)) if last != "linear" else RNG.normal(size=(160, 3))
    weights = RNG.uniform(0, 2, 160).astype(np.float32)
    theirs, ours = (make(lib.losses) for lib in LIBRARIES)
    outputs = outputs.astype(np.float32)
    assert_close(ours(y, outputs), float(theirs(y, outputs)), 1e-5)
    assert_close(ours(y, outputs, weights), float(theirs(y, outputs, sample_weight=weights)), 1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    """What a name stands for gives the same number: Keras' is a function of one loss a row."""
    y = CLASSES if name.startswith("sparse") else ONE_HOT
    outputs = RNG.uniform(0.05, 0.95, (160, 3)).astype(np.float32)
    theirs, ours = (lib.losses.get(name) for lib in LIBRARIES)
    assert_close(ours(y, outputs), float(np.mean(theirs(y, outputs))), 1e-5)
