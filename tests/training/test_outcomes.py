"""How predictions compare with the truth, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from fastdense.errors import NonFiniteError
from fastdense.training.outcomes import by_prediction, classify, regress, reliability

THREE = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.4, 0.35, 0.25]])


def test_three_classes_by_hand():
    found = classify("", ("a", "b", "c"), np.array([0, 1, 1, 2]), THREE)
    assert found.confusion.tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 0]]
    assert found.accuracy == 0.5
    assert found.support.tolist() == [1, 2, 1]
    np.testing.assert_allclose(found.precision, [1 / 2, 1, 0])
    np.testing.assert_allclose(found.recall, [1, 1 / 2, 0])
    np.testing.assert_allclose(found.f1, [2 / 3, 2 / 3, 0])
    assert found.log_loss == pytest.approx(-np.log([0.7, 0.3, 0.5, 0.25]).mean())
    assert found.auc is None
    # The chosen classes' probabilities: 0.7 and 0.5 were right, 0.6 and 0.4 were not.
    assert found.calibration.predicted == (0.4, 0.5, 0.6, 0.7)
    assert found.calibration.observed == (0.0, 1.0, 0.0, 1.0)
    assert found.calibration.error == pytest.approx((0.4 + 0.5 + 0.6 + 0.3) / 4)


def test_a_perfect_log_loss_has_no_sign():
    found = classify("", ("a", "b"), np.array([0, 1]), np.eye(2))
    assert f"{found.log_loss:g}" == "0"


def test_a_class_that_nobody_is_of_and_nobody_chose():
    found = classify("", ("a", "b", "c"), np.array([0, 0]), np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]]))
    assert np.isnan(found.recall).tolist() == [False, True, True]
    assert np.isnan(found.precision).tolist() == [False, False, True]
    assert np.isnan(found.f1).tolist() == [False, False, True]


def test_against_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    chance = np.clip(0.35 * truth + 0.65 * rng.random(400), 0, 1)
    found = classify("", ("no", "yes"), truth, np.stack([1 - chance, chance], axis=1))
    chosen = (chance > 0.5).astype(int)
    assert (found.confusion == metrics.confusion_matrix(truth, chosen)).all()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, chosen)
    for ours, theirs in [(found.precision, precision), (found.recall, recall), (found.f1, f1)]:
        np.testing.assert_allclose(ours, theirs)
    assert (found.support == support).all()
    assert found.auc == pytest.approx(metrics.roc_auc_score(truth, chance))
    assert found.log_loss == pytest.approx(metrics.log_loss(truth, chance))
    came, said = calibration.calibration_curve(truth, chance, n_bins=10)
    np.testing.assert_allclose(found.calibration.observed, came)
    np.testing.assert_allclose(found.calibration.predicted, said)


def test_the_error_of_calibration_weighs_groups_by_their_rows():
    found = reliability(np.array([0.05, 0.05, 0.05, 0.95]), np.array([False, False, False, False]))
    assert found.error == pytest.approx((3 * 0.05 + 0.95) / 4)


def test_one_class_alone_has_no_ranks():
    assert np.isnan(classify("", ("0", "1"), np.array([1]), np.array([[0.5, 0.5]])).auc)


def test_a_probability_of_one_is_in_the_last_group():
    assert reliability(np.array([0.0, 1.0]), np.array([False, True])).counts == (1, 1)


def test_a_quantity_by_hand():
    found = regress("", np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 3.0]), quantile=0.5)
    assert found.residuals.tolist() == [-1.0, 0.0, 3.0]
    assert found.mae == pytest.approx(4 / 3)
    assert found.rmse == pytest.approx(np.sqrt(10 / 3))
    assert found.bias == pytest.approx(-2 / 3)
    assert found.r2 == pytest.approx(1 - 10 / 14)
    assert found.below == pytest.approx(2 / 3)


def test_a_truth_that_never_changes_has_no_share_to_explain():
    assert np.isnan(regress("", np.full(3, 0.1234567), np.full(3, 0.2234567)).r2)


def test_tenths_hold_as_many_rows_each():
    guess = np.random.default_rng(0).normal(size=1000)
    found = by_prediction(guess, 2 * guess)
    assert found.counts == (100,) * 10
    assert list(found.predicted) == sorted(found.predicted)
    np.testing.assert_allclose(found.observed, 2 * np.array(found.predicted))


def test_outputs_that_overflowed_are_refused():
    with pytest.raises(NonFiniteError, match="outputs are not finite, first in row 0: its weights"):
        classify("", ("0", "1"), np.array([0]), np.array([[np.nan, 0.5]]))
    with pytest.raises(NonFiniteError, match="outputs are not finite, first in row 0: its weights"):
        regress("", np.zeros(1), np.array([np.inf]))
