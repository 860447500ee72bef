"""scikit-learn's checks of what may call itself an estimator, of ensembles."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastdense import MLPClassifier, MLPRegressor
from fastdense.search import Ensemble

DRAWN = "bootstraps of repeated rows are not those of rows that weigh more"


def expected(estimator):
    return {f"check_sample_weight_equivalence_on_{kind}_data": DRAWN for kind in ("dense", "sparse")}


OPTIONS = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.03, "max_iter": 60}
ENSEMBLES = [Ensemble(kind(**OPTIONS), 2, random_state=0) for kind in (MLPClassifier, MLPRegressor)]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ENSEMBLES, expected_failed_checks=expected)
def test_scikit_learns_check(estimator, check):
    check(estimator)
