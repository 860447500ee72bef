"""fit, evaluate, predict and the batch methods: what they return, what they do with their arguments."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import LambdaCallback
from tests.compare import assert_identical, assert_within
from tests.training.networks import (
    Listening,
    binary,
    classifier,
    cross_entropy,
    regressor,
    same_weights,
    sgd,
    softmax,
    weights,
)

X, y = binary()


def test_fit_returns_the_history_and_keeps_it():
    model = classifier(metrics=["accuracy"])
    history = model.fit(X, y, epochs=3, validation_data=(X[:7], y[:7]), verbose=0)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(len(numbers) == 3 for numbers in history.history.values())
    assert history.epoch == [0, 1, 2]
    assert model.history is history
    assert all(type(number) is float for number in history.history["accuracy"])


def test_fit_learns():
    model = classifier(metrics=["accuracy"])
    history = model.fit(X, y, epochs=60, batch_size=8, verbose=0).history
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert model.evaluate(X, y, verbose=0, return_dict=True)["accuracy"] >= 0.9


def test_the_loss_of_an_epoch_weighs_a_short_batch_by_its_rows():
    model = sgd()
    first = squared_error(model, X[:30], y[:30])
    model.fit(X[:30], y[:30], batch_size=30, shuffle=False, verbose=0)
    second = squared_error(model, X[30:], y[30:])
    loss = sgd().fit(X, y, batch_size=30, shuffle=False, verbose=0).history["loss"][0]
    assert_within(loss, (30 * first + 10 * second) / 40, 1e-6)


def squared_error(model, X, y):
    return np.mean((model.predict(X)[:, 0].astype(np.float64) - y) ** 2)


def test_evaluate_returns_a_number_a_list_or_a_dictionary():
    model = classifier()
    loss = model.evaluate(X, y, verbose=0)
    assert type(loss) is float
    assert_within(loss, cross_entropy(model, X, y), 1e-6)
    model = classifier(metrics=["accuracy", "mae"])
    assert model.metrics_names == ["loss", "accuracy", "mae"]
    numbers = model.evaluate(X, y, verbose=0)
    assert isinstance(numbers, list)
    named = model.evaluate(X, y, verbose=0, return_dict=True)
    assert named == dict(zip(model.metrics_names, numbers, strict=True))
    assert numbers == model.test_on_batch(X, y)
    assert named == model.test_on_batch(X, y, return_dict=True)


def test_the_loss_has_the_penalties_in_it():
    """In training, evaluation and validation alike."""
    layers = [fd.Input((3,)), fd.Dense(1, kernel_regularizer=fd.regularizers.L2(0.1))]
    model = fd.Sequential(layers, seed=0)
    model.compile(fd.optimizers.SGD(0.0), "mse")
    wanted = squared_error(model, X, y) + 0.1 * np.sum(np.square(model.get_weights()[0], dtype=np.float64))
    history = model.fit(X, y, batch_size=7, validation_data=(X, y), verbose=0).history
    for found in (model.evaluate(X, y, verbose=0), history["loss"][0], history["val_loss"][0]):
        assert_within(found, wanted, 1e-6)


def test_predictions():
    model = softmax()
    outputs = model.predict(X, verbose=0, batch_size=3)
    assert outputs.shape == (40, 3)
    assert outputs.dtype == np.float32
    assert_within(outputs.sum(axis=1), np.ones(40, dtype=np.float32), 1e-6)
    assert_identical(model(X), outputs)
    assert_identical(model.predict_on_batch(X), outputs)
    assert model.predict(X[:0]).shape == (0, 3)
    for i in range(5):
        assert_within(model.predict(X[i : i + 1])[0], outputs[i], 1e-6, f"row {i} alone")


def test_predictions_go_where_they_are_told_to():
    model, out = classifier(), np.empty((40, 1), dtype=np.float32)
    assert model.predict(X, out=out) is out
    assert_identical(out, model.predict(X))
    for wrong in (np.empty((40, 1)), np.empty((39, 1), dtype=np.float32), [0.0] * 40):
        with pytest.raises(fd.errors.ShapeError, match=r"shape \(40, 1\) and dtype float32"):
            model.predict(X, out=wrong)


def test_nan_passes_through_prediction_in_its_own_row():
    holed = X.copy()
    holed[3, 1] = np.nan
    outputs = classifier().predict(holed)
    assert np.flatnonzero(np.isnan(outputs[:, 0])).tolist() == [3]


def test_train_on_batch_is_one_step_of_fit():
    by_step, by_fit = (classifier(metrics=["accuracy"]) for _ in range(2))
    before = by_step.evaluate(X, y, verbose=0)
    numbers = by_step.train_on_batch(X, y)
    assert_within(numbers, before, 1e-6)
    history = by_fit.fit(X, y, batch_size=40, shuffle=False, verbose=0).history
    assert same_weights(by_step, by_fit)
    assert numbers == [history["loss"][0], history["accuracy"][0]]
    assert by_step.optimizer.iterations == 1
    assert type(classifier().train_on_batch(X, y)) is float
    assert list(by_step.train_on_batch(X, y, return_dict=True)) == ["loss", "accuracy"]


def test_train_on_batch_measures_its_own_rows_only():
    model = classifier(fd.optimizers.SGD(0.0), metrics=[fd.metrics.MeanAbsoluteError()])
    model.train_on_batch(X, y)
    assert model.train_on_batch(X[:5], y[:5]) == model.test_on_batch(X[:5], y[:5])


def test_dropout_is_off_in_evaluation():
    model = classifier(dropout=0.9)
    assert model.evaluate(X, y, verbose=0) == model.evaluate(X, y, verbose=0)
    assert_within(model.evaluate(X, y, verbose=0), cross_entropy(model, X, y), 1e-6)


@pytest.mark.parametrize(("rows", "batch_size", "steps"), [(40, 8, 5), (40, 7, 6), (40, 100, 1), (1, 32, 1)])
def test_steps_of_an_epoch(rows, batch_size, steps):
    model = classifier()
    model.fit(X[:rows], y[:rows], batch_size=batch_size, epochs=2, verbose=0)
    assert model.optimizer.iterations == 2 * steps


def test_a_batch_has_32_rows_unless_told():
    default, told = classifier(), classifier()
    default.fit(X, y, verbose=0)
    told.fit(X, y, batch_size=32, verbose=0)
    assert same_weights(default, told)
    assert default.optimizer.iterations == 2


def test_no_epochs_train_nothing():
    model = classifier()
    before = weights(model)
    assert model.fit(X, y, epochs=0, verbose=0).history == {}
    assert weights(model) == before


def test_initial_epoch_is_where_counting_starts():
    late, early = classifier(), classifier()
    history = late.fit(X, y, initial_epoch=2, epochs=5, verbose=0)
    assert history.epoch == [2, 3, 4]
    early.fit(X, y, epochs=3, verbose=0)
    assert same_weights(late, early)
    assert late.fit(X, y, initial_epoch=5, epochs=5, verbose=0).epoch == []


def test_fit_twice_is_fit_once_for_longer():
    """The optimizer's state and steps go on, and so do the row orders and the dropout masks."""
    twice, once = classifier(dropout=0.3), classifier(dropout=0.3)
    for _ in range(2):
        twice.fit(X, y, epochs=2, batch_size=8, verbose=0)
    once.fit(X, y, epochs=4, batch_size=8, verbose=0)
    assert same_weights(twice, once)
    assert twice.optimizer.iterations == once.optimizer.iterations == 20


def test_compile_starts_the_optimizer_anew():
    again, fresh = classifier(), classifier()
    again.fit(X, y, epochs=2, verbose=0)
    again.set_weights(fresh.get_weights())
    again.compile(fd.optimizers.Adam(0.05), "binary_crossentropy")
    assert again.optimizer.iterations == 0
    for model in (again, fresh):
        model.fit(X, y, verbose=0)
    assert same_weights(again, fresh)


def test_compile_again_with_the_same_optimizer_starts_it_anew():
    model, optimizer = classifier(), fd.optimizers.Adam(0.05)
    model.compile(optimizer, "binary_crossentropy")
    model.fit(X, y, verbose=0)
    model.compile(optimizer, "mse")
    assert optimizer.iterations == 0


def test_an_optimizer_trains_one_model():
    shared = fd.optimizers.Adam(0.01)
    model = classifier(shared)
    with pytest.raises(ValueError, match="trains another model already"):
        classifier(shared)
    model.fit(X, y, verbose=0)
    assert shared.iterations == 2


def test_shuffling_takes_a_new_order_every_epoch():
    model = regressor(fd.optimizers.SGD(0.0), metrics=[seen])
    orders.clear()
    model.fit(X, np.arange(40.0), epochs=3, verbose=0)
    assert len({tuple(order) for order in orders}) == 3
    assert all(sorted(order) == list(range(40)) for order in orders)


orders = []


def seen(y_true, y_pred):
    """A metric that notes the targets in the order they were trained on."""
    orders.append(y_true.ravel().tolist())
    return 0.0


def test_without_shuffling_rows_come_as_they_are():
    model = regressor(fd.optimizers.SGD(0.0), metrics=[seen])
    orders.clear()
    model.fit(X, np.arange(40.0), epochs=2, shuffle=False, verbose=0)
    assert orders == [list(range(40))] * 2


@pytest.mark.parametrize(("dropout", "shuffle"), [(0.0, True), (0.5, False)])
def test_same_seed_same_bits(dropout, shuffle):
    """The seed decides the row orders, or the masks, not the first weights alone."""
    first, second, other = (classifier(dropout=dropout, seed=seed) for seed in (1, 1, 2))
    second.set_weights(first.get_weights())
    other.set_weights(first.get_weights())
    for model in (first, second, other):
        model.fit(X, y, epochs=3, batch_size=8, shuffle=shuffle, verbose=0)
    assert same_weights(first, second)
    assert not same_weights(first, other)


def test_float64():
    model = classifier(dtype="float64", metrics=["accuracy"])
    history = model.fit(X, y, epochs=30, batch_size=8, verbose=0).history
    assert model.predict(X).dtype == np.float64
    assert {array.dtype.name for array in model.get_weights()} == {"float64"}
    assert history["loss"][-1] < history["loss"][0]
    assert_within(model.evaluate(X, y, verbose=0)[0], cross_entropy(model, X, y), 1e-14)


def test_the_reference_engine_runs_the_same_script():
    models = [classifier(dropout=0.3, metrics=["accuracy"], dtype="float64", engine=e) for e in ENGINES]
    rows = {"sample_weight": np.linspace(0.5, 2, 40), "class_weight": {1: 2.0}, "validation_split": 0.25}
    one, other = (m.fit(X, y, epochs=2, batch_size=7, verbose=0, **rows).history for m in models)
    assert list(one) == list(other)
    for name in one:
        assert_within(one[name], other[name], 1e-12, name)
    for found, wanted in zip(*(m.get_weights() for m in models), strict=True):
        assert_within(found, wanted, 1e-12)
    assert_within(*(m.evaluate(X, y, verbose=0) for m in models), 1e-12)


ENGINES = ("array", "reference")


def test_a_listener_to_steps_changes_no_bit():
    """Nor do metrics: an epoch in one piece and step by step is the same epoch."""
    plain, heard, measured = (
        classifier(dropout=0.3),
        *(classifier(dropout=0.3, metrics=["mse"]) for _ in "ab"),
    )
    histories = [
        model.fit(X, y, epochs=3, batch_size=7, verbose=0, callbacks=callbacks).history
        for model, callbacks in ((plain, []), (heard, [Listening()]), (measured, []))
    ]
    assert same_weights(plain, heard)
    assert same_weights(plain, measured)
    assert histories[0]["loss"] == histories[1]["loss"]
    assert histories[1] == histories[2]


def test_weights_set_in_a_callback_are_trained_on():
    zeros = [np.zeros_like(array) for array in classifier().get_weights()]
    model, fresh = (classifier(fd.optimizers.SGD(0.1)) for _ in range(2))
    back = LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 1 and model.set_weights(zeros))
    model.fit(X, y, epochs=2, shuffle=False, verbose=0, callbacks=back)
    fresh.set_weights(zeros)
    fresh.fit(X, y, shuffle=False, verbose=0)
    assert same_weights(model, fresh)


def test_setting_weights_keeps_the_optimizers_state():
    """Setting the very weights that are there changes nothing at all."""
    model, plain = classifier(), classifier()
    same = LambdaCallback(on_epoch_end=lambda epoch, logs: model.set_weights(model.get_weights()))
    model.fit(X, y, epochs=3, verbose=0, callbacks=[same])
    plain.fit(X, y, epochs=3, verbose=0)
    assert same_weights(model, plain)


def test_a_rate_set_between_steps_is_used():
    model, slow = sgd(), sgd()

    def stop_learning(batch, logs):
        model.optimizer.learning_rate = 0.0

    model.fit(
        X,
        y,
        batch_size=8,
        shuffle=False,
        verbose=0,
        callbacks=LambdaCallback(on_train_batch_end=stop_learning),
    )
    slow.train_on_batch(X[:8], y[:8])
    assert same_weights(model, slow)


def test_a_rate_set_between_epochs_is_used():
    model, plain = sgd(), sgd()
    model.fit(X, y, epochs=4, verbose=0, callbacks=LambdaCallback(on_epoch_end=lambda e, logs: freeze(model)))
    plain.fit(X, y, epochs=1, verbose=0)
    assert same_weights(model, plain)


def freeze(model):
    model.optimizer.learning_rate = 0.0


def test_an_epoch_that_is_stopped_measures_the_rows_it_took():
    model, plain = (classifier(fd.optimizers.SGD(0.1), metrics=["mae"]) for _ in range(2))

    def stop(batch, logs):
        model.stop_training = batch == 1

    fit = {"batch_size": 8, "shuffle": False, "verbose": 0}
    found = model.fit(X, y, callbacks=LambdaCallback(on_train_batch_end=stop), **fit).history
    assert found == plain.fit(X[:16], y[:16], **fit).history


def test_stop_training_after_a_step_and_after_an_epoch():
    model = classifier()

    def stop(at):
        def hook(number, logs):
            model.stop_training = number == at

        return hook

    history = model.fit(X, y, epochs=9, verbose=0, callbacks=LambdaCallback(on_epoch_end=stop(2)))
    assert history.epoch == [0, 1, 2]
    before = model.optimizer.iterations
    by_step = LambdaCallback(on_train_batch_end=stop(3))
    history = model.fit(X, y, batch_size=4, epochs=9, validation_split=0.2, verbose=0, callbacks=by_step)
    assert model.optimizer.iterations == before + 4
    assert {name: len(numbers) for name, numbers in history.history.items()} == {"loss": 1, "val_loss": 1}
    model.fit(X, y, epochs=2, verbose=0)
    assert model.optimizer.iterations == before + 4 + 4


def test_prediction_in_a_callback_sees_the_step_just_taken():
    model, seen = sgd(), []
    look = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(model.predict(X[:1])))
    model.fit(X, y, batch_size=8, shuffle=False, verbose=0, callbacks=look)
    other = sgd()
    for i, found in enumerate(seen):
        other.train_on_batch(X[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8])
        assert_identical(found, other.predict(X[:1]), f"after step {i}")
    assert len(seen) == 5


def test_measuring_in_a_callback_disturbs_nothing():
    accuracy = [fd.metrics.BinaryAccuracy(name="a")]
    watched, plain = classifier(metrics=accuracy), classifier(metrics=["accuracy"])
    look = LambdaCallback(on_train_batch_end=lambda batch, logs: watched.evaluate(X[:3], y[:3], verbose=0))
    seen = watched.fit(X, y, batch_size=8, epochs=2, verbose=0, callbacks=look).history
    assert seen["a"] == plain.fit(X, y, batch_size=8, epochs=2, verbose=0).history["accuracy"]
    assert same_weights(watched, plain)
