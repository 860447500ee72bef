"""Every class of Keras' rooms is here, or is refused with what to do instead."""

from __future__ import annotations

import inspect

import pytest

import fastdense
from tests.keras.both import keras

FUNCTIONS = ("stft", "orthogonal", "identity", "orthogonal_regularizer")  # second names, as of a function
ROOMS = ["layers", "callbacks", "metrics", "losses", "initializers", "regularizers", "optimizers"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_class_is_here_or_says_why_not(room):
    theirs, ours = getattr(keras, room), getattr(fastdense, room)
    names = [name for name, value in vars(theirs).items() if inspect.isclass(value)]
    assert len(names) > 3
    assert [name for name in names if name not in FUNCTIONS and not hasattr(ours, name)] == []


def test_schedules():
    names = {name for name, value in vars(keras.optimizers.schedules).items() if inspect.isclass(value)}
    assert names <= set(fastdense.optimizers.schedules.__all__)
