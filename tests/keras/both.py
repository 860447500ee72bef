"""The same network in Keras and here, from the same weights; skips who imports it where there is no Keras."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

import fastdense
from tests.compare import assert_within

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # of these short runs compiling is the longer part
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # theirs, of their own dependencies
    pytest.importorskip("jax")
    keras = pytest.importorskip("keras")

__all__ = [
    "LIBRARIES",
    "TOLERANCE",
    "UNCOMPILED",
    "assert_close",
    "assert_same_training",
    "converting",
    "fit_both",
    "keras",
    "pair",
    "weights_of",
]

LIBRARIES = (keras, fastdense)
# What compile is given for a run of a few batches, of which JAX's compiling would be the longer part.
UNCOMPILED = {keras: {"run_eagerly": True}, fastdense: {}}
# Relative, for every epoch's numbers in float32.
TOLERANCE = 1e-4
# Training must move the loss by this share of it: 300 times the tolerance, so that a rate which is half a
# percent off would not pass.
MOVED = 0.03


@contextmanager
def converting():
    """Silence the one warning that Keras' own conversion of its variables to NumPy raises."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


def weights_of(owner):
    """Return a model's or layer's weights."""
    with converting():
        return owner.get_weights()


def pair(layers):
    """Return Keras' model and ours; ``layers`` makes a library's own, and ours starts from Keras' weights."""
    keras.utils.clear_session()  # or a second Precision() is called precision_1
    keras.utils.set_random_seed(0)
    theirs, ours = (lib.Sequential(layers(lib)) for lib in LIBRARIES)
    ours.set_weights(weights_of(theirs))
    return theirs, ours


def fit_both(layers, compiled, X, y, **fit):
    """Return both histories; ``compiled`` gives a library's arguments of compile."""
    histories = []
    for lib, model in zip(LIBRARIES, pair(layers), strict=True):
        model.compile(**compiled(lib))
        arguments = {"epochs": 20, "batch_size": 32, "shuffle": False, "verbose": 0, **fit}
        histories.append(model.fit(X, y, **arguments).history)
    return histories


def assert_close(ours, theirs, tolerance=TOLERANCE, what=""):
    """Assert numbers within a relative tolerance."""
    wanted = np.asarray(theirs, dtype=np.float64)
    assert_within(np.asarray(ours, dtype=np.float64), wanted, tolerance * np.abs(wanted), what)


def assert_same_training(layers, compiled, X, y, **fit):
    """Assert that both report the same numbers after every epoch, and that these change."""
    theirs, ours = fit_both(layers, compiled, X, y, **fit)
    assert set(ours) == set(theirs)
    assert abs(ours["loss"][-1] - ours["loss"][0]) > MOVED * ours["loss"][0], "too little training to compare"
    for name, values in theirs.items():
        assert_close(ours[name], values, what=name)
