"""Columns that float32 cannot tell apart: `fit` names them, and says what to do."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import fastdense as fd
from fastdense.errors import NonFiniteError, PrecisionWarning

RNG = np.random.default_rng(0)
PLAIN = RNG.normal(size=(60, 2))
SECONDS = 1_700_000_000 + np.arange(60)


def fit(X, y, dtype="float32", loss="mse"):
    model = fd.Sequential(
        [fd.Dense(2, "relu"), fd.Dense(1, "sigmoid" if "cross" in loss else None)], dtype=dtype
    )
    model.compile(loss=loss)
    model.fit(X, y, verbose=0)


@pytest.mark.parametrize("kind", [np.float64, np.int64, list, pd.DataFrame])
def test_rows_are_named(kind):
    rows = np.c_[np.zeros(60), SECONDS]
    rows = {list: rows.tolist, pd.DataFrame: lambda: pd.DataFrame(rows)}.get(
        kind, lambda: rows.astype(kind)
    )()
    with pytest.warns(PrecisionWarning, match=r"in column 1 of X: mean 1\.7e\+09, .*Normalization"):
        fit(rows, PLAIN[:, 0])


def test_targets_are_named():
    with pytest.warns(PrecisionWarning, match=r"in column 0 of y: mean 1e\+09, .*subtract the mean from y"):
        fit(PLAIN, 1e9 + PLAIN[:, 0])
    with pytest.warns(PrecisionWarning, match=r"in column 0 of X \(and 1 other columns\)"):
        fit(1e9 + PLAIN, PLAIN[:, 0])


def test_nothing_is_said_of_others():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(PLAIN, PLAIN[:, 0])
        fit(np.c_[PLAIN, np.full(60, 1.7e9)] / [1, 1, 1e9], PLAIN[:, 0])
        fit(1e9 + PLAIN, PLAIN[:, 0], dtype="float64")
        fit((1e3 + PLAIN).astype(np.float32), PLAIN[:, 0])
        fit(PLAIN, np.arange(60) % 2, loss="binary_crossentropy")


def test_numbers_beyond_float32_are_named_as_such():
    for X, y in ((PLAIN * 1e39, PLAIN[:, 0]), (PLAIN, PLAIN[:, 0] * 1e39)):
        with pytest.raises(NonFiniteError, match="too large for float32"):
            fit(X, y)
