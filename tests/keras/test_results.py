"""What fit, evaluate, predict and train_on_batch give back, in Keras and here."""

from __future__ import annotations

import numpy as np
import pytest

from tests.keras.both import LIBRARIES, UNCOMPILED, assert_close, pair
from tests.keras.data import digits

X, y = digits(10)
ONE_HOT = np.eye(10)[y]
WEIGHTS = np.random.default_rng(5).uniform(0, 2, len(X)).astype(np.float32)


def layers(lib):
    return [
        lib.Input((400,)),
        lib.layers.Dense(8, activation="relu"),
        lib.layers.Dense(10, activation="softmax"),
    ]


def compiled(layers=layers, **settings):
    """Return both models, compiled alike; a setting may be a function of the library."""
    models = pair(layers)
    for lib, model in zip(LIBRARIES, models, strict=True):
        own = {name: value(lib) if callable(value) else value for name, value in settings.items()}
        defaults = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **UNCOMPILED[lib]}
        model.compile(**defaults | own)
    return models


def histories(models, *data, **fit):
    return [m.fit(*data, epochs=2, shuffle=False, verbose=0, **fit).history for m in models]


METRICS = {
    "acc": ["acc"],
    "names": ["accuracy", "mse", "mae", "MSE", "mean_squared_error"],
    "objects": lambda lib: [lib.metrics.CategoricalAccuracy(), lib.metrics.MeanSquaredError()],
    "named objects": lambda lib: [lib.metrics.MeanAbsoluteError(name="off"), lib.metrics.AUC(name="area")],
    "counts": lambda lib: [lib.metrics.Precision(), lib.metrics.Recall(), lib.metrics.AUC()],
}


@pytest.mark.parametrize("name", METRICS)
def test_history_keys(name):
    """Keras puts them in alphabetical order, we put the loss first and the metrics as they were given."""
    models = compiled(loss="categorical_crossentropy", metrics=METRICS[name])
    theirs, ours = histories(models, X, ONE_HOT, validation_split=0.2)
    assert sorted(ours) == sorted(theirs)
    named = [key for key in ours if not key.startswith("val_")]
    assert list(ours) == [*named, *(f"val_{key}" for key in named)]
    assert named[0] == "loss"
    assert [len(values) for values in ours.values()] == [2] * len(ours)


def test_history_object():
    theirs, ours = (m.fit(X, y, epochs=5, initial_epoch=2, verbose=0, batch_size=30) for m in compiled())
    assert ours.epoch == theirs.epoch
    assert ours.params == theirs.params


@pytest.mark.parametrize("metrics", [None, ["accuracy", "mae"]], ids=["loss", "metrics"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_evaluate(metrics, weights):
    theirs, ours = compiled(loss="categorical_crossentropy", metrics=metrics)
    arguments = {"sample_weight": weights, "verbose": 0}
    expected, found = (m.evaluate(X, ONE_HOT, **arguments) for m in (theirs, ours))
    assert type(found) is type(expected)
    assert_close(found, expected)
    expected, found = (m.evaluate(X, ONE_HOT, return_dict=True, **arguments) for m in (theirs, ours))
    assert set(found) == set(expected)
    assert_close([found[name] for name in expected], list(expected.values()))


@pytest.mark.parametrize("metrics", [None, ["accuracy"]], ids=["loss", "metrics"])
def test_train_on_batch(metrics):
    """A batch's own numbers; Keras averages them over all batches until its metrics are reset."""
    theirs, ours = compiled(metrics=metrics)
    for begin in range(0, 150, 50):
        rows = slice(begin, begin + 50)
        theirs.reset_metrics()
        expected, found = (m.train_on_batch(X[rows], y[rows], WEIGHTS[rows]) for m in (theirs, ours))
        assert type(found) is type(expected)
        assert_close(found, expected)
    theirs.reset_metrics()
    assert_close(ours.test_on_batch(X, y), theirs.test_on_batch(X, y))


def test_train_on_batch_by_name():
    theirs, ours = (m.train_on_batch(X, y, class_weight={3: 2.0}, return_dict=True) for m in compiled())
    assert set(ours) == set(theirs)
    assert_close(ours["loss"], theirs["loss"])


def test_predict():
    theirs, ours = (m.predict(X, verbose=0) for m in compiled())
    assert (type(ours), ours.shape, ours.dtype) == (type(theirs), theirs.shape, theirs.dtype)
    assert_close(ours, theirs)


ACCURACY = {
    "one output": (1, "binary_crossentropy", lambda y: y % 2),
    "one output, a column": (1, "binary_crossentropy", lambda y: (y % 2)[:, None]),
    "one output, squares": (1, "mse", lambda y: y % 2),
    "class numbers": (10, "sparse_categorical_crossentropy", lambda y: y),
    "class numbers, a column": (10, "sparse_categorical_crossentropy", lambda y: y[:, None]),
    "one-hot rows": (10, "categorical_crossentropy", lambda y: np.eye(10)[y]),
    "one-hot rows, squares": (10, "mse", lambda y: np.eye(10)[y]),
}


@pytest.mark.parametrize("name", ACCURACY)
def test_accuracy_takes_the_form_that_fits(name):
    units, loss, targets = ACCURACY[name]
    last = "sigmoid" if units == 1 else "softmax"
    one_layer = lambda lib: [lib.Input((400,)), lib.layers.Dense(units, activation=last)]  # noqa: E731
    models = compiled(one_layer, loss=loss, metrics=["accuracy"])
    (_, theirs), (_, ours) = (m.evaluate(X, targets(y), verbose=0) for m in models)
    assert 0 < ours < 1
    assert_close(ours, theirs, 1e-6)


def test_weighted_metrics_beside_the_same_plain_ones():
    models = compiled(metrics=["accuracy"], weighted_metrics=["accuracy"])
    theirs, ours = histories(models, X, y, sample_weight=WEIGHTS)
    assert sorted(ours) == sorted(theirs)
    for name in theirs:
        assert_close(ours[name], theirs[name], what=name)
