"""Inputs of every kind that holds numbers train the same network, and none is ever modified."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.compare import assert_identical, assert_within
from tests.training.networks import classifier, same_weights, softmax

# Values that every dtype below holds exactly.
rng = np.random.default_rng(5)
PLAIN_X = rng.integers(0, 2, size=(24, 3)).astype(np.float32)
PLAIN_Y = np.array([0, 1, 1, 0] * 6, dtype=np.float32)
PLAIN_WEIGHTS = np.array([1, 2, 3] * 8, dtype=np.float32)
FOREIGN = ">" if sys.byteorder == "little" else "<"


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def sliced(array):
    """Return the same values with others between them."""
    spread = np.zeros([2 * n for n in array.shape], dtype=array.dtype)
    view = spread[::2] if array.ndim == 1 else spread[::2, ::2]
    view[...] = array
    return view


def memory_mapped(array):
    """Return a read-only map of a file that holds the array."""
    path = (
        Path(memory_mapped.folder) / f"{array.ndim}-{array.dtype}-{len(list(memory_mapped.folder.iterdir()))}"
    )
    array.tofile(path)
    return np.memmap(path, dtype=array.dtype, mode="r", shape=array.shape)


@pytest.fixture(autouse=True)
def _folder(tmp_path):
    memory_mapped.folder = tmp_path


KINDS = {
    "float64": lambda a: a.astype(np.float64),
    "float16": lambda a: a.astype(np.float16),
    "longdouble": lambda a: a.astype(np.longdouble),
    "int64": lambda a: a.astype(np.int64),
    "uint8": lambda a: a.astype(np.uint8),
    "foreign byte order": lambda a: a.astype(f"{FOREIGN}f4"),
    "foreign integers": lambda a: a.astype(f"{FOREIGN}i2"),
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "sliced": sliced,
    "backwards": lambda a: a[::-1].copy()[::-1],
    "memory-mapped": memory_mapped,
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a.tolist())) if a.ndim == 2 else tuple(a.tolist()),
    "pandas": lambda a: pd.DataFrame(a) if a.ndim == 2 else pd.Series(a, index=range(100, 124)),
    "polars": lambda a: pl.DataFrame(a) if a.ndim == 2 else pl.Series(a),
}


def trained(X, y, sample_weight, dtype="float32"):
    """Return a network after two epochs and a test on the same data."""
    model = classifier(metrics=["accuracy"], weighted_metrics=["mse"], dtype=dtype)
    model.fit(X, y, epochs=2, batch_size=7, verbose=0, sample_weight=sample_weight, validation_data=(X, y))
    return model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_trains_the_same_network(kind, dtype):
    plain = tuple(array.astype(dtype) for array in (PLAIN_X, PLAIN_Y, PLAIN_WEIGHTS))
    given = tuple(KINDS[kind](array) for array in (PLAIN_X, PLAIN_Y, PLAIN_WEIGHTS))
    one, other = trained(*plain, dtype=dtype), trained(*given, dtype=dtype)
    assert same_weights(one, other)
    X, y, weights = given
    assert_within(other.predict(X), one.predict(plain[0]), 1e-6)
    found = other.evaluate(X, y, sample_weight=weights, verbose=0)
    assert_within(found, one.evaluate(plain[0], plain[1], sample_weight=plain[2], verbose=0), 1e-6)
    assert other.optimizer.iterations == 8


def test_booleans_are_0_and_1():
    one, other = trained(PLAIN_X, PLAIN_Y, PLAIN_Y), trained(PLAIN_X > 0, PLAIN_Y > 0, PLAIN_Y > 0)
    assert same_weights(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_class_numbers_of_every_kind(kind):
    numbers = np.arange(24) % 3
    one, other = softmax(), softmax()
    one.fit(PLAIN_X, numbers, verbose=0)
    other.fit(PLAIN_X, KINDS[kind](numbers), verbose=0)
    assert same_weights(one, other)


@pytest.mark.parametrize("shape", [(24,), (24, 1)])
def test_targets_of_one_output_are_a_vector_or_a_column(shape):
    one, other = trained(PLAIN_X, PLAIN_Y, None), trained(PLAIN_X, PLAIN_Y.reshape(shape), None)
    assert same_weights(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32"])
def test_inputs_are_never_modified(dtype):
    arrays = [array.astype(dtype) for array in (PLAIN_X, PLAIN_Y, PLAIN_WEIGHTS)]
    before = [array.copy() for array in arrays]
    X, y, own = arrays
    for model in (classifier(dropout=0.5), classifier(dtype="float64")):
        model.fit(X, y, epochs=2, sample_weight=own, class_weight={0: 3.0}, validation_split=0.3, verbose=0)
        model.train_on_batch(X, y, sample_weight=own, class_weight={1: 2.0})
        model.evaluate(X, y, sample_weight=own, verbose=0)
        model.predict(X)
    for array, copy in zip(arrays, before, strict=True):
        assert_identical(array, copy)


def test_a_trained_model_holds_no_view_of_the_data():
    """What is changed after fit has returned changes no result."""
    X, y = PLAIN_X.copy(), PLAIN_Y.copy()
    model, other = (trained(a, b, None) for a, b in ((X, y), (PLAIN_X, PLAIN_Y)))
    X[:], y[:] = 9.0, 0.0
    for network in (model, other):
        network.fit(PLAIN_X, PLAIN_Y, verbose=0)
    assert same_weights(model, other)
