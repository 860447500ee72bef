"""Values as the code that makes them."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

import fastdense as fd
from fastdense.training.writing import written

NAMES = {
    **vars(fd.callbacks),
    **vars(fd.optimizers),
    **vars(fd.optimizers.schedules),
    **vars(fd.metrics),
    "Path": Path,
}


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -2.5, float("inf"), "it's", [1, (2,)], (1, 2), {0: 1.5, "a": None}, [], ()],
    ids=repr,
)
def test_plain_values_are_read_back(value):
    assert eval(written(value)) == value


def test_numbers_of_numpy_are_numbers():
    assert written({np.int64(0): np.float64(0.25)}) == "{0: 0.25}"
    assert written([np.bool_(True), np.float32(0.5), np.str_("a")]) == "[True, 0.5, 'a']"


@pytest.mark.parametrize(
    "value",
    [
        fd.optimizers.AdamW(fd.optimizers.schedules.CosineDecay(0.1, 30), clipnorm=1.0),
        fd.metrics.AUC(name="area"),
        fd.callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True),
        fd.callbacks.CSVLogger("log.csv", append=True),
        fd.callbacks.ModelCheckpoint(Path("m.safetensors"), "loss"),
        fd.callbacks.TerminateOnNaN(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_are_read_back(value):
    again = eval(written(value), NAMES)
    assert type(again) is type(value)
    assert written(again) == written(value)


def test_functions_go_by_their_names():
    def halved(epoch, rate):
        return rate / 2

    assert written(fd.callbacks.LearningRateScheduler(halved)) == "LearningRateScheduler(schedule=halved)"
    assert written(fd.optimizers.SGD(halved)) == "SGD(learning_rate=halved)"
    assert written(len) == "len"


class Kept(fd.callbacks.Callback):
    def __init__(self, ratio, rows=None, limit=0.0):
        self._ratio, self.rows, self.limit = ratio, rows, limit


class Open(fd.callbacks.Callback):
    def __init__(self, ratio, rows=None, limit=0.0):
        self.ratio, self.rows, self.limit = ratio, rows, limit


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (lambda x: x, "..."),
        (functools.partial(print, 1), "..."),
        (np.ones(3), "..."),
        (object(), "..."),
        (fd.callbacks.LearningRateScheduler(lambda e, r: r), "LearningRateScheduler(schedule=...)"),
        (fd.optimizers.SGD(lambda step: 0.1), "SGD(learning_rate=...)"),
        (Kept(0.5), "Kept(...)"),
        (Open(0.5, np.ones(2)), "Open(ratio=0.5, rows=...)"),
        (Open(0.5, limit=1.0), "Open(ratio=0.5, limit=1.0)"),
    ],
)
def test_what_no_code_makes_is_left_out(value, expected):
    assert written(value) == expected
