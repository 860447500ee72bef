"""Targets of several columns, each with classes of its own: one network, a softmax a column."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

import fastdense as fd
from fastdense import MLPClassifier
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = data.X_IRIS
SIZES = np.digitize(X[:, 0], [-0.8, 0.0, 0.8]) * 10  # 0, 10, 20, 30
Y = np.column_stack([data.Y_IRIS, SIZES, X[:, 1] > 0]).astype(int)
CHOSEN = {"hidden_layer_sizes": (20,), "max_iter": 150, "random_state": 0, "learning_rate_init": 0.02}


@pytest.fixture(scope="module")
def model():
    return MLPClassifier(**CHOSEN).fit(X, Y)


def test_every_column_is_learned(model):
    found = model.predict(X)
    assert found.shape == Y.shape
    assert ((found == Y).mean(axis=0) > 0.9).all()
    assert [own.tolist() for own in model.classes_] == [[0, 1, 2], [0, 10, 20, 30], [0, 1]]
    assert model.n_outputs_ == 9
    assert model.out_activation_ == "softmax"
    assert_within(model.score(X, Y), (found == Y).all(axis=1).mean(), 1e-12)
    weights = np.linspace(0, 1, 150)
    assert_within(model.score(X, Y, weights), np.average((found == Y).all(axis=1), weights=weights), 1e-12)


def test_probabilities_are_a_list(model):
    found = model.predict_proba(X)
    assert [each.shape for each in found] == [(150, 3), (150, 4), (150, 2)]
    for each, logarithms, own, column in zip(
        found, model.predict_log_proba(X), model.classes_, model.predict(X).T, strict=True
    ):
        assert_within(each.sum(axis=1), np.ones(150), 1e-6)
        assert_within(logarithms, np.log(each), 1e-6)
        assert np.array_equal(own[each.argmax(axis=1)], column)


def test_one_column_is_as_a_vector_with_a_softmax():
    """The loss is the sum of the columns' cross-entropies."""
    many = MLPClassifier(alpha=0, max_iter=1, shuffle=False, batch_size=150, random_state=0).fit(X, Y)
    right = [
        each[np.arange(150), np.searchsorted(own, column)]
        for each, own, column in zip(
            MLPClassifier(
                alpha=0, max_iter=1, shuffle=False, batch_size=150, random_state=0, learning_rate_init=1e-30
            )
            .fit(X, Y)
            .predict_proba(X),
            many.classes_,
            Y.T,
            strict=True,
        )
    ]
    assert_within(many.loss_, -sum(np.log(p.astype(float)).mean() for p in right), 1e-5)


def test_words_and_mixed_columns():
    words = np.column_stack([data.WORDS, np.where(X[:, 1] > 0, "wide", "narrow")])
    model = MLPClassifier(**CHOSEN).fit(X, words)
    assert model.predict(X).dtype.kind == "U"
    assert (model.predict(X) == words).mean() > 0.9


def test_early_stopping_copies_and_validation_rows():
    model = MLPClassifier(early_stopping=True, dtype="float64", **CHOSEN).fit(
        X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2]
    )
    assert_within(model.best_validation_score_, model.score(X[1::2], Y[1::2]), 1e-12)
    right = [
        each[np.arange(75), np.searchsorted(own, column)]
        for each, own, column in zip(model.predict_proba(X[1::2]), model.classes_, Y[1::2].T, strict=True)
    ]
    best = int(np.argmax(model.validation_scores_))
    assert_within(model.validation_loss_curve_[best], -sum(np.log(p).mean() for p in right), 1e-9)
    twin = pickle.loads(pickle.dumps(model))
    assert_within(np.hstack(twin.predict_proba(X)), np.hstack(model.predict_proba(X)), 0.0)


def test_partial_fit():
    classes = [[0, 1, 2], [0, 10, 20, 30], [0, 1]]
    model = MLPClassifier(solver="sgd", learning_rate_init=0.1, random_state=0)
    model.partial_fit(X[:50], Y[:50], classes=classes)
    for _ in range(100):
        model.partial_fit(X, Y)
    assert model.score(X, Y) > 0.5
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(X, Y, classes=[[0, 1], [0, 10, 20, 30], [0, 1]])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"classes not in `self\.classes_`"):
        model.partial_fit(X, Y + 1)
    with pytest.raises(ValueError, match="`y` must have 3 columns"):
        model.partial_fit(X, Y[:, :2])


@pytest.mark.parametrize("engine", ["array", "reference"])
def test_every_engine(engine):
    chosen = {
        "hidden_layer_sizes": 3,
        "max_iter": 2,
        "random_state": 0,
        "dtype": "float64",
        "label_smoothing": 0.1,
    }
    one, other = (MLPClassifier(engine=name, **chosen).fit(X, Y) for name in ("native", engine))
    for found, expected in zip(one.coefs_, other.coefs_, strict=True):
        assert_within(found, expected, 1e-12)


def test_class_weights_and_lbfgs():
    weights = [{0: 1, 1: 2, 2: 1}, {0: 1, 10: 1, 20: 1, 30: 3}, {0: 1, 1: 1}]
    model = MLPClassifier(class_weight=weights, **CHOSEN).fit(X, Y)
    rows = np.where(Y[:, 0] == 1, 2.0, 1.0) * np.where(Y[:, 1] == 30, 3.0, 1.0)
    expected = MLPClassifier(**CHOSEN).fit(X, Y, sample_weight=rows)
    assert_within(model.coefs_[0], expected.coefs_[0], 0.0)
    assert MLPClassifier(solver="lbfgs", max_iter=200, random_state=0).fit(X, Y).score(X, Y) > 0.9


def test_the_network(model, tmp_path):
    network = model.to_network()
    network.save(tmp_path / "many.safetensors")
    for each in (network, network.freeze(), fd.load(tmp_path / "many.safetensors")):
        assert_within(each.predict(X), np.hstack(model.predict_proba(X)), 0.0)
    with pytest.raises(ValueError, match="no targets of several columns"):
        model.to_sklearn()


def test_two_numbers_that_are_not_zero_and_one_are_classes():
    numbers = np.column_stack([Y[:, 2] + 1, (X[:, 2] > 0) + 1])
    model = MLPClassifier(**CHOSEN).fit(X, numbers)
    assert [own.tolist() for own in model.classes_] == [[1, 2], [1, 2]]
    assert model.score(X, numbers) > 0.9
    labels = MLPClassifier(**CHOSEN).fit(X, numbers - 1)
    assert labels.out_activation_ == "logistic"
    for wrong in (numbers, 3 * numbers):
        with pytest.raises(ValueError, match="`y` must hold zeros and ones"):
            labels.partial_fit(X, wrong)


def test_a_list_of_lists_says_that_there_are_columns():
    """Whatever the first rows hold."""
    classes = [[0, 1, 2], [0, 1, 2]]
    y = np.column_stack([data.Y_IRIS, data.Y_IRIS[::-1]])
    few = (y < 2).all(axis=1)
    model = MLPClassifier(**CHOSEN).partial_fit(X[few], y[few], classes=classes).partial_fit(X, y)
    assert [each.shape[1] for each in model.predict_proba(X)] == [3, 3]
    pairs = MLPClassifier(**CHOSEN).partial_fit(X, (y > 0).astype(int), classes=[[0, 1], [0, 1]])
    assert len(pairs.predict_proba(X)) == 2


def test_columns_of_a_frame_may_differ_in_type():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"kind": data.WORDS, "size": SIZES})
    model = MLPClassifier(**CHOSEN).fit(X, frame)
    found = model.predict(X)
    assert {type(value) for value in found[0]} == {str, int}
    assert (found == frame.to_numpy()).mean() > 0.9
    assert model.score(X, frame) > 0.8
    model.partial_fit(X, frame)
    with pytest.raises(ValueError, match=r"classes not in `self\.classes_`"):
        model.partial_fit(X, frame.assign(size=SIZES + 1))


def test_targets_of_another_shape(model):
    from scipy.sparse import csr_matrix

    with pytest.raises(ValueError, match="y must have the shape"):
        model.score(X, Y[:, :1])
    with pytest.raises(ValueError, match="columns of classes must be an array"):
        MLPClassifier().fit(X, csr_matrix(Y))
