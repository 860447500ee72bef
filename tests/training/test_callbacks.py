"""The callbacks that note, log or set something, and the order in which hooks are called."""

import csv
import functools
import math

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import (
    Callback,
    CSVLogger,
    History,
    LambdaCallback,
    LearningRateScheduler,
)
from tests.training.networks import binary, classifier, regressor, same_weights

X, y = binary()


class Spoken(Callback):
    """Notes every hook that is called, with its number and what its logs hold."""

    def __init__(self, heard):
        self.heard = heard

    def on_train_begin(self, logs=None):
        self.heard.append(("train begins", dict(logs)))

    def on_train_end(self, logs=None):
        self.heard.append(("train ends", dict(logs)))

    def on_epoch_begin(self, epoch, logs=None):
        self.heard.append((f"epoch {epoch} begins", dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.heard.append((f"epoch {epoch} ends", dict(logs)))

    def on_train_batch_begin(self, batch, logs=None):
        self.heard.append((f"step {batch} begins", dict(logs)))

    def on_train_batch_end(self, batch, logs=None):
        self.heard.append((f"step {batch} ends", dict(logs)))


def test_hooks_in_order():
    heard = []
    classifier().fit(X, y, batch_size=20, epochs=2, validation_split=0.25, verbose=0, callbacks=Spoken(heard))
    epoch = ["step 0 begins", "step 0 ends", "step 1 begins", "step 1 ends"]
    assert [hook for hook, _ in heard] == [
        "train begins",
        *("epoch 0 begins", *epoch, "epoch 0 ends"),
        *("epoch 1 begins", *epoch, "epoch 1 ends"),
        "train ends",
    ]
    logs = dict(heard)
    assert list(logs["step 1 ends"]) == ["loss"]
    assert list(logs["epoch 1 ends"]) == ["loss", "val_loss"]
    assert logs["step 1 ends"]["loss"] == logs["epoch 1 ends"]["loss"], "both are the mean of all the rows"


def test_functions_hear_what_a_class_does():
    heard = []

    def say(hook):
        return lambda *arguments: heard.append((hook, *arguments[:-1]))

    hooks = ("epoch_begin", "epoch_end", "train_begin", "train_end", "train_batch_begin", "train_batch_end")
    callback = LambdaCallback(**{f"on_{hook}": say(hook) for hook in hooks})
    classifier().fit(X, y, initial_epoch=4, epochs=5, verbose=0, callbacks=[callback])
    assert heard == [
        ("train_begin",),
        ("epoch_begin", 4),
        *(("train_batch_begin", 0), ("train_batch_end", 0), ("train_batch_begin", 1), ("train_batch_end", 1)),
        ("epoch_end", 4),
        ("train_end",),
    ]


def test_functions_are_functions():
    with pytest.raises(TypeError, match="on_epoch_end must be a function, got 'print'"):
        LambdaCallback(on_epoch_end="print")


def test_callbacks_are_called_in_the_order_given():
    said = []
    names = [LambdaCallback(on_epoch_end=lambda epoch, logs, name=name: said.append(name)) for name in "abc"]
    classifier().fit(X, y, verbose=0, callbacks=names)
    assert said == ["a", "b", "c"]


def test_what_a_callback_is_told():
    told = []
    look = LambdaCallback(on_train_begin=lambda logs: told.append((look.model, look.params)))
    model = classifier()
    model.fit(X, y, batch_size=16, epochs=2, verbose=0, callbacks=look)
    assert told == [(model, {"epochs": 2, "steps": 3, "verbose": 0})]


def test_an_error_in_a_callback_is_the_users_to_see():
    model, ended = classifier(), []

    def fail(epoch, logs):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        model.fit(X, y, verbose=0, callbacks=LambdaCallback(on_epoch_end=fail, on_train_end=ended.append))
    assert ended == []
    assert model.optimizer.iterations == 2


def test_one_history_may_be_given_too():
    own = History()
    returned = classifier().fit(X, y, epochs=2, verbose=0, callbacks=[own])
    assert own.history == returned.history
    assert repr(returned).startswith("<History of 2 epochs, last: {'loss': ")


def test_a_number_added_to_the_logs_is_in_the_history():
    add = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(twice=2.0 * epoch))
    assert classifier().fit(X, y, epochs=3, verbose=0, callbacks=add).history["twice"] == [0.0, 2.0, 4.0]


def test_a_rate_by_epoch():
    model, rates = regressor(fd.optimizers.SGD(0.1)), []
    schedule = LearningRateScheduler(lambda epoch, rate: rates.append((epoch, rate)) or 0.1 / 2**epoch)
    history = model.fit(X, y, epochs=3, verbose=0, callbacks=schedule).history
    assert history["learning_rate"] == [0.1, 0.05, 0.025]
    assert rates == [(0, 0.1), (1, 0.1), (2, 0.05)]
    by_hand = regressor(fd.optimizers.SGD(0.1))
    for rate in history["learning_rate"]:
        by_hand.optimizer.learning_rate = rate
        by_hand.fit(X, y, verbose=0)
    assert same_weights(model, by_hand)


@pytest.mark.parametrize(
    "schedule",
    [lambda epoch: 0.1 / 2**epoch, lambda epoch, **_: 0.1 / 2**epoch, functools.partial(math.pow, 0.5)],
    ids=["lambda", "keywords", "partial"],
)
def test_a_rate_of_the_epoch_alone(schedule):
    rates = (
        classifier()
        .fit(X, y, epochs=3, verbose=0, callbacks=LearningRateScheduler(schedule))
        .history["learning_rate"]
    )
    assert rates == [schedule(epoch) for epoch in range(3)]


def test_an_error_in_a_schedule_is_the_users_to_see():
    def broken(epoch, rate):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        classifier().fit(X, y, verbose=0, callbacks=LearningRateScheduler(broken))


@pytest.mark.parametrize("schedule", [0.1, lambda: 0.1, lambda epoch, rate, more: 0.1])
def test_a_schedule_is_a_function_of_the_epoch(schedule):
    with pytest.raises(TypeError, match="schedule must be a function of the epoch"):
        LearningRateScheduler(schedule)


def test_a_rate_by_epoch_is_told(capsys):
    schedule = LearningRateScheduler(lambda epoch, rate: 0.25, verbose=1)
    classifier().fit(X, y, epochs=2, verbose=0, callbacks=schedule)
    assert capsys.readouterr().out == "Epoch 1: learning rate 0.25\nEpoch 2: learning rate 0.25\n"


@pytest.mark.parametrize(
    ("rate", "kind"), [(-1.0, ValueError), (np.nan, ValueError), (None, TypeError), ("fast", TypeError)]
)
def test_a_rate_by_epoch_must_be_one(rate, kind):
    with pytest.raises(kind, match="what the schedule returned must be"):
        classifier().fit(X, y, verbose=0, callbacks=LearningRateScheduler(lambda epoch, old: rate))


def test_a_rate_has_one_master():
    model = classifier(fd.optimizers.Adam(lambda step: 0.01))
    with pytest.raises(ValueError, match="optimizer's rate is a schedule already"):
        model.fit(X, y, verbose=0, callbacks=LearningRateScheduler(lambda epoch, rate: 0.1))
    assert model.optimizer.iterations == 0


def rows_of(path, **options):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, **options))


def test_a_log_has_every_number_to_its_last_digit(tmp_path):
    log = CSVLogger(tmp_path / "log.csv")
    model = classifier(metrics=["accuracy"])
    history = model.fit(X, y, epochs=3, validation_split=0.25, verbose=0, callbacks=log).history
    head, *rows = rows_of(tmp_path / "log.csv")
    assert head == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    columns = list(zip(*rows, strict=True))
    assert columns[0] == ("0", "1", "2")
    for name, column in zip(head[1:], columns[1:], strict=True):
        assert [float(text) for text in column] == history[name]


def test_a_log_holds_a_row_as_soon_as_its_epoch_ends(tmp_path):
    path, seen = tmp_path / "log.csv", []
    look = LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch and len(rows_of(path))))
    classifier().fit(X, y, epochs=3, verbose=0, callbacks=[CSVLogger(str(path)), look])
    assert seen == [0, 2, 3]


def test_a_new_log_replaces_an_old_one(tmp_path):
    model, log = classifier(), CSVLogger(tmp_path / "log.csv", separator=";")
    for epochs in (3, 2):
        model.fit(X, y, epochs=epochs, verbose=0, callbacks=log)
    rows = rows_of(tmp_path / "log.csv", delimiter=";")
    assert [row[0] for row in rows] == ["epoch", "0", "1"]


def test_a_log_is_appended_to_with_its_own_columns(tmp_path):
    path, model = tmp_path / "log.csv", classifier()
    model.fit(X, y, epochs=1, validation_split=0.25, verbose=0, callbacks=CSVLogger(path))
    model.fit(X, y, epochs=2, verbose=0, callbacks=CSVLogger(path, append=True))
    rows = rows_of(path)
    assert [row[0] for row in rows] == ["epoch", "0", "0", "1"]
    assert {len(row) for row in rows} == {3}
    assert [row[2] for row in rows[2:]] == ["", ""]


@pytest.mark.parametrize("append", [True, False])
def test_appending_to_no_log_begins_one(append, tmp_path):
    path = tmp_path / "log.csv"
    if append:
        path.touch()
    classifier().fit(X, y, verbose=0, callbacks=CSVLogger(path, append=append))
    assert [row[0] for row in rows_of(path)] == ["epoch", "0"]


def test_a_run_that_starts_later_goes_on_with_its_log(tmp_path):
    path, model = tmp_path / "log.csv", classifier()
    model.fit(X, y, epochs=2, verbose=0, callbacks=CSVLogger(path))
    model.fit(X, y, initial_epoch=2, epochs=4, verbose=0, callbacks=CSVLogger(path))
    assert [row[0] for row in rows_of(path)] == ["epoch", "0", "1", "2", "3"]


def test_a_log_in_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        classifier().fit(X, y, verbose=0, callbacks=CSVLogger(tmp_path / "none" / "log.csv"))
