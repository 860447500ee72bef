"""Dropout masks against a plain statement of their definition, for every build of the kernel."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdense.native import dropout_mask, philox4x32, runnable_isas

words32 = st.integers(0, 2**32 - 1)


def defined_mask(seed, step, layer, rows, columns, rate):
    kept = np.empty((rows, columns), dtype=bool)
    for row in range(rows):
        for column in range(columns):
            counter = np.array([[step, layer, row, column // 4]], dtype=np.uint32)
            kept[row, column] = philox4x32(seed, counter)[0, column % 4] >= math.floor(rate * 2**32)
    return kept


# Around 4 columns a counter, and 8, 16 and 32 columns a vector register.
@pytest.mark.parametrize("columns", [0, 1, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 66])
@pytest.mark.parametrize("isa", runnable_isas())
def test_mask_is_as_defined(isa, columns):
    case = {"seed": 2**63 + 5, "step": 2**32 - 1, "layer": 3, "rows": 3, "columns": columns, "rate": 0.3}
    np.testing.assert_array_equal(dropout_mask(**case, isa=isa), defined_mask(**case))


@given(
    seed=st.integers(0, 2**64 - 1),
    step=words32,
    layer=words32,
    rows=st.integers(0, 3),
    columns=st.integers(0, 40),
    rate=st.floats(0, 1, exclude_max=True),
)
def test_mask_is_as_defined_everywhere(**case):
    kept = dropout_mask(**case)
    assert kept.dtype == np.bool_
    np.testing.assert_array_equal(kept, defined_mask(**case))


def test_a_smaller_mask_is_the_corner_of_a_larger_one():
    whole = dropout_mask(1, 2, 3, rows=9, columns=50, rate=0.5)
    np.testing.assert_array_equal(dropout_mask(1, 2, 3, rows=4, columns=21, rate=0.5), whole[:4, :21])


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, math.nextafter(1, 0)])
def test_the_share_of_units_dropped_is_the_rate(rate):
    units = 1000 * 1000
    dropped = units - dropout_mask(0, 0, 0, 1000, 1000, rate).sum()
    assert abs(dropped - units * rate) <= 5 * math.sqrt(units * rate * (1 - rate))


@pytest.mark.parametrize("rate", [-0.1, 1.0, math.nan, math.inf])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match="rate must be at least 0 and below 1"):
        dropout_mask(0, 0, 0, 1, 1, rate)


@pytest.mark.parametrize("name", ["seed", "step", "layer", "rows", "columns"])
def test_integers_out_of_range_are_refused(name):
    good = {"seed": 0, "step": 0, "layer": 0, "rows": 1, "columns": 1, "rate": 0.5}
    for bad in (-1, 2**64):
        with pytest.raises(ValueError, match=f"{name} must be at least 0 and below"):
            dropout_mask(**good | {name: bad})
    with pytest.raises(TypeError, match=f"{name} must be an integer, not 1.5"):
        dropout_mask(**good | {name: 1.5})


def test_an_unknown_isa_is_refused():
    with pytest.raises(ValueError, match="isa must be one that runs on this processor"):
        dropout_mask(0, 0, 0, 1, 1, 0.5, isa="abacus")
