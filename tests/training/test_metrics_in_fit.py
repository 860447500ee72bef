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


def accuracy_named(name):
    return fd.metrics.BinaryAccuracy(name=name)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["loss"], ["loss_1"]),
        (["val_loss"], ["val_loss_1"]),
        (["val_x", "x"], ["val_x", "x_1"]),
        (["x", "val_x"], ["x", "val_x_1"]),
        (["a", "a_1", "a"], ["a", "a_1", "a_2"]),
        (["epoch"], ["epoch_1"]),
    ],
    ids=str,
)
def test_no_number_hides_another(given, expected):
    """A metric may not go by the name of the loss, of another metric or of another's validation."""
    model = classifier(metrics=[accuracy_named(name) for name in given])
    history = model.fit(X, y, validation_split=0.25, verbose=0).history
    assert list(history) == ["loss", *expected, "val_loss", *(f"val_{name}" for name in expected)]
    assert model.metrics_names == ["loss", *expected]
    assert len(model.evaluate(X, y, verbose=0)) == len(given) + 1


def test_a_weighted_metric_called_loss():
    model = classifier(weighted_metrics=[accuracy_named("loss")])
    assert list(model.evaluate(X, y, verbose=0, return_dict=True)) == ["loss", "weighted_loss"]


def test_callbacks_see_the_names(tmp_path):
    precisions = [fd.metrics.Precision(thresholds=t) for t in (0.0, 0.99)]
    model = classifier(fd.optimizers.SGD(0.0), metrics=precisions)
    stop = fd.callbacks.EarlyStopping(monitor="val_precision_1", patience=1)
    keep = fd.callbacks.ModelCheckpoint(tmp_path / "{precision_1:.0f}.safetensors")
    log = fd.callbacks.CSVLogger(tmp_path / "log.csv")
    history = model.fit(X, y, epochs=9, validation_split=0.25, callbacks=[stop, keep, log], verbose=0).history
    assert history["precision"][0] > history["precision_1"][0] == stop.best == 0
    assert len(history["loss"]) == 2
    assert (tmp_path / "0.safetensors").exists()
    head = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert head == "epoch,loss,precision,precision_1,val_loss,val_precision,val_precision_1"


def test_names_outlive_a_file(tmp_path):
    plain, weighted = [fd.metrics.AUC(), "precision"], [fd.metrics.AUC(), "precision"]
    model = classifier(metrics=plain, weighted_metrics=weighted)
    assert model.metrics_names == ["loss", "auc", "precision", "auc_1", "weighted_precision"]
    model.save(tmp_path / "m.safetensors")
    assert fd.load(tmp_path / "m.safetensors").metrics_names == model.metrics_names


def test_one_object_given_twice_is_refused():
    metric = fd.metrics.TruePositives()
    with pytest.raises(ValueError, match="would count every row twice: give two objects"):
        classifier(metrics=[metric], weighted_metrics=[metric])


def test_a_metric_of_several_numbers_is_refused():
    with pytest.raises(TypeError, match="one metric for each threshold"):
        fd.metrics.Precision([0.3, 0.7])
    X, numbers = classes()
    model = softmax("categorical_crossentropy", metrics=[fd.metrics.F1Score()])
    with pytest.raises(ShapeError, match="choose average='macro', 'micro' or 'weighted'"):
        model.evaluate(X, np.eye(3)[numbers], verbose=0)
    model = softmax("categorical_crossentropy", metrics=[fd.metrics.Recall(class_id=3)])
    with pytest.raises(ShapeError, match="recall is of class 3, but there are 3 outputs"):
        model.evaluate(X, np.eye(3)[numbers], verbose=0)


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
