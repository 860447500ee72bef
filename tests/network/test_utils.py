"""One-hot rows, and the session's seed."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import DtypeError, ShapeError
from tests.compare import assert_identical


@pytest.mark.parametrize("labels", [[2, 0], np.array([2, 0], np.uint8), [2.0, 0.0], [[2], [0]]])
def test_class_numbers_become_one_hot_rows(labels):
    assert_identical(fd.utils.to_categorical(labels), np.array([[0.0, 0, 1], [1, 0, 0]]))


def test_the_number_of_classes_can_be_given():
    assert_identical(fd.utils.to_categorical([1], 4), np.array([[0.0, 1, 0, 0]]))
    assert fd.utils.to_categorical([], 3).shape == (0, 3)
    assert fd.utils.to_categorical([]).shape == (0, 0)


def test_a_large_class_number_costs_a_row_not_a_square():
    row = fd.utils.to_categorical([10**6])
    assert row.shape == (1, 10**6 + 1)
    assert row[0, -1] == row.sum() == 1.0


@pytest.mark.parametrize(
    ("labels", "count", "error", "message"),
    [
        ([0, 0.5], None, ValueError, "must be whole, got 0.5"),
        ([0, np.nan], None, ValueError, "must be whole, got nan"),
        ([0, np.inf], None, ValueError, "must be whole, got inf"),
        ([0, -1], None, ValueError, "from 0 to 0, got -1 to 0"),
        ([0, 3], 3, ValueError, "from 0 to 2, got 0 to 3"),
        ([0, 1], 0, ValueError, "num_classes must be at least 1"),
        ([0, 1], 2.5, TypeError, "num_classes must be a whole number"),
        ([[0, 1], [1, 0]], None, ShapeError, r"one column, got an array of shape \(2, 2\)"),
        (3, None, ShapeError, r"one column, got an array of shape \(\)"),
        (["cat"], None, DtypeError, "real numbers"),
    ],
)
def test_labels_that_are_none(labels, count, error, message):
    with pytest.raises(error, match=message):
        fd.utils.to_categorical(labels, count)


def new_models():
    return [fd.Sequential([fd.Input((3,)), fd.Dense(2)]) for _ in range(2)]


def test_a_session_seed_repeats_models_without_a_seed():
    fd.utils.set_random_seed(5)
    first = new_models()
    fd.utils.set_random_seed(5)
    for a, b in zip(first, new_models(), strict=True):
        assert a.seed == b.seed
        assert_identical(a.get_weights()[0], b.get_weights()[0])
    assert first[0].seed != first[1].seed
    fd.utils.set_random_seed(6)
    assert new_models()[0].seed != first[0].seed


def test_a_model_can_be_made_again_from_the_seed_it_chose():
    model = new_models()[0]
    again = fd.Sequential([fd.Input((3,)), fd.Dense(2)], seed=model.seed)
    assert_identical(again.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize(
    ("seed", "error"),
    [(-1, ValueError), (2**64, ValueError), (1.5, TypeError), (True, TypeError), ("1", TypeError)],
)
def test_seeds_that_are_none(seed, error):
    with pytest.raises(error, match="seed must be"):
        fd.utils.set_random_seed(seed)
    with pytest.raises(error, match="seed must be"):
        fd.Sequential(seed=seed)
