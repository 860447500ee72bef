"""Philox against its authors' known answers, and the masks drawn from it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastdense.reference import dropout_mask, philox
from tests.compare import assert_identical, assert_within

ONES = 2**32 - 1


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0,) * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((ONES,) * 4, (ONES,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter, key, words):
    assert " ".join(f"{word:08x}" for word in philox(counter, key)) == words


def test_an_elements_word_is_named_by_its_place():
    seed, step, layer, rate = 2**33 + 7, 11, 5, 0.4
    kept = dropout_mask(seed, step, layer, 3, 10, rate)
    for row in range(3):
        for column in range(10):
            words = philox((step, layer, row, column // 4), (7, 2))
            assert kept[row, column] == (words[column % 4] >= math.floor(rate * 2**32))


def test_a_smaller_mask_is_a_corner_of_a_larger_one():
    large = dropout_mask(1, 2, 3, 6, 9, 0.5)
    assert_identical(dropout_mask(1, 2, 3, 2, 5, 0.5), large[:2, :5])
    assert dropout_mask(1, 2, 3, 0, 5, 0.5).shape == (0, 5)


@pytest.mark.parametrize("changed", [(1, 2, 4), (1, 3, 3), (2, 2, 3), (1 + 2**32, 2, 3)])
def test_seed_step_and_layer_all_count(changed):
    assert np.any(dropout_mask(1, 2, 3, 8, 8, 0.5) != dropout_mask(*changed, 8, 8, 0.5))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_rate_is_the_share_dropped(rate):
    dropped = np.mean(~dropout_mask(0, 0, 0, 50, 40, rate))
    # four standard deviations of a mean of 2000 draws; none at all for 0 and 1
    assert_within(dropped, rate, 4 * math.sqrt(rate * (1 - rate) / 2000))
