"""What holds for any table: rows stand alone, and every kind of frame says the same."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdense.tables import Table

# What is odd in columns made at random is said, which is not what these tests are about.
QUIETLY = pytest.mark.filterwarnings("ignore::fastdense.errors.TableWarning")
NUMBERS = st.none() | st.floats(-1e300, 1e300)
WHOLE = st.none() | st.integers(-(2**62), 2**62)
TEXTS = st.none() | st.text("ab ?1.", max_size=3)


@st.composite
def frames(draw, max_size=12):
    m = draw(st.integers(1, max_size))
    number, whole, text = (draw(st.lists(kind, min_size=m, max_size=m)) for kind in (NUMBERS, WHOLE, TEXTS))
    return {"number": number, "whole": whole, "text": text, "constant": [1.0] * m}


def as_pandas(frame):
    return pd.DataFrame({**frame, "whole": pd.array(frame["whole"], dtype="Int64")})


def as_polars(frame):
    kinds = {"number": pl.Float64, "whole": pl.Int64, "text": pl.String, "constant": pl.Float64}
    return pl.DataFrame(frame, schema=kinds)


@QUIETLY
@settings(deadline=None)
@given(frames())
def test_a_row_depends_on_nothing_but_itself(frame):
    table = Table.learn(frame)
    for dtype in ("float32", "float64"):
        together = table.features(frame, dtype)
        assert np.isfinite(together).all()
        assert np.abs(together).max() <= 3
        for row in range(len(together)):
            alone = table.features({name: values[row : row + 1] for name, values in frame.items()}, dtype)
            assert alone.tobytes() == together[row].tobytes()


@QUIETLY
@settings(deadline=None)
@given(frames())
def test_every_kind_of_frame_gives_the_same_bits(frame):
    table = Table.learn(frame)
    expected = table.features(frame, "float64").tobytes()
    for same in (as_pandas(frame), as_polars(frame)):
        assert Table.learn(same) == table
        assert table.features(same, "float64").tobytes() == expected


@QUIETLY
@settings(deadline=None)
@given(
    st.lists(st.text(max_size=4), min_size=1, max_size=10),
    st.lists(st.text(max_size=4), min_size=1, max_size=10),
)
def test_any_text_is_encoded_as_at_most_one_category(learn, later):
    table = Table.learn({"x": [*learn, "a", "a"]}, types={"x": "category"})
    features = table.features({"x": later})
    assert set(features.sum(axis=1).tolist()) <= {0.0, 1.0}
    known = {text.strip() for text in learn} | {"a"}
    for text, row in zip(later, features, strict=True):
        assert row[: len(table.columns[0].categories)].any() == (
            text.strip() in known & set(table.columns[0].categories)
        )


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c"]) | st.text(min_size=1, max_size=3), min_size=2, max_size=30))
def test_labels_undo_targets(labels):
    labels = [f"c{label}." for label in labels] + ["first", "last"]
    table = Table.learn({"n": np.arange(len(labels)), "y": labels}, "y")
    assert table.labels(table.targets({"y": labels})) == [label.strip() for label in labels]


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_unscale_undoes_targets(values):
    values = [*values, -0.5, 1.25]
    table = Table.learn({"n": np.arange(len(values)), "y": values}, "y", task="regress")
    back = table.unscale(table.targets({"y": values}, "float64"))[:, 0]
    np.testing.assert_allclose(back, values, rtol=1e-12, atol=1e-8)
