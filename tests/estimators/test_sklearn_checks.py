"""scikit-learn's checks of what may call itself an estimator."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    parametrize_with_checks,
)

from fastdense import MLPClassifier, MLPRegressor

ROUNDING = "weights and repeated rows are compared to 1e-7, and the last digit of float32 is worth 6e-8"


def beyond_float32(estimator):
    """Return the checks that float32 cannot pass: scikit-learn's own MLP passes them, in float64."""
    if estimator.dtype == "auto":
        return {}
    name = "check_sample_weight_equivalence_on_{}_data"
    return {name.format(kind): ROUNDING for kind in ("dense", "sparse")}


ESTIMATORS = [
    kind(max_iter=100, **dtype) for kind in (MLPClassifier, MLPRegressor) for dtype in ({}, {"dtype": "auto"})
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=beyond_float32)
def test_scikit_learns_check(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "estimator",
    [MLPClassifier(solver="lbfgs"), MLPRegressor(solver="sgd", tol=1e-2, random_state=42, dtype="auto")],
)
def test_weights_count_rows(estimator):
    """The two that scikit-learn checks its own MLP by."""
    check_sample_weight_equivalence_on_dense_data(type(estimator).__name__, estimator)
