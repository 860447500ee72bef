"""Backups that do not fit: refused by an error that names the file and the field, with nothing changed."""

from __future__ import annotations

import contextlib
import copy
import random
from collections import Counter

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from fastdense.core import files
from fastdense.errors import FormatError
from tests.training.networks import binary, same_weights, weights

X, y = binary()


def network(seed=3, rate=0.01):
    layers = [
        fd.Input((3,)),
        fd.Normalization(),
        fd.Dense(4, "tanh"),
        fd.Dropout(0.2),
        fd.Dense(1, "sigmoid"),
    ]
    model = fd.Sequential(layers, seed=seed)
    model.compile(fd.optimizers.Adam(rate), "binary_crossentropy", metrics=["mae", "accuracy"])
    return model


def callbacks(folder):
    return [
        EarlyStopping(patience=3, restore_best_weights=True),
        ReduceLROnPlateau(),
        ModelCheckpoint(folder / "best.safetensors", save_best_only=True),
        CSVLogger(folder / "log.csv"),
        LambdaCallback(),
    ]


def fit(model, folder, others, epochs=2):
    keep = BackupAndRestore(folder / "backup", delete_checkpoint=False)
    rows = {"validation_split": 0.25, "batch_size": 10, "verbose": 0}
    return model.fit(X, y, epochs=epochs, callbacks=[*others, keep], **rows)


@pytest.fixture
def run(tmp_path):
    """Return the folder of a run of two epochs, its backup, and what is in that."""
    fit(network(), tmp_path, callbacks(tmp_path))
    path = tmp_path / "backup" / "backup.safetensors"
    return tmp_path, path, *files.read(path)


def everything(model, others):
    """Return what a run could change, to compare."""
    slots = {name: array.tobytes() for name, array in model.slot_arrays().items()}
    optimizer = model.optimizer
    of_callbacks = [
        {name: value for name, value in vars(each).items() if name not in ("model", "params")}
        for each in others
    ]
    numbers = (
        optimizer.iterations,
        optimizer.learning_rate,
        model.seed,
        model.stop_training,
        model.next_epoch,
    )
    return weights(model), slots, numbers, repr(of_callbacks), model.history, model.predict(X).tobytes()


def refuses(run, description, arrays, match, model=None):
    """Check that a backup is refused, by its file and its field, and that nothing is changed."""
    folder, path, _, _ = run
    files.write(path, description, arrays)
    model, others = model or network(), callbacks(folder)
    log = (folder / "log.csv").read_bytes()
    before = everything(model, others)
    with pytest.raises(FormatError, match=match) as caught:
        fit(model, folder, others)
    assert str(path) in str(caught.value)
    assert everything(model, others) == before
    assert (folder / "log.csv").read_bytes() == log


FIELDS = [
    ("next_epoch", 0, "next_epoch must be at least 1"),
    ("next_epoch", 7, r"History.*next_epoch is 7, but the epochs are \[0 1\]"),
    ("next_epoch", 2.0, "next_epoch must be a whole number"),
    ("next_epoch", True, "next_epoch must be a whole number"),
    ("iterations", 2**64, "iterations must be from 0 to"),
    ("iterations", 5, "iterations is 5, but the last epoch ends at step 6"),
    ("iterations", None, "iterations must be a whole number"),
    ("stop_training", 1, "stop_training must be True or False"),
    ("seed", None, "seed must be a whole number"),
    ("seed", -1, "seed must be from 0"),
    ("learning_rate", None, "learning_rate is None, the optimizer's 0.01"),
    ("learning_rate", "fast", "learning_rate must be a number"),
    ("learning_rate", -0.5, "learning_rate must be finite and at least 0"),
    ("model", 3, "another model"),
    ("callbacks", ["History"], "start with the same ones"),
    ("extra", 1, "the fields extra are missing or unknown"),
]


@pytest.mark.parametrize(("name", "value", "message"), FIELDS)
def test_a_field_that_is_not_of_this_run(name, value, message, run):
    _, _, description, arrays = run
    refuses(run, {**description, name: value}, arrays, message)


@pytest.mark.parametrize("name", ["next_epoch", "seed", "learning_rate", "callbacks"])
def test_a_field_that_is_missing(name, run):
    _, _, description, arrays = run
    refuses(run, {key: value for key, value in description.items() if key != name}, arrays, name)


ARRAYS = [
    ("weights/3", lambda a: a[:1], "weights is not of this run: 3 should be float32 of shape"),
    ("weights/3", lambda a: a.astype(np.float64), "3 should be float32"),
    ("weights/3", lambda a: a * np.nan, "3 must be finite"),
    ("weights/1", lambda a: a - 1e9, "variances finite and not negative"),
    ("slots/1/m", lambda a: a + np.inf, "slots/1/m must be finite"),
    ("slots/0/v", lambda a: a - 1, "slots/0/v holds squares"),
    ("slots/0/v", lambda a: a.T, "slots/0/v should be float32 of shape"),
    ("callbacks/0/best", lambda a: a * np.nan, r"callbacks/0 \(EarlyStopping\) .*best must be a number"),
    ("callbacks/0/wait", lambda a: a - 9, "wait must be a whole number from 0 up, got int64 -"),
    ("callbacks/0/best_epoch", lambda a: a.astype(float), "best_epoch must be a whole number"),
    ("callbacks/0/weights/3", lambda a: a[:, :0], "3 should be"),
    ("callbacks/0/weights/4", lambda a: a + np.inf, r"callbacks/0 \(EarlyStopping\) .*4 must be finite"),
    ("callbacks/0/weights/1", lambda a: a - 1e9, r"callbacks/0 \(EarlyStopping\) .*variances finite"),
    ("callbacks/1/cooling", lambda a: a.reshape(1), "cooling must be a whole number"),
    ("callbacks/3/size", lambda a: a - 10**6, r"callbacks/3 \(CSVLogger\) .*size must be"),
    ("callbacks/5/epoch", lambda a: a[::-1].copy(), "epoch must be numbers one after another"),
    ("callbacks/5/begun", lambda a: a[:1], "one entry per epoch"),
    ("callbacks/5/seconds", lambda a: a - 1e9, "seconds must be finite numbers from 0 up"),
    ("callbacks/5/history/0/loss", lambda a: np.tile(a, 2), "history/0/loss must be up to 2 numbers"),
]


@pytest.mark.parametrize(("name", "change", "message"), ARRAYS)
def test_an_array_that_is_not_of_this_run(name, change, message, run):
    _, _, description, arrays = run
    refuses(run, description, {**arrays, name: change(arrays[name])}, message)


def test_arrays_that_are_missing_or_unknown(run):
    _, _, description, arrays = run
    last = max(name for name in arrays if "/history/" in name)  # without it the history is a shorter one
    for name in set(arrays) - {last}:
        rest = {key: array for key, array in arrays.items() if key != name}
        refuses(run, description, rest, "missing|steps but|numbered")
    for name in (
        "weights/99",
        "slots/0/w",
        "callbacks/4/x",
        "callbacks/9/x",
        "more",
        "callbacks/5/history/9/x",
    ):
        refuses(run, description, {**arrays, name: np.zeros(2)}, "unknown|neither|no state|numbered")


def edited(rng, description, arrays):
    """Return a description and arrays with one to three changes."""
    description, arrays = copy.deepcopy(description), dict(arrays)
    odd = [None, True, 0, 1, 2, -1, 3.5, 1e300, 2**63, 2**64, "", "text", [], {}, ["History"]]
    for _ in range(rng.choice((1, 1, 2, 3))):
        if rng.random() < 0.4:
            name = rng.choice(sorted(description))
            description[name] = rng.choice(odd)
            continue
        name = rng.choice(sorted(arrays))
        array = arrays.pop(name)
        match rng.randrange(7):
            case 0:
                arrays[rng.choice((name + "0", name.replace("/", "/9", 1), "x", name.upper()))] = array
            case 1:
                arrays[name] = array.reshape(-1)[: rng.randrange(array.size + 1)]
            case 2:
                arrays[name] = array.astype(rng.choice(("float32", "float64", "int32", "int64")))
            case 3:
                arrays[name] = array * rng.choice((-1, 0, 3))
            case 4 if array.dtype.kind == "f":
                arrays[name] = array + array.dtype.type(rng.choice((np.nan, np.inf, -np.inf, 1e30)))
            case 5:
                arrays[name] = array[np.newaxis]
            case _:
                arrays[rng.choice(sorted(arrays))] = array
    return description, arrays


def test_edited_backups_are_taken_up_or_refused_and_change_nothing(run, monkeypatch):
    folder, path, description, arrays = run
    rng, outcomes, outcome = random.Random(1), Counter(), None
    (folder / "log.csv").unlink()  # which a backup of another length would shorten
    monkeypatch.setattr("os.fsync", lambda file: None)
    for number in range(300):
        with contextlib.suppress(ValueError, TypeError):  # of edits that make no file
            files.write(path, *edited(rng, description, arrays))
        if outcome is None:
            model, others = network(), callbacks(folder)
            before = everything(model, others)
        outcome = attempt(model, folder, others)
        outcomes["taken up" if outcome is None else "refused"] += 1
        if outcome is not None:
            assert str(path) in outcome, number
            assert everything(model, others) == before, f"edit {number}: {outcome}"
    assert outcomes["refused"] > 200
    assert outcomes["taken up"] > 10


def attempt(model, folder, others):
    """Return why a run is refused its backup, None if it is not."""
    try:
        fit(model, folder, others)
    except FormatError as error:
        return str(error)
    return None


def test_a_seed_that_was_given_is_not_overridden(run):
    _, _, description, arrays = run
    refuses(run, description, arrays, "made with seed=3, but the model was given seed=4", network(seed=4))
    late = network(seed=None)
    late.seed = 5
    refuses(run, description, arrays, "made with seed=3, but the model was given seed=5", late)
    drawn = network(seed=None)
    fit(drawn, run[0], callbacks(run[0]))
    assert drawn.seed == 3
    fit(network(), run[0], callbacks(run[0]))


def test_a_schedule_is_not_replaced_by_a_number(tmp_path):
    fit(network(), tmp_path, [])
    path = tmp_path / "backup" / "backup.safetensors"
    decaying = network(rate=fd.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    assert "learning_rate is 0.01, the optimizer's Exp" in attempt(decaying, tmp_path, [])
    description, arrays = files.read(path)
    files.write(path, {**description, "learning_rate": None}, arrays)
    assert attempt(decaying, tmp_path, []) is None


def test_the_history_keeps_its_order(tmp_path):
    first = fit(network(), tmp_path, [])
    again = fit(network(), tmp_path, [], epochs=3)
    names = ["loss", "mae", "accuracy", "val_loss", "val_mae", "val_accuracy"]
    assert list(first.history) == list(again.history) == names
    assert again.epoch == [0, 1, 2]


class Stubborn(Callback):
    """A user's callback that changes before it fails, and checks nothing."""

    def __init__(self, error):
        self.seen, self.error = 0, error

    def get_state(self):
        return {"seen": np.array(self.seen)}

    def set_state(self, state):
        self.seen = 99
        raise self.error


@pytest.mark.parametrize("error", [KeyError("seen"), RuntimeError("no"), ZeroDivisionError()])
def test_a_callback_that_does_not_take_its_state_loses_nothing(error, tmp_path):
    def others():
        return [
            EarlyStopping(restore_best_weights=True, patience=5),
            Stubborn(error),
            CSVLogger(tmp_path / "log.csv"),
        ]

    fit(network(), tmp_path, others())
    with (tmp_path / "log.csv").open("a") as file:
        file.write("a row that the backup does not know\n")
    log = (tmp_path / "log.csv").read_bytes()
    model, mine = network(), others()
    before = weights(model)
    with pytest.raises(FormatError, match=r"callbacks/1 \(Stubborn\) is not of this run"):
        fit(model, tmp_path, mine)
    assert (weights(model), model.optimizer.iterations, mine[1].seen, mine[0].best_weights) == (
        before,
        0,
        0,
        None,
    )
    assert (tmp_path / "log.csv").read_bytes() == log
    assert same_weights(model, network())
