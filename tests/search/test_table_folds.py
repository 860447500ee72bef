"""Folds of a table: who is in which, and that no fold learns from the rows that it holds out."""

import numpy as np
import pytest

from fastdense.errors import TableError
from fastdense.search.tables.folds import deal, folds_of
from fastdense.tabular.split import known_rows
from tests.tabular.test_train import flowers, houses


def folds(frame, target, count=4, seed=0, types=None):
    data, goal = known_rows(frame, target, "auto", None)
    return folds_of(data, goal, count, seed, types)


def test_folds_have_one_size_and_the_same_part_of_every_stratum():
    strata = np.repeat([0, 1, 2], [17, 50, 3])
    fold = deal(strata, 5, seed=0)
    assert np.bincount(fold).tolist() == [14] * 5
    for stratum in range(3):
        counts = np.bincount(fold[strata == stratum], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_the_seed_deals_the_rows():
    strata = np.zeros(40, dtype=np.int64)
    np.testing.assert_array_equal(deal(strata, 4, seed=1), deal(strata, 4, seed=1))
    assert (deal(strata, 4, seed=1) != deal(strata, 4, seed=2)).any()


def test_every_row_is_held_out_once():
    frame = houses(50)
    found = folds(frame, "price")
    held_out = [fold.table.unscale(fold.y)[:, 0] for fold in found]
    np.testing.assert_allclose(np.sort(np.concatenate(held_out)), np.sort(frame["price"]), rtol=1e-6)
    assert [len(fold.training.X) + len(fold.X) for fold in found] == [50] * 4


def test_what_encodes_a_fold_is_learned_from_its_training_rows():
    sizes = np.arange(50.0)
    held_out = deal(np.zeros(50, dtype=np.int64), 4, seed=0) == 0
    strange = np.where(held_out, 1e6 * sizes, sizes)
    usual = folds({"size": sizes, "price": 3 * sizes}, "price")[0]
    spoilt = folds({"size": strange, "price": 3 * strange}, "price")[0]
    np.testing.assert_array_equal(spoilt.training.X, usual.training.X)
    np.testing.assert_array_equal(spoilt.training.y, usual.training.y)
    assert spoilt.table == usual.table
    assert (spoilt.X != usual.X).any()


def test_a_category_of_held_out_rows_alone_is_unknown():
    colours = np.array(["red", "blue"] * 20, dtype=object)
    colours[7] = "mauve"
    found = folds({"colour": colours, "size": np.arange(40.0), "price": np.arange(40.0) ** 2}, "price")
    knows = ["colour=mauve" in fold.table.feature_names for fold in found]
    assert sorted(knows) == [False, True, True, True]


def test_a_class_of_one_row_is_a_class_of_every_fold():
    frame = flowers(60)
    frame["name"] = frame["name"].astype(object)
    frame["name"][5] = "tulip"
    assert [fold.table.classes for fold in folds(frame, "name")] == [["iris", "lily", "rose", "tulip"]] * 4


def test_types_are_as_stated():
    found = folds(flowers(60), "name", types={"colour": "ignore"})
    assert all(fold.table.feature_names == ["length", "width"] for fold in found)


def test_too_few_rows_are_refused():
    with pytest.raises(TableError, match="cv=4 needs at least 8 rows that are not for the test, got 7"):
        folds(houses(7), "price")
