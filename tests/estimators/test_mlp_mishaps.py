"""What goes wrong is refused, named, and loses nothing."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as TheirClassifier

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS
SMALL = {"max_iter": 5, "random_state": 0, "hidden_layer_sizes": (5,)}


def weights_of(estimator):
    return [array.copy() for array in (*estimator.coefs_, *estimator.intercepts_)]


def assert_weights(estimator, expected):
    for found, wanted in zip(weights_of(estimator), expected, strict=True):
        assert_within(found, wanted, 0.0)


def test_weights_never_meet_data_of_another_shape():
    """They did once, and compiled code wrote past the end of arrays."""
    one, two = MLPRegressor(**SMALL).fit(X, Y), MLPRegressor(**SMALL).fit(X, np.c_[Y, Y])
    for model, y in ((one, np.c_[Y, Y]), (two, Y)):
        with pytest.raises(ValueError, match="columns, but the fitted network"):
            model.partial_fit(X, y)
        with pytest.raises(ValueError, match="columns, but the fitted network"):
            model.set_params(warm_start=True).fit(X, y)
    for sizes in ((50,), (5, 4), ()):
        model = MLPClassifier(**SMALL).fit(X, Y).set_params(hidden_layer_sizes=sizes)
        expected = weights_of(model)
        with pytest.raises(ValueError, match="keep to its sizes"):
            model.partial_fit(X, Y)
        with pytest.raises(ValueError, match="keep to its sizes"):
            model.set_params(warm_start=True).fit(X, Y)
        assert_weights(model, expected)
        assert model.predict(X).shape == (150,)
        assert model.set_params(warm_start=False).fit(X, Y).n_layers_ == len(sizes) + 2


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_replaced_weights_must_fit_one_another(engine):
    model = MLPClassifier(engine=engine, **(SMALL | {"max_iter": 1})).fit(X, Y)
    good = list(model.coefs_)
    for wrong in (np.zeros((2, 2)), np.zeros((4, 6)), np.zeros((5, 5))):
        model.coefs_ = [wrong.astype(np.float32), good[1]]
        with pytest.raises(ValueError, match="layer"):
            model.predict(X)
        with pytest.raises(ValueError, match="layer"):
            model.partial_fit(X, Y)
    model.coefs_ = good
    model.intercepts_[0] = np.zeros(2, np.float32)
    with pytest.raises(ValueError, match=r"layer 0 has arrays of the shapes \[\(4, 5\), \(5,\)\], got"):
        model.predict(X)


BAD_FITS = {
    "validation rows": ({}, {"X_val": X[:, :2], "y_val": Y}, "X has 2 features"),
    "validation classes": ({}, {"X_val": X, "y_val": Y + 1}, r"`y_val` has classes not in"),
    "validation labels": ({}, {"X_val": X, "y_val": np.eye(3, dtype=int)[Y]}, "`y_val` has"),
    "one validation row": (
        {"early_stopping": True},
        {"X_val": X[:1], "y_val": Y[:1]},
        "validation set is too small",
    ),
    "dropout": ({"solver": "lbfgs", "dropout": 0.5}, {}, "dropout needs solver"),
    "clipping": ({"solver": "lbfgs", "global_clipnorm": 1.0}, {}, "global_clipnorm needs solver"),
    "clipped twice": (
        {"optimizer": fd.optimizers.SGD(clipnorm=1), "global_clipnorm": 1.0},
        {},
        "clips gradients already",
    ),
    "activations": ({"activation": ["relu", "relu"]}, {}, "2 activations for 1 hidden layers"),
    "class weights": ({"class_weight": {7: 2.0}}, {}, r"class_weight names \[7\]"),
    "row weights": ({}, {"sample_weight": np.ones(3)}, "sample_weight.shape"),
}


@pytest.mark.parametrize("name", BAD_FITS)
def test_a_fit_that_cannot_start_changes_nothing(name):
    parameters, rows, message = BAD_FITS[name]
    fitted = MLPClassifier(**SMALL).fit(X, data.WORDS)
    expected, attributes = weights_of(fitted), set(vars(fitted))
    for model in (fitted.set_params(**parameters), MLPClassifier(**(SMALL | parameters))):
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y, **rows)
    assert set(vars(fitted)) == attributes
    assert_weights(fitted, expected)
    assert set(fitted.set_params(activation="relu").predict(X)) <= set(data.WORDS)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_validation_targets_are_named():
    for model, y, wrong in (
        (MLPClassifier(**SMALL), data.Y_LABELS[:150], data.Y_LABELS[:150, :3]),
        (MLPClassifier(**SMALL), data.Y_LABELS[:150], Y),
        (MLPRegressor(**SMALL), Y, np.c_[Y, Y]),
        (MLPRegressor(**SMALL), np.c_[Y, Y], Y),
    ):
        with pytest.raises(ValueError, match="`y_val`"):
            model.fit(X, y, X_val=X, y_val=wrong)


def test_targets_keep_their_kind():
    one_hot = np.eye(3, dtype=int)[Y]
    with pytest.raises(ValueError, match="was not fitted with multilabel input"):
        MLPClassifier(**SMALL).fit(X, Y).partial_fit(X, one_hot)
    with pytest.raises(ValueError, match="`y` must have 3 columns"):
        MLPClassifier(**SMALL).fit(X, one_hot).partial_fit(X, Y)
    for wrong in (sparse.csr_matrix(np.c_[Y, Y]), np.array([str(y) for y in Y])):
        with pytest.raises(ValueError, match="`y` must be an array of numbers"):
            MLPRegressor(**SMALL).fit(X, wrong)


def test_sparse_labels_are_predicted_sparse():
    labels = sparse.csr_matrix(data.Y_LABELS)
    ours, theirs = (kind(**SMALL).fit(data.X_LABELS, labels) for kind in (MLPClassifier, TheirClassifier))
    for model in (ours, fd.from_sklearn(theirs), ours.to_sklearn(), pickle.loads(pickle.dumps(ours))):
        assert isinstance(model.predict(data.X_LABELS), type(theirs.predict(data.X_LABELS)))
    found = fd.from_sklearn(theirs).predict(data.X_LABELS)
    assert (found != theirs.predict(data.X_LABELS)).nnz == 0
    assert_within(ours.coefs_[0], MLPClassifier(**SMALL).fit(data.X_LABELS, data.Y_LABELS).coefs_[0], 0.0)


def test_parameters_that_are_set_after_the_fit_count():
    for predicts_before in (False, True):
        model = MLPClassifier(**SMALL).fit(X, Y)
        if predicts_before:
            model.predict(X)
        theirs = model.to_sklearn()
        model.set_params(activation="tanh")
        assert_within(model.predict_proba(X), theirs.set_params(activation="tanh").predict_proba(X), 1e-5)
        assert model.set_params(engine="array").predict(X).shape == (150,)


def test_class_weights_of_a_batch_without_the_class():
    found, expected = MLPClassifier(class_weight={2: 5.0}, random_state=0), MLPClassifier(random_state=0)
    for model in (found, expected):
        model.partial_fit(X[:100], Y[:100], classes=[0, 1, 2])
    assert_weights(found, weights_of(expected))
    found.partial_fit(X[50:], Y[50:])
    expected.partial_fit(X[50:], Y[50:], sample_weight=np.where(Y[50:] == 2, 5.0, 1.0))
    assert_weights(found, weights_of(expected))


def test_class_weights_count_in_validation():
    weights = np.where(Y == 2, 100.0, 1.0)
    for rows in ({"X_val": X, "y_val": Y}, {}):
        chosen = {"early_stopping": True, "max_iter": 10, "random_state": 0}
        found = MLPClassifier(class_weight={2: 100.0}, **chosen).fit(X, Y, **rows)
        more = {"sample_weight_val": weights} if rows else {}
        expected = MLPClassifier(**chosen).fit(X, Y, sample_weight=weights, **rows, **more)
        assert found.validation_scores_ == expected.validation_scores_
    by_label = [{0: 1.0, 1: 3.0}] * 5
    found = MLPClassifier(class_weight=by_label, **SMALL).fit(data.X_LABELS, data.Y_LABELS)
    rows = 3.0 ** data.Y_LABELS.sum(axis=1)
    expected = MLPClassifier(**SMALL).fit(data.X_LABELS, data.Y_LABELS, sample_weight=rows)
    assert_weights(found, weights_of(expected))


def test_a_batch_without_weight_adds_no_loss():
    weights = np.r_[np.zeros(50), np.ones(100)]
    chosen = {"batch_size": 50, "shuffle": False, "random_state": 0, "solver": "sgd", "momentum": 0}
    found = MLPClassifier(max_iter=1, **chosen).fit(X, Y, sample_weight=weights)
    expected = MLPClassifier(**chosen).partial_fit(X[50:], Y[50:], classes=[0, 1, 2])
    assert_weights(found, weights_of(expected))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_the_optimizers_state_survives_new_settings_and_pickles(solver):
    ours = MLPClassifier(solver=solver, dtype="float64", batch_size=40, **SMALL)
    theirs = TheirClassifier(solver=solver, batch_size=40, **SMALL)
    for model in (ours, theirs):
        model.partial_fit(X, Y, classes=[0, 1, 2])
        model.set_params(alpha=0.1)
        model.partial_fit(X, Y)
    ours, theirs = pickle.loads(pickle.dumps(ours)), pickle.loads(pickle.dumps(theirs))
    for model in (ours, theirs):
        model.partial_fit(X, Y)
    for found, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_within(found, expected, 1e-12)


def test_lbfgs_watches_validation_rows():
    model = MLPRegressor(solver="lbfgs", max_iter=8, random_state=0).fit(X, Y, X_val=X[:50], y_val=Y[:50])
    assert len(model.loss_curve_) == len(model.validation_scores_) == model.n_iter_ == 8
    assert_within(model.validation_scores_[-1], model.score(X[:50], Y[:50]), 1e-9)
    assert_within(model.loss_curve_[-1], model.loss_, 0.0)


def test_exchanges_of_what_is_nearly_scikit_learns():
    class Theirs(TheirClassifier):
        pass

    assert fd.from_sklearn(Theirs(**SMALL).fit(X, Y)).score(X, Y) >= 0
    model = MLPClassifier(activation=["linear"], **SMALL).fit(X, Y)
    assert_within(model.to_sklearn().predict_proba(X), model.predict_proba(X), 1e-5)
    again = fd.from_sklearn(TheirClassifier(solver="lbfgs", **SMALL).fit(X, Y)).set_params(solver="adam")
    assert len(again.partial_fit(X, Y).loss_curve_) == 1


def test_early_stopping_counts_the_rows_that_it_took():
    rng = np.random.default_rng(0)
    big = rng.normal(size=(20_000, 50))
    model = MLPRegressor(max_time=0.05, batch_size=10, max_iter=3, tol=0)
    model.fit(big, big[:, 0])
    assert model.t_ % 10 == 0
    assert model.t_ <= 60_000


def test_weights_stay_read_only_in_copies():
    model = MLPClassifier(**SMALL).fit(X, Y)
    twin = pickle.loads(pickle.dumps(model))
    for array in (*twin.coefs_, *twin.intercepts_):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    model.coefs_[0] = np.zeros((4, 5), np.float32)
    model.predict(X)
    with pytest.raises(ValueError, match="read-only"):
        model.coefs_[0][...] = 1  # it would not be what predicts


def test_a_first_partial_fit_that_fails_forgets_its_classes():
    model = MLPClassifier(**SMALL)
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.full((3, 4), np.nan), [0, 1, 2], classes=[0, 1, 2])
    assert model.partial_fit(X[:100], Y[:100], classes=[0, 1]).classes_.tolist() == [0, 1]


def test_validation_rows_weigh_something():
    model = MLPClassifier(class_weight={0: 0.0}, **SMALL).fit(X, Y)
    expected = weights_of(model)
    with pytest.raises(ValueError, match="weights of the validation rows"):
        model.fit(X, Y, X_val=X[:50], y_val=Y[:50])
    assert_weights(model, expected)


def test_lbfgs_does_not_end_in_nothing():
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        MLPRegressor(solver="lbfgs").fit(1e200 * X, Y)


def test_a_best_score_of_zero_is_a_score():
    chosen = {"solver": "sgd", "learning_rate_init": 1e-6, "random_state": 0}
    untrained = MLPClassifier(**chosen).partial_fit(X, Y, classes=[0, 1, 2])
    missed = untrained.predict(X) != Y
    rows = {"X_val": X[missed], "y_val": Y[missed]}
    model = MLPClassifier(early_stopping=True, **chosen)
    while not getattr(model, "stopped_", False):
        model.partial_fit(X, Y, classes=[0, 1, 2], **rows)
    assert set(model.validation_scores_) == {0.0}
    assert_weights(model, weights_of(untrained))


@pytest.mark.parametrize("weight", [np.nan, -1.0, "x"])
def test_class_weights_are_numbers(weight):
    with pytest.raises((ValueError, TypeError), match=r"class_weight\[0\] must be"):
        MLPClassifier(class_weight={0: weight}, **SMALL).fit(X, Y)


def test_an_activation_list_that_is_changed_counts():
    names = ["relu"]
    model = MLPClassifier(activation=names, **SMALL).fit(X, Y)
    before = model.predict_proba(X)
    names[0] = "tanh"
    assert not np.array_equal(model.predict_proba(X), before)
