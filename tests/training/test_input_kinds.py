"""Inputs of every kind that holds numbers train the same network, and none is ever modified."""

import sys
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastdense.errors import DtypeError, NonFiniteError
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
    "objects": lambda a: a.astype(object),
    "fractions": lambda a: np.vectorize(Fraction, otypes=[object])(a.astype(int)),
    "list of unlike numbers": lambda a: unlike(a.tolist()),
    "pandas, nullable": lambda a: pandas_of(a, ["Int64", "Float64", "UInt8"]),
    "pandas, all nullable integers": lambda a: pandas_of(a, ["Int64"] * 3),
    "pandas, floats and integers": lambda a: pandas_of(a, ["float32", "float64", "int16"]),
    "pandas, Arrow": lambda a: pandas_of(a, ["int64[pyarrow]", "float[pyarrow]", "double[pyarrow]"]),
    "pandas, objects": lambda a: pandas_of(a, ["object", "float64", "object"]),
    "pandas, two columns of one name": lambda a: pandas_of(a, ["float32", "int8", "float64"], list("aba")),
    "polars, floats and integers": lambda a: polars_of(a, [pl.Float32, pl.Int64, pl.UInt8]),
    "Arrow": lambda a: polars_of(a, [pl.Float32, pl.Int64, pl.Float64]).to_arrow(),
}


def unlike(values):
    """Return a list with its first number as a bool or an int, and the next as NumPy's."""
    first, second, *rest = values
    if isinstance(first, list):
        return [unlike(first), *values[1:]]
    return [int(first), np.float16(second), *rest]


def pandas_of(array, dtypes, names=("a", "b", "c")):
    """Return a frame, or a series, with columns of these dtypes."""
    if array.ndim == 1:
        return pd.Series(array).astype(dtypes[0])
    columns = [pd.Series(column).astype(dtype) for column, dtype in zip(array.T, dtypes, strict=True)]
    return pd.concat(columns, axis=1, keys=names)


def polars_of(array, dtypes):
    """Return a frame, or a series, with columns of these dtypes."""
    if array.ndim == 1:
        return pl.Series(array).cast(dtypes[0])
    return pl.DataFrame([pl.Series(str(i), array[:, i]).cast(dtype) for i, dtype in enumerate(dtypes)])


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


BOOLEANS = {
    "get_dummies": lambda a: pd.get_dummies(
        pd.DataFrame({"x": a[:, 0], "y": np.where(a[:, 1] > 0, "one", "none"), "z": a[:, 2]}), drop_first=True
    )[["x", "y_one", "z"]],
    "nullable": lambda a: pandas_of(a, ["Float64", "boolean", "float64"]),
    "sparse": lambda a: pandas_of(a, ["float64", pd.SparseDtype("bool", fill_value=False), "int64"]),
    "objects": lambda a: pandas_of(a, ["float64", "bool", "int64"]).astype(object),
    "polars": lambda a: polars_of(a, [pl.Float64, pl.Boolean, pl.Int8]),
    "lists": lambda a: [[x, bool(y), int(z)] for x, y, z in a.tolist()],
    "object array": lambda a: np.array([[x, bool(y), np.bool_(z)] for x, y, z in a.tolist()], dtype=object),
}


@pytest.mark.parametrize("kind", BOOLEANS)
def test_booleans_beside_other_numbers(kind):
    """A table of floats and booleans, as one-hot columns make it, is a matrix of numbers."""
    X = PLAIN_X.copy()
    X[:, 0] += np.arange(24, dtype=np.float32) / 8
    one, other = trained(X, PLAIN_Y, None), trained(BOOLEANS[kind](X), pd.Series(PLAIN_Y > 0), None)
    assert same_weights(one, other)


MISSING = {
    "pandas": pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [True, False], "c": [0.5, 1]}),
    "polars": pl.DataFrame({"a": [1.0, None], "b": [True, False], "c": [0.5, 1]}),
    "polars, booleans": pl.DataFrame({"a": [True, None], "b": [True, False], "c": [0.5, 1]}),
}


@pytest.mark.parametrize("kind", MISSING)
def test_what_a_frame_lacks_is_nan(kind):
    model = classifier()
    assert np.isnan(model.predict(MISSING[kind])).ravel().tolist() == [False, True]
    with pytest.raises(NonFiniteError, match="X holds nan at row 1, column 0"):
        model.fit(MISSING[kind], [0, 1], verbose=0)


REFUSED = {
    "text": (pd.DataFrame({"a": [1.0, 2.0], "b": ["1", "2"]}), "column 'b' of X .*'1' at row 0: encode text"),
    "category": (pd.DataFrame({"a": [1.0, 2.0], "b": pd.Categorical(["u", "v"])}), "column 'b' of X .*'u'"),
    "dates": (
        pd.DataFrame({"a": [1.0], "when": pd.to_datetime(["2026-01-01"])}),
        "column 'when' of X.*dates",
    ),
    "polars' text": (pl.DataFrame({"a": [1.0], "b": ["u"]}), "column 'b' of X .*encode text"),
    "polars' dates": (pl.DataFrame({"a": [1.0], "b": [date(2026, 1, 1)]}), "column 'b' of X .*dates"),
    "dates alone": (pl.DataFrame({"a": [date(2026, 1, 1)]}), "column 'a' of X .*dates"),
    "complex": (pd.DataFrame({"a": [1j], "b": [2.0]}), "column 'a' of X .*imaginary"),
    "None": ([[1.0, None, 2.0]], "X must hold real numbers, but there is None at row 0, column 1"),
    "text among numbers": (np.array([[1.0], ["u"]], dtype=object), "there is 'u' at row 1, column 0: encode"),
    "a dict": ({"a": [1.0]}, "X must hold real numbers, but there is {'a': "),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_a_number_is_named(kind):
    values, message = REFUSED[kind]
    with pytest.raises(DtypeError, match=message):
        classifier().predict(values)


def test_a_number_that_no_float_holds():
    with pytest.raises(NonFiniteError, match=r"X holds 10+\.\.\. .* at row 1, column 0, which is too large"):
        classifier().predict([[1, 2, 3], [10**400, 2, 3]])


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
