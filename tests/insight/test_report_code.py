"""The code that a report says does a run again: it gives the same bits, or is told not to."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import NotBuiltError
from fastdense.insight.report import report
from tests.insight.fitted import CLASSES, LOSS, X, classifier, classifier_of_one_epoch

FITS = {
    "plain": {},
    "settings": {"shuffle": False, "batch_size": 50, "validation_split": 0.25, "class_weight": {0: 2.0}},
    "callbacks": {"callbacks": [fd.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.5)]},
    "schedule": {"epochs": 3},
}


@pytest.mark.parametrize("fit", FITS)
def test_the_code_does_it_again(fit):
    layers = [
        fd.Input((4,)),
        fd.Normalization(),
        fd.Dense(8, fd.activations.ActivationFunction("leaky_relu", 0.01), kernel_regularizer="l2"),
        fd.Dropout(0.2),
        fd.Dense(5, kernel_initializer=fd.initializers.RandomNormal(stddev=0.5), name="Dense(5)"),
        fd.layers.ReLU(),
        fd.Dense(3, "softmax", use_bias=False),
    ]
    model = fd.Sequential(layers, seed=7, dtype="float64", name="it's")
    model.layers[0].adapt(X)
    schedule = fd.optimizers.schedules.CosineDecay(0.1, 30)
    rate = schedule if fit == "schedule" else 0.1
    metrics = [fd.metrics.SparseCategoricalAccuracy("right"), "accuracy"]
    model.compile(fd.optimizers.SGD(rate, momentum=0.9, clipnorm=1.0), fd.losses.get(LOSS), metrics)
    model.fit(X, CLASSES, verbose=0, **{"epochs": 4, **FITS[fit]})
    names = {"X": X, "y": CLASSES}
    exec(report(model).code, names)
    for ours, again in zip(model.get_weights(), names["model"].get_weights(), strict=True):
        assert np.array_equal(ours, again)
    assert names["model"].history.history == model.history.history


def test_the_code_of_a_table_does_it_again():
    table = pytest.importorskip("fastdense.tabular")
    frame = {"size": X[:, 0], "kind": np.where(X[:, 1] > 0, "red", "green"), "price": X[:, 2]}
    recipe = table.Recipe((8,), epochs=3)
    model = table.train_table(
        frame, "price", types={"kind": "ignore"}, recipe=recipe, validation=0.3, verbose=0
    )
    names = {"frame": frame}
    exec(report(model).code, names)
    for ours, again in zip(model.get_weights(), names["model"].get_weights(), strict=True):
        assert np.array_equal(ours, again)


def test_what_the_code_cannot_hold_is_named():
    model = classifier(engine="reference")

    class Mine(fd.callbacks.Callback):
        def __init__(self, ratio, rows):
            self.ratio, self.rows = ratio, rows

    def share(y_true, y_pred):
        return np.zeros(len(y_true))

    model.compile(fd.optimizers.Adam(lambda step: 0.01), LOSS, [share])
    weights = np.ones(len(X))
    model.fit(
        X,
        CLASSES,
        verbose=0,
        sample_weight=weights,
        callbacks=[Mine(0.5, 3)],
        validation_data=(X, CLASSES, weights),
    )
    code = report(model).code
    assert "engine='reference'" in code
    assert "metrics=[share]" in code
    assert "Mine(ratio=0.5, rows=3)" in code
    assert "validation_data=(X_validation, y_validation, validation_weights)" in code
    assert "sample_weight=weights" in code


def test_a_fit_that_goes_on_says_so():
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    model.fit(X, CLASSES, epochs=3, initial_epoch=1, verbose=0)
    found = report(model)
    assert found.epochs == (2, 3)
    assert any("went on from weights that were there before" in note for note in found.notes)
    assert "initial_epoch=1" in found.code


def fitted_after(change):
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    model = change(model) or model
    model.fit(X, CLASSES, validation_split=0.2, verbose=0)
    return report(model).notes


CHANGES = {
    "compiled anew": lambda model: model.compile("sgd", LOSS),
    "weights of its own": lambda model: model.set_weights(model.get_weights()),
    "as it was": lambda model: None,
}


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_were_there_before_are_told(change):
    assert any("went on from weights" in note for note in fitted_after(CHANGES[change]))
    assert fitted_after(lambda model: classifier()) == ()


def test_a_loaded_model_goes_on(tmp_path):
    classifier_of_one_epoch().save(tmp_path / "m.safetensors")

    def change(model):
        loaded = fd.load(tmp_path / "m.safetensors")
        loaded.compile("sgd", LOSS)
        return loaded

    assert any("went on from weights" in note for note in fitted_after(change))


@pytest.mark.parametrize(("place", "adapted"), [(0, False), (0, True), (1, True)])
def test_a_normalization_is_adapted_where_it_was(place, adapted):
    layers = [fd.Dense(4, "relu"), fd.Dense(3, "softmax")]
    layers.insert(place, fd.Normalization())
    model = fd.Sequential([fd.Input((4,)), *layers], seed=0)
    model.compile("sgd", LOSS)
    if adapted:
        model.layers[place].adapt(X)
    model.fit(X, CLASSES, validation_split=0.2, verbose=0)
    found = report(model)
    assert ("model.layers[0].adapt(X)" in found.code) == (adapted and place == 0)
    assert any("A Normalization behind other layers" in note for note in found.notes) == (place == 1)


def test_the_fit_is_told_of_as_it_was():
    model = classifier_of_one_epoch()
    before = report(model)
    model.compile("adam", "mean_squared_error", metrics=["mae"])
    after = report(model)
    assert after.code == before.code
    assert after.outcomes[0].log_loss == before.outcomes[0].log_loss
    model.add(fd.Dense(3))
    with pytest.raises(NotBuiltError, match="other layers than when it was fitted"):
        report(model)


def test_the_code_names_weighted_metrics_and_numbers_of_numpy():
    model = classifier()
    model.compile("sgd", LOSS, weighted_metrics=["accuracy"])
    weights = dict(enumerate(np.array([1.0, 2.0, 3.0])))
    model.fit(X, CLASSES, class_weight=weights, validation_split=np.float64(0.2), verbose=0)
    found = report(model)
    assert "weighted_metrics=['accuracy']" in found.code
    names = {"X": X, "y": CLASSES}
    exec(found.code, names)
    assert np.array_equal(names["model"].get_weights()[0], model.get_weights()[0])


def test_what_has_no_code_is_told():
    model = classifier()
    model.compile(fd.optimizers.Adam(lambda step: 0.01), LOSS)
    model.fit(X, CLASSES, verbose=0, validation_split=0.2)
    found = report(model)
    assert "fd.optimizers.Adam(learning_rate=...)" in found.code
    assert any("in the place of what no code makes" in note for note in found.notes)


def test_a_table_with_every_option_does_it_again():
    table = pytest.importorskip("fastdense.tabular")
    frame = {"size": X[:, 0], "kind": np.where(X[:, 1] > 0, "red", "green"), "count": CLASSES}
    stop = fd.callbacks.EarlyStopping("loss", patience=1, min_delta=10.0)
    options = {"task": "regress", "validation": np.float64(0.2), "callbacks": [stop], "seed": 4}
    recipe = table.Recipe((np.int64(8),), epochs=9, dropout=0.0)
    model = table.train_table(frame, "count", recipe=recipe, verbose=0, **options)
    names = {"frame": frame}
    exec(report(model).code, names)
    assert len(names["model"].history.epoch) == len(model.history.epoch) < 9
    for ours, again in zip(model.get_weights(), names["model"].get_weights(), strict=True):
        assert np.array_equal(ours, again)


def test_statistics_that_were_given_are_not_adapted(tmp_path):
    layers = [fd.Input((4,)), fd.Normalization(mean=0.5, variance=2.0), fd.Dense(3, "softmax")]
    model = fd.Sequential(layers, seed=0)
    model.compile("sgd", LOSS)
    model.save(tmp_path / "m.safetensors")
    model = fd.load(tmp_path / "m.safetensors")
    model.fit(X, CLASSES, verbose=0)
    assert "adapt" not in report(model).code


def test_a_layer_that_was_used_before_brought_its_weights():
    layer = fd.Dense(3, "softmax")
    layer(X)
    model = fd.Sequential([fd.Input((4,)), layer], seed=0)
    model.compile("sgd", LOSS)
    model.fit(X, CLASSES, verbose=0)
    assert any("went on from weights" in note for note in report(model).notes)
