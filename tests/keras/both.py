"""The same network in Keras and here, from the same weights; importing this skips where Keras is not installed."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

import fastdense
from tests.compare import assert_within

os.environ["KERAS_BACKEND"] = "jax"
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # theirs, of their own dependencies
    pytest.importorskip("jax")
    keras = pytest.importorskip("keras")

__all__ = ["LIBRARIES", "TOLERANCE", "assert_close", "assert_same_training", "fit_both", "keras", "pair"]

LIBRARIES = (keras, fastdense)
# Relative, for every epoch's loss in float32: some hundred roundings of 6e-8 and the growth of their effect
# over 20 epochs stay below it, a constant that is a thousandth off does not.
TOLERANCE = 1e-4


def pair(layers):
    """Return Keras' model and ours; ``layers`` makes a library's own, and ours starts from Keras' weights."""
    keras.utils.set_random_seed(0)
    theirs, ours = (lib.Sequential(layers(lib)) for lib in LIBRARIES)
    ours.set_weights(theirs.get_weights())
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
    assert len(set(ours["loss"])) > 1, "nothing was learned, so nothing was compared"
    for name, values in theirs.items():
        assert_close(ours[name], values, what=name)
