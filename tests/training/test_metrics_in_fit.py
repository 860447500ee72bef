"""Metrics as part of a model: their names, their rows, their weights; functions and objects of one's own."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import ShapeError
from tests.compare import assert_within
from tests.training.networks import binary, classes, classifier, regressor, softmax

X, y = binary()
OWN = np.linspace(0.0, 3.0, 40)


def test_names_come_in_the_order_of_compile():
    model = classifier(metrics=["accuracy", "mae", fd.metrics.AUC()], weighted_metrics=["mse"])
    assert model.metrics_names == ["loss", "accuracy", "mae", "auc", "mse"]
    assert list(model.evaluate(X, y, verbose=0, return_dict=True)) == model.metrics_names
    history = model.fit(X, y, validation_split=0.25, verbose=0).history
    assert list(history) == [*model.metrics_names, *(f"val_{name}" for name in model.metrics_names)]


def test_a_name_of_ones_own():
    model = classifier(metrics=[fd.metrics.BinaryAccuracy(name="right"), fd.metrics.Recall(name="found")])
    assert model.metrics_names == ["loss", "right", "found"]


def test_without_metrics_there_is_the_loss():
    assert classifier().metrics_names == ["loss"]
    assert list(classifier().fit(X, y, verbose=0).history) == ["loss"]


def test_weighted_metrics_weigh_rows_and_others_do_not():
    model = classifier(metrics=["mae"], weighted_metrics=["mse"])
    numbers = model.evaluate(X, y, sample_weight=OWN, verbose=0, return_dict=True)
    errors = model.predict(X)[:, 0].astype(np.float64) - y
    assert_within(numbers["mae"], np.abs(errors).mean(), 1e-6)
    assert_within(numbers["mse"], np.dot(OWN, errors**2) / OWN.sum(), 1e-6)


def test_the_same_metric_with_weights_and_without():
    model = classifier(fd.optimizers.SGD(0.0), metrics=["accuracy"], weighted_metrics=["accuracy"])
    assert model.metrics_names == ["loss", "accuracy", "weighted_accuracy"]
    right = (model.predict(X)[:, 0] > 0.5) == y
    for numbers in (
        model.evaluate(X, y, sample_weight=OWN, verbose=0, return_dict=True),
        model.train_on_batch(X, y, sample_weight=OWN, return_dict=True),
        {k: v[0] for k, v in model.fit(X, y, sample_weight=OWN, verbose=0).history.items()},
    ):
        assert_within(numbers["accuracy"], right.mean(), 1e-6)
        assert_within(numbers["weighted_accuracy"], np.dot(OWN, right) / OWN.sum(), 1e-6)


def test_class_weights_weigh_metrics():
    model = classifier(fd.optimizers.SGD(0.0), weighted_metrics=["mse"])
    history = model.fit(X, y, class_weight={0: 2.0, 1: 5.0}, verbose=0).history
    squares = (model.predict(X)[:, 0].astype(np.float64) - y) ** 2
    by_class = np.where(y == 1, 5.0, 2.0)
    assert_within(history["mse"][0], np.dot(by_class, squares) / by_class.sum(), 1e-6)


@pytest.mark.parametrize("batch_size", [7, 40])
def test_an_epochs_metrics_are_of_the_outputs_it_trained_on(batch_size):
    """With a rate of 0 these are the outputs of evaluation, over all batches and the short one."""
    model = classifier(fd.optimizers.SGD(0.0), metrics=["accuracy", "mse", fd.metrics.AUC(), "precision"])
    history = model.fit(X, y, batch_size=batch_size, epochs=2, verbose=0).history
    numbers = model.evaluate(X, y, verbose=0, return_dict=True)
    for name, values in history.items():
        assert_within(values, [numbers[name]] * 2, 1e-6, name)


def test_accuracy_is_the_one_that_fits_the_loss():
    X, numbers = classes()
    sparse, one_hot = softmax(metrics=["accuracy"]), softmax("categorical_crossentropy", metrics=["acc"])
    right = (sparse.predict(X).argmax(axis=1) == numbers).mean()
    assert_within(sparse.evaluate(X, numbers, verbose=0)[1], right, 1e-12)
    assert_within(one_hot.evaluate(X, np.eye(3)[numbers], verbose=0)[1], right, 1e-12)
    X, y = binary()
    logits = regressor(loss=fd.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    right = ((logits.predict(X)[:, 0] > 0) == y).mean()
    assert_within(logits.evaluate(X, y, verbose=0)[1], right, 1e-12)


def largest_error(y_true, y_pred):
    return np.abs(y_true - y_pred).max()


def error_of_rows(y_true, y_pred):
    return np.abs(y_true - y_pred).mean(axis=1)


def test_functions_of_a_row_and_of_all_rows():
    model = regressor(fd.optimizers.SGD(0.0), metrics=[error_of_rows, largest_error])
    assert model.metrics_names == ["loss", "error_of_rows", "largest_error"]
    errors = np.abs(model.predict(X)[:, 0].astype(np.float64) - y)
    history = model.fit(X, y, batch_size=8, verbose=0).history
    _, mean, largest = model.evaluate(X, y, verbose=0)
    for found, wanted in ((mean, errors.mean()), (largest, errors.max())):
        assert_within(found, wanted, 1e-6)
    assert_within(history["error_of_rows"][0], errors.mean(), 1e-6)
    assert_within(history["largest_error"][0], errors.max(), 1e-6)


def test_an_error_in_a_function_is_the_users_to_see():
    def broken(y_true, y_pred):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        regressor(metrics=[broken]).evaluate(X, y, verbose=0)


def test_a_metric_that_does_not_fit_the_targets():
    X, numbers = classes()
    model = softmax(metrics=["mse"])
    with pytest.raises(ShapeError, match=r"mse compares targets of shape .* with outputs of shape"):
        model.evaluate(X, numbers, verbose=0)


def test_rows_beyond_one_block():
    """Loss and metrics are worked out some tens of thousands of rows at a time."""
    rows = 70_000
    many_X, many_y = np.tile(X, (1750, 1)), np.tile(y, 1750)
    model = classifier(fd.optimizers.SGD(0.0), metrics=["mse"], weighted_metrics=["mae"])
    own = np.where(np.arange(rows) < 65_540, 1.0, 50.0)
    loss, mse, mae = model.evaluate(many_X, many_y, sample_weight=own, verbose=0)
    p = model.predict(many_X)[:, 0].astype(np.float64)
    assert_within(loss, np.mean(own * -np.log(np.where(many_y == 1, p, 1 - p))), 1e-5)
    assert_within(mse, np.mean((p - many_y) ** 2), 1e-6)
    assert_within(mae, np.dot(own, np.abs(p - many_y)) / own.sum(), 1e-6)
    fit = {"batch_size": 5000, "sample_weight": own, "verbose": 0}
    history = model.fit(many_X, many_y, **fit).history
    assert_within([history[name][0] for name in ("loss", "mse", "mae")], [loss, mse, mae], 1e-6)
