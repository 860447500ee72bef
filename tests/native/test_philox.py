"""Philox4x32-10 against the known answers published with Random123 (its file kat_vectors)."""

import numpy as np
import pytest

from fastdense.errors import DtypeError, ShapeError
from fastdense.native import philox4x32

ONES = "ffffffff"
KNOWN_ANSWERS = {
    "zeros": ("00000000 " * 4, "00000000 " * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    "ones": (f"{ONES} " * 4, f"{ONES} " * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    "pi": (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
}


def words(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize("case", KNOWN_ANSWERS)
def test_known_answers(case):
    counter, key, expected = map(words, KNOWN_ANSWERS[case])
    drawn = philox4x32(key[0] | key[1] << 32, np.array([counter], dtype=np.uint32))
    assert drawn.dtype == np.uint32
    assert drawn.tolist() == [expected]


def test_a_row_does_not_depend_on_its_neighbours():
    counters = np.arange(400, dtype=np.uint32).reshape(100, 4)
    together = philox4x32(7, counters)
    alone = np.vstack([philox4x32(7, counters[i : i + 1]) for i in range(100)])
    np.testing.assert_array_equal(together, alone)


def test_strided_and_read_only_counters_are_read_as_they_are():
    counters = np.arange(80, dtype=np.uint32).reshape(10, 8)
    expected = philox4x32(1, counters[::2, ::-2].copy())
    counters.flags.writeable = False
    np.testing.assert_array_equal(philox4x32(1, counters[::2, ::-2]), expected)


def test_no_counters_give_no_words():
    assert philox4x32(0, np.empty((0, 4), dtype=np.uint32)).shape == (0, 4)


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 2, 4)])
def test_counters_of_another_shape_are_refused(shape):
    with pytest.raises(ShapeError, match=r"shape \(n, 4\)"):
        philox4x32(0, np.zeros(shape, dtype=np.uint32))


def test_counters_of_another_type_are_refused():
    with pytest.raises(DtypeError, match="uint32, not int64"):
        philox4x32(0, np.zeros((1, 4), dtype=np.int64))


@pytest.mark.parametrize("key", [-1, 2**64])
def test_a_key_of_more_than_64_bits_is_refused(key):
    with pytest.raises(ValueError, match="key must be at least 0"):
        philox4x32(key, np.zeros((1, 4), dtype=np.uint32))
