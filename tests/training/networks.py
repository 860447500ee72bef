"""The small networks and data that the tests of training share."""

import numpy as np

import fastdense as fd
from fastdense.callbacks import Callback

__all__ = [
    "Listening",
    "binary",
    "classes",
    "classifier",
    "cross_entropy",
    "regressor",
    "same_weights",
    "sgd",
    "softmax",
    "weights",
]


def binary(rows=40):
    """Return three columns and a target of 0 or 1 that a network can learn."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(rows, 3)).astype(np.float32)
    return X, (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.float32)


def classes(rows=40):
    """Return three columns and class numbers from 0 to 2."""
    X, _ = binary(rows)
    return X, np.argmax(X, axis=1)


def _compiled(last, loss, optimizer, compiled, settings):
    layers = [fd.Input((3,)), fd.Dense(4, activation="tanh"), *last]
    model = fd.Sequential(layers, **{"seed": 3, **settings})
    model.compile(
        optimizer=fd.optimizers.Adam(0.05) if optimizer is None else optimizer, loss=loss, **compiled
    )
    return model


def classifier(optimizer=None, dropout=0.0, metrics=(), weighted_metrics=(), **settings):
    """Return a compiled 3-4-1 network for `binary`."""
    last = [*([fd.Dropout(dropout)] if dropout else []), fd.Dense(1, activation="sigmoid")]
    compiled = {"metrics": list(metrics), "weighted_metrics": list(weighted_metrics)}
    return _compiled(last, "binary_crossentropy", optimizer, compiled, settings)


def regressor(optimizer=None, loss="mse", units=1, metrics=(), **settings):
    """Return a compiled 3-4-1 network with a linear output."""
    return _compiled([fd.Dense(units)], loss, optimizer, {"metrics": list(metrics)}, settings)


def sgd(**settings):
    """Return a network whose weights move by plain gradients."""
    return regressor(fd.optimizers.SGD(0.1), **settings)


def softmax(loss="sparse_categorical_crossentropy", metrics=(), **settings):
    """Return a compiled 3-4-3 network for `classes`."""
    return _compiled([fd.Dense(3, activation="softmax")], loss, None, {"metrics": list(metrics)}, settings)


def cross_entropy(model, X, y, sample_weight=1.0):
    """Return the mean of the weighted cross-entropies, worked out from the predictions."""
    p = model.predict(X).astype(np.float64)[:, 0]
    return np.mean(sample_weight * -(y * np.log(p) + (1 - y) * np.log(1 - p)))


def weights(model):
    """Return all of a model's weights as bytes, to compare bit for bit."""
    return b"".join(array.tobytes() for array in model.get_weights())


def same_weights(first, second):
    """Say whether two models have the same weights to the bit."""
    return weights(first) == weights(second)


class Listening(Callback):
    """Listens to steps, so that an epoch runs step by step."""

    def on_train_batch_end(self, batch, logs=None):
        """Do nothing."""
